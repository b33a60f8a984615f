//! Write a Tidegate plugin in Rust: one `impl` and one macro line.
//!
//! ```
//! use tidegate_plugin::{Balancer, Candidates, ConfigError, Endpoint, export_balancer};
//!
//! struct First;
//!
//! impl Balancer for First {
//!     fn configure(_config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
//!         Ok(Self)
//!     }
//!
//!     fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
//!         candidates.first().map(|candidate| candidate.id)
//!     }
//! }
//!
//! export_balancer!(First);
//! ```
//!
//! The crate is a `cdylib`, built with `cargo build --release --target wasm32-unknown-unknown`; the `.wasm` that comes
//! out is what the gateway loads. Compiled for any other target the macro only checks the types, and the functions of
//! [`log`], [`counters`] and the like are stand-ins: everything but the call itself can be tested natively.
//!
//! | role | trait | macro | optional, after a `+` |
//! |---|---|---|---|
//! | who gets the next connection | [`Balancer`] | [`export_balancer!`] | [`Feedback`], [`Handover`], [`Preview`], [`Describe`] |
//! | the same, with what a choice weighs and how to refuse | [`Chooser`] | [`export_chooser!`] | [`Feedback`], [`Handover`], [`Preview`], [`Describe`] |
//! | which cluster, which path | [`Router`] | [`export_router!`] | [`Repeats`], [`Preview`], [`Describe`] |
//! | what goes back to the client | [`Rewriter`] | [`export_rewriter!`] | [`Describe`] |
//!
//! One crate may fill several roles: one macro line for each; a [`Chooser`] is a balancer, so that a crate has one of these
//! two. A panic is logged with its message and place, then the
//! gateway throws the instance away and goes on with a fresh one.

// What `#[derive(Config)]` writes names this crate, in its own tests too.
extern crate self as tidegate_plugin;

#[doc(hidden)]
pub mod bindings;
pub mod candidates;
pub mod config;
mod export;
#[cfg(not(target_arch = "wasm32"))]
pub mod fake;
mod imports;
#[doc(hidden)]
pub mod instance;
mod roles;

pub use bindings::balancing::tidegate::plugin::types::{ConfigError, Endpoint, Field, RequestLine, Scheme};
pub use bindings::choosing::exports::tidegate::plugin::chooser::{Choice, Refusal, Taken};
pub use bindings::describing::exports::tidegate::plugin::describe::About;
pub use bindings::feeding_back::exports::tidegate::plugin::feedback::{Ending, Outcome};
pub use bindings::previewing::exports::tidegate::plugin::preview::Sight;
pub use bindings::rewriting::exports::tidegate::plugin::rewriter::{Context, Edit};
pub use bindings::routing::exports::tidegate::plugin::router::{Decision, Response, Target};
pub use candidates::{Candidate, Candidates};
pub use config::{Config, fault};
pub use imports::{body, chance, clock, columns, counters, edits, limit, log, metrics, notes, request, table};
pub use roles::{Balancer, Chooser, Describe, Feedback, Handover, Preview, Repeats, Rewriter, Router};
