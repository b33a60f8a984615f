//! A cluster's live numbers as balancers may pull them.

use std::sync::Arc;

use super::{Live, Signals};
use crate::policy::{ClusterNumbers, EndpointIds, Metric};

/// Columns over the members of one cluster, in the order of their ids.
#[derive(Debug)]
pub struct Numbers {
    members: Vec<Arc<Live>>,
    signals: Arc<Signals>,
}

impl Numbers {
    /// Columns over `members`, which report nothing about themselves.
    #[must_use]
    pub fn new(members: Vec<Arc<Live>>) -> Self {
        Self { members, signals: Arc::default() }
    }

    /// The same, of endpoints that report `signals`.
    #[must_use]
    pub fn with_signals(self, signals: Arc<Signals>) -> Self {
        Self { signals, ..self }
    }

    fn of<'a>(&'a self, eligible: &'a EndpointIds) -> impl Iterator<Item = Option<&'a Live>> {
        eligible.iter().map(|id| id.of(&self.members).map(Arc::as_ref))
    }
}

impl ClusterNumbers for Numbers {
    fn column(&self, metric: Metric, eligible: &EndpointIds) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are exact to 2^53 by contract")]
        let value = |live: &Live| match metric {
            Metric::Picks => live.picks() as f64,
            Metric::Sent => live.sent() as f64,
            Metric::Received => live.received() as f64,
            Metric::Failures => live.failures() as f64,
            Metric::Latency => live.latency(),
            Metric::Latest => live.latest(),
        };
        self.of(eligible).map(|live| live.map_or(f64::NAN, value)).collect()
    }

    fn signal(&self, name: &str, eligible: &EndpointIds) -> Vec<f64> {
        self.signals.column(name, self.of(eligible))
    }
}
