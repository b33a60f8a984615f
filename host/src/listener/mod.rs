//! Bind early, accept late, limits per listener and per client.
//!
//! ```text
//! bind (prepare: may fail) ──▶ Bound ──▶ accept on each worker ──▶ Gate ──▶ Permit + stream
//! ```

mod accept;
mod gate;

pub use accept::{Accepted, Bound, accept};
pub use gate::{Gate, GateLimits, Permit, Refusal};
