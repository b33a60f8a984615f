//! A cluster's live numbers as balancers may pull them.

use std::sync::Arc;

use super::Live;
use crate::policy::{ClusterNumbers, Metric};

/// Columns over the members of one cluster, in the order of their ids.
#[derive(Debug)]
pub struct Numbers(Vec<Arc<Live>>);

impl Numbers {
    /// Columns over `members`.
    #[must_use]
    pub fn new(members: Vec<Arc<Live>>) -> Self {
        Self(members)
    }
}

impl ClusterNumbers for Numbers {
    fn column(&self, metric: Metric, eligible: &[u32]) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are exact to 2^53 by contract")]
        let value = |live: &Live| match metric {
            Metric::Picks => live.picks() as f64,
            Metric::Sent => live.sent() as f64,
            Metric::Received => live.received() as f64,
            Metric::Failures => live.failures() as f64,
            Metric::Latency => live.latency(),
            Metric::Latest => live.latest(),
        };
        let of = |id: &u32| self.0.get(*id as usize).map_or(f64::NAN, |live| value(live));
        eligible.iter().map(of).collect()
    }

    /// Endpoints report nothing about themselves yet: every signal is unknown.
    fn signal(&self, _name: &str, eligible: &[u32]) -> Vec<f64> {
        vec![f64::NAN; eligible.len()]
    }
}
