//! From one attempt to the next: whether there is one, what it costs, and what is left behind.

use tokio::time::Instant;

use super::attempt::{Answer, AttemptError, Outgoing};
use super::record::Record;
use crate::cluster::{Cluster, Failure, Lease, SelectError, Stickiness, Tried};
use crate::http::{BodyEnd, BodyObserver as _};
use crate::policy::EndpointId;
use crate::telemetry::Counter;
use crate::upstream::ResponseContent;

/// An attempt that may not be the last.
pub(super) struct Failed {
    pub(super) why: Failure,
    /// What the client gets if it was.
    pub(super) outcome: Result<Answer, AttemptError>,
}

/// One request's way from endpoint to endpoint.
pub(super) struct RetryState<'a> {
    cluster: &'a Cluster,
    pub(super) tried: Tried,
    attempts: u32,
}

impl<'a> RetryState<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, tried: Tried::default(), attempts: 0 }
    }

    /// Takes note of an attempt at `endpoint` that came to `failure`. Whether there may be another.
    pub(super) fn should_retry(
        &mut self,
        endpoint: EndpointId,
        failure: Failure,
        outgoing: &Outgoing<'_>,
        record: &Record,
    ) -> bool {
        self.attempts += 1;
        self.tried.add(endpoint);
        let (method, is_whole) = (&outgoing.parts.method, outgoing.body.can_resend());
        let is_last = self.tried.count() >= self.cluster.members().len();
        if is_last || !self.cluster.retry().allows(failure, self.attempts, method, is_whole) {
            return false;
        }
        // Asked before another endpoint is chosen, which would count as chosen.
        let can_pay = failure == Failure::Connect || self.cluster.has_retry_budget(Instant::now());
        if !can_pay {
            record.metrics().increment(Counter::RetryDenied);
        }
        can_pay
    }

    /// Pays for an attempt after `failure`. The endpoint that could not be reached was sent nothing and is left alone now:
    /// going on to one that is healthy burdens nobody twice, and is free. Going from one paused endpoint to the next is
    /// not, nor is anything that was sent.
    pub(super) fn charge_budget(&self, failure: Failure, next: &Lease, record: &Record) -> bool {
        let is_free = failure == Failure::Connect && !next.is_forced();
        let paid = is_free || self.cluster.spend_retry(Instant::now());
        record.metrics().increment(match failure {
            _ if !paid => Counter::RetryDenied,
            Failure::Connect => Counter::RetryConnect,
            Failure::Timeout => Counter::RetryTimeout,
            Failure::Broken => Counter::RetryBroken,
            Failure::Status(_) => Counter::RetryStatus,
        });
        paid
    }
}

/// Leaves an attempt behind: an answer that nobody will see is taken note of.
pub(super) fn discard(outcome: Result<Answer, AttemptError>, cluster: &Cluster, record: &mut Record) {
    if let Ok(Answer { mut response, .. }) = outcome {
        record.reported(cluster, response.headers_mut());
        record.answered(response.status().as_u16());
        if let ResponseContent::Whole(..) = response.body() {
            record.body_ended(BodyEnd::Complete);
        }
    }
    record.sent_in_vain();
}

/// Counts what became of stickiness.
pub(super) fn count_stickiness(lease: &Lease, record: &Record) {
    let counter = match lease.stickiness() {
        None => return,
        Some(Stickiness::Hit) => Counter::StickyHit,
        Some(Stickiness::Miss) => Counter::StickyMiss,
        Some(Stickiness::Broken) => Counter::StickyBroken,
    };
    record.metrics().increment(counter);
}

/// Counts a request that nobody may take.
pub(super) fn count_unselected(error: SelectError, record: &Record) {
    if error == SelectError::Bound {
        record.metrics().increment(Counter::StickyBroken);
    }
}
