//! What the gateway is doing, over HTTP: health, metrics, clusters, plugins, generations; reload, rollback, and changes of
//! members.
//!
//! ```text
//! caller ─▶ Server (bind early) ─▶ places ─▶ access: who may call ─▶ page ─▶ answer | write ─▶ Control
//! ```
//!
//! It sees everything and decides nothing: what there is to see, and what may be done, is a
//! [`Control`](crate::control::Control) that the gateway provides.

mod access;
mod answer;
mod page;
mod places;
mod server;
mod signals;
mod token;
mod write;

#[cfg(test)]
mod tests;

pub use server::{BindError, Server};
pub use token::TokenError;
