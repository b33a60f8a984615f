//! What the gateway is doing, over HTTP: health, metrics, clusters, plugins, generations; reload, rollback, and changes
//! of members.
//!
//! ```text
//! caller ─▶ server ─▶ slots ─▶ service ─▶ access: may it? ─▶ operation: which ─▶ call: read ─▶ members | … ─▶ Control
//! ```
//!
//! It sees everything and decides nothing: what there is to see, and what may be done, is a
//! [`Control`](crate::control::Control) that the gateway provides.

mod access;
mod call;
mod generations;
mod members;
mod operation;
mod plugins;
mod reply;
mod server;
mod service;
mod signals;
mod slots;
mod token;

#[cfg(test)]
mod tests;

pub use server::{BindError, Server};
pub use token::TokenError;
