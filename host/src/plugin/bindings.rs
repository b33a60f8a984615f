//! The contract as Rust types, generated from `plugin-sdk/wit`; and the little that turns ours into theirs.
//!
//! Each exported interface is looked up on its own (`GuestIndices`), so that every one of them is optional.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../plugin-sdk/wit/v0.1",
    world: "everything",
    imports: {
        "tidegate:plugin/body@0.1.0.blocks": trappable,
        "tidegate:plugin/body@0.1.0.field": trappable,
        "tidegate:plugin/body@0.1.0.first": trappable,
        "tidegate:plugin/edits@0.1.0.append": trappable,
        "tidegate:plugin/edits@0.1.0.remove": trappable,
        "tidegate:plugin/edits@0.1.0.set": trappable,
        "tidegate:plugin/limit@0.1.0.take": trappable,
        "tidegate:plugin/metrics@0.1.0.count": trappable,
        "tidegate:plugin/metrics@0.1.0.level": trappable,
        "tidegate:plugin/metrics@0.1.0.observe": trappable,
        "tidegate:plugin/notes@0.1.0.note": trappable,
        "tidegate:plugin/system@0.1.0.exit": trappable,
    },
});

pub use self::tidegate::plugin::{
    body, chance, clock, columns, counters, edits, limit, log, metrics, notes, request, system, table, types,
};
pub use exports::tidegate::plugin::*;

use crate::policy::{Endpoint, Metric, RequestFacts, Scheme};

impl From<columns::Metric> for Metric {
    fn from(metric: columns::Metric) -> Self {
        match metric {
            columns::Metric::Picks => Self::Picks,
            columns::Metric::Sent => Self::Sent,
            columns::Metric::Received => Self::Received,
            columns::Metric::Failures => Self::Failures,
            columns::Metric::Latency => Self::Latency,
            columns::Metric::Latest => Self::Latest,
        }
    }
}

impl From<&Endpoint> for types::Endpoint {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.name.clone(),
            weight: endpoint.weight,
            group: endpoint.group,
            route: endpoint.route.clone(),
            labels: endpoint.labels.clone(),
        }
    }
}

impl From<Scheme> for types::Scheme {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Http => Self::Http,
            Scheme::Https => Self::Https,
        }
    }
}

impl From<&RequestFacts> for types::RequestLine {
    fn from(facts: &RequestFacts) -> Self {
        Self {
            method: facts.method.as_str().to_owned(),
            scheme: facts.scheme.into(),
            host: facts.host().into_owned(),
            path: facts.path.clone(),
            query: facts.query.clone(),
            upgrade: facts.upgrade.as_ref().map(ToString::to_string),
        }
    }
}
