//! What a generation is made of. Each part knows what it was made from: where that is equal again, the part of the
//! generation before is taken over, with its instances, connections and state.
//!
//! ```text
//! files ─▶ plugins, secrets ─┬─▶ deciders (router, rewriter)
//!     └──▶ listeners          └─▶ clusters ─▶ upstreams
//! ```

pub(super) mod clusters;
pub(super) mod deciders;
pub(super) mod files;
pub(super) mod from_files;
pub(super) mod listeners;
mod objections;
pub(super) mod passwords;
pub(super) mod plugins;
pub(super) mod secrets;
mod upstreams;
