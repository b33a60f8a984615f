//! Plugins that misbehave: the gateway goes on, and counts.
//!
//! The guests in `tests/guests` misbehave for requests with the header `x-misbehave` only, so that they pass the
//! gateway's own test before they go live.

mod balancers;
mod files;
mod routers;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{Gateway, get, upgrade_request};

/// A GET that makes a guest misbehave.
pub(crate) fn provoking(path: &str) -> Request<Full<Bytes>> {
    let mut request = get(path);
    request.headers_mut().insert("x-misbehave", "yes".parse().unwrap());
    request
}

/// A websocket handshake that makes a guest misbehave.
pub(crate) fn provoking_upgrade(path: &str) -> Request<()> {
    let mut request = upgrade_request(path);
    request.headers_mut().insert("x-misbehave", "yes".parse().unwrap());
    request
}

/// Faults of `plugin` so far, of every kind.
fn faults(gateway: &Gateway, plugin: &str, role: &str) -> f64 {
    let kinds = ["deadline", "trap", "memory", "answer", "unavailable"];
    kinds.iter().map(|kind| faults_of(gateway, plugin, role, kind)).sum()
}

/// Faults of `plugin` so far, of one kind.
fn faults_of(gateway: &Gateway, plugin: &str, role: &str, kind: &str) -> f64 {
    let labels = format!("plugin=\"{plugin}\",role=\"{role}\",kind=\"{kind}\"");
    gateway.metric(&format!("tidegate_plugin_faults_total{{{labels}}}"))
}
