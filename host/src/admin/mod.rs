//! What the gateway is doing, over HTTP: health, metrics, clusters, plugins, generations; reload and rollback.
//!
//! ```text
//! caller ─▶ Server (bind early, 64 connections) ─▶ access: who may call ─▶ page ─▶ Overview (the gateway's side)
//! ```
//!
//! It sees everything and decides nothing: what there is to see, and the two things that may be done, are an
//! [`Overview`] that the gateway provides.

mod access;
mod answer;
mod overview;
mod page;
mod server;
mod signals;
mod token;

#[cfg(test)]
mod tests;

pub use overview::{
    ClusterView, EndpointView, Fault, GenerationState, GenerationView, Overview, PluginView, Readiness, Refused,
    SignalView,
};
pub use server::{BindError, Server};
pub use signals::{Push, PushRefused};
pub use token::TokenError;
