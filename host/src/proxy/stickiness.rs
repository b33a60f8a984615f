//! What becomes of a client's wish to stay with an endpoint: its cookie, and the counts.

use ::http::HeaderValue;

use crate::cluster::{Cluster, Lease, SelectError, Stickiness};
use crate::policy::{RequestFacts, Scheme};
use crate::telemetry::{Counter, Metrics};

/// What the client's cookie is to say from now on, if that is something else; and counts what became of its wish.
pub(super) fn cookie(lease: &Lease, cluster: &Cluster, facts: &RequestFacts, metrics: &Metrics) -> Option<HeaderValue> {
    match lease.stickiness() {
        None => {}
        Some(Stickiness::Hit) => metrics.increment(Counter::StickyHit),
        Some(Stickiness::Miss) => metrics.increment(Counter::StickyMiss),
        Some(Stickiness::Broken) => metrics.increment(Counter::StickyBroken),
    }
    cluster.set_cookie(facts, lease.endpoint(), facts.scheme == Scheme::Https)
}

/// Counts a request that no endpoint may take.
pub(super) fn count_unselected(error: SelectError, metrics: &Metrics) {
    if error == SelectError::StickyUnavailable {
        metrics.increment(Counter::StickyBroken);
    }
}
