//! What the gateway is doing, over HTTP: health, metrics, clusters, plugins, generations; reload, rollback, and changes of
//! members.
//!
//! ```text
//! caller ─▶ Server (bind early) ─▶ places ─▶ access: who may call ─▶ page ─▶ answer | write ─▶ Overview
//! ```
//!
//! It sees everything and decides nothing: what there is to see, and what may be done, is an [`Overview`] that
//! the gateway provides.

mod access;
mod answer;
mod overview;
mod page;
mod places;
mod server;
mod signals;
mod token;
mod write;

#[cfg(test)]
mod tests;

pub use overview::{
    ChangedView, ChangesView, ClusterView, DroppedView, EndpointView, Fault, GenerationState, GenerationView, Overview,
    PluginView, Readiness, Refused, ResetEndpoint, ResetView, SignalView,
};
pub use server::{BindError, Server};
pub use signals::{Push, PushRefused};
pub use token::TokenError;
