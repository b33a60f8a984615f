//! Waiting for an endpoint where none can take a request now (Apache's balancer `timeout`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::{Cluster, Lease, SelectError, Tried};
use crate::policy::RequestFacts;
use crate::telemetry::{Counter, Gauge, Metrics};

/// A wait is cut into so many looks, as Apache does: what makes an endpoint usable is said in too many places to be told.
const LOOKS: u32 = 100;
/// Between two looks: many who wait must not keep those from the cluster who could be served.
const SHORTEST: Duration = Duration::from_millis(10);
/// And nobody is to notice that these are looks.
const LONGEST: Duration = Duration::from_millis(100);

/// How long one request waits, over all its attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    until: Instant,
    step: Duration,
}

impl Patience {
    /// That of a request which begins now.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let wait = cluster.recovery().wait.unwrap_or_default();
        Self { until: Instant::now() + wait, step: (wait / LOOKS).clamp(SHORTEST, LONGEST) }
    }

    /// Chooses an endpoint, now or as soon as one can take the request. Dropped, it waits no more.
    pub(super) async fn select(
        self,
        cluster: &Arc<Cluster>,
        facts: &mut RequestFacts,
        tried: &Tried,
        metrics: &Arc<Metrics>,
    ) -> Result<Lease, SelectError> {
        let now = Instant::now();
        match cluster.select(facts, tried, now) {
            Err(error) if now < self.until && cluster.may_pass(error, tried) => {
                // Boxed: it is rare, and this future is moved with every connection.
                Box::pin(self.wait(cluster, facts, tried, metrics)).await
            }
            chosen => chosen,
        }
    }

    async fn wait(
        self,
        cluster: &Arc<Cluster>,
        facts: &mut RequestFacts,
        tried: &Tried,
        metrics: &Arc<Metrics>,
    ) -> Result<Lease, SelectError> {
        let _waiting = metrics.hold(Gauge::RequestsWaiting);
        loop {
            tokio::time::sleep_until(self.until.min(Instant::now() + self.step)).await;
            let now = Instant::now();
            match cluster.select(facts, tried, now) {
                Err(error) if now < self.until && cluster.may_pass(error, tried) => {}
                chosen => {
                    metrics.increment(if chosen.is_ok() { Counter::WaitServed } else { Counter::WaitInVain });
                    return chosen;
                }
            }
        }
    }
}
