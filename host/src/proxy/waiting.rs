//! Waiting for an endpoint where none can take a request now (Apache's balancer `timeout`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::{Cluster, Lease, SelectError, Tried};
use crate::policy::RequestFacts;
use crate::telemetry::{Counter, Gauge, Metrics};

/// A wait is cut into so many tries, as Apache does: too many events make an endpoint usable to wait for each of them.
const TRIES: u32 = 100;
/// Between two tries: many requests that wait must not keep those from the cluster that could be served.
const SHORTEST: Duration = Duration::from_millis(10);
/// And no client is to notice that these are tries.
const LONGEST: Duration = Duration::from_millis(100);

/// How long one request waits, over all its attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndpointWait {
    /// None: not at all.
    until: Option<Instant>,
    step: Duration,
}

impl EndpointWait {
    /// That of a request which begins now.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let wait = cluster.recovery().wait;
        let step = (wait.unwrap_or_default() / TRIES).clamp(SHORTEST, LONGEST);
        // The clock is read only where requests wait at all.
        Self { until: wait.map(|wait| Instant::now() + wait), step }
    }

    /// Chooses an endpoint, now or as soon as one can take the request. Dropped, it waits no more.
    pub(super) async fn select(
        self,
        cluster: &Arc<Cluster>,
        facts: &RequestFacts,
        tried: &Tried,
        metrics: &Arc<Metrics>,
    ) -> Result<Lease, SelectError> {
        match self.try_select(cluster, facts, tried) {
            Some(chosen) => chosen,
            // Boxed: it is rare, and this future is moved with every connection.
            None => Box::pin(self.wait(cluster, facts, tried, metrics)).await,
        }
    }

    async fn wait(
        self,
        cluster: &Arc<Cluster>,
        facts: &RequestFacts,
        tried: &Tried,
        metrics: &Arc<Metrics>,
    ) -> Result<Lease, SelectError> {
        let _waiting = metrics.hold(Gauge::RequestsWaiting);
        loop {
            let next = Instant::now() + self.step;
            tokio::time::sleep_until(self.until.map_or(next, |until| until.min(next))).await;
            if let Some(chosen) = self.try_select(cluster, facts, tried) {
                metrics.increment(if chosen.is_ok() { Counter::WaitServed } else { Counter::WaitInVain });
                return chosen;
            }
        }
    }

    /// One try; none if another one later is worth it.
    fn try_select(
        self,
        cluster: &Arc<Cluster>,
        facts: &RequestFacts,
        tried: &Tried,
    ) -> Option<Result<Lease, SelectError>> {
        let chosen = cluster.select(facts, tried, cluster.now());
        // How long a client waits is the machine's time, as every timer is.
        let waits = |error| self.until.is_some_and(|until| Instant::now() < until) && cluster.may_pass(error, tried);
        match chosen {
            Err(error) if waits(error) => None,
            chosen => Some(chosen),
        }
    }
}
