//! Which cluster, which path, or a response right away.

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{BodySight, ClusterId, Effects, Fault, RequestFacts, RouteId, wire};

/// Decides where a request goes.
pub trait Router: Send + Sync {
    /// Decides for one request.
    ///
    /// # Errors
    /// A [`Fault`] if the router failed; the request must then be refused (503): guessing here is a security hole.
    fn route(&self, request: &RequestFacts) -> Result<Routed, Fault>;

    /// How much of a request's body it wants to see before it decides; none: its decisions wait for no body.
    fn sight(&self) -> Option<BodySight> {
        None
    }
}

/// A decision, and what was done beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// Where the request goes.
    pub decision: Decision,
    /// Edits and notes.
    pub effects: Effects,
}

impl From<Decision> for Routed {
    fn from(decision: Decision) -> Self {
        Self { decision, effects: Effects::default() }
    }
}

/// What a router may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Send it to a cluster.
    Forward(ForwardTarget),
    /// Respond right away.
    Respond(DirectResponse),
    /// No rule matched: 404.
    Unmatched,
    /// It is left to the next router, or behind the last one to where the route leads.
    Next,
}

/// Where to, already checked against what exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardTarget {
    /// Cluster of the generation.
    pub cluster: ClusterId,
    /// Path and query to send; none sends the client's as they came. Starts with `/`, no control characters or blanks.
    pub path: Option<String>,
    /// The `[[route]]` whose settings apply.
    pub route: Option<RouteId>,
}

/// A response that needs no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectResponse {
    /// 200 to 599.
    #[serde(with = "wire::status")]
    pub status: StatusCode,
    /// Without hop-by-hop and framing fields.
    #[serde(with = "wire::headers")]
    pub headers: HeaderMap,
    /// At most 1 MiB.
    #[serde(with = "wire::bytes")]
    pub body: Bytes,
}
