//! From one attempt to the next: whether there is one, what it costs, and what is left behind.

use super::endpoint_fault::EndpointFault;
use super::failure::RequestFailure;
use super::in_flight::InFlight;
use super::outgoing::{EndpointResponse, Outgoing};
use crate::cluster::{Cluster, Failure, Lease, Tried};
use crate::policy::EndpointId;
use crate::telemetry::{Counter, Metrics, limited};
use crate::upstream::{ConnectError, ExchangeCause, FaultOf, ResponseContent, Sent, Unsendable};

/// An attempt that may not be the last.
pub(super) struct FailedAttempt {
    pub(super) why: Failure,
    /// What the client gets if it was.
    pub(super) outcome: Result<EndpointResponse, RequestFailure>,
}

/// One request's way from endpoint to endpoint.
pub(super) struct RetryState<'a> {
    cluster: &'a Cluster,
    pub(super) tried: Tried,
    attempts: u32,
    /// Who refused the request last, and did not act on it.
    refused: Option<EndpointId>,
    /// That endpoint was asked once more.
    has_asked_again: bool,
}

impl<'a> RetryState<'a> {
    /// Nothing was tried yet.
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, tried: Tried::default(), attempts: 0, refused: None, has_asked_again: false }
    }

    /// Holds against `endpoint` what it did wrong. Why it might be worth to try another one; none if this is the
    /// outcome.
    pub(super) fn judge(
        &self,
        endpoint: EndpointId,
        outcome: &Result<EndpointResponse, RequestFailure>,
        in_flight: &mut InFlight,
    ) -> Option<Failure> {
        let error = match outcome {
            Ok(EndpointResponse { response, .. }) => {
                let status = response.status().as_u16();
                return self.cluster.retry().repeats_status(status).then_some(Failure::Status(status));
            }
            Err(RequestFailure::Exchange(error)) if error.fault == FaultOf::Endpoint => error,
            Err(_) => return None,
        };
        if let Some(fault) = EndpointFault::of_exchange(&error.cause) {
            in_flight.log_fault(&fault);
        }
        let failure = match &error.cause {
            ExchangeCause::Connect(error) => {
                self.leave_alone(endpoint, error, in_flight);
                return Some(Failure::Connect);
            }
            // Nor could any other be asked for it, which is spoken to in the same protocol.
            ExchangeCause::Unsendable(Unsendable::Head(_)) => {
                drop(in_flight.take_lease());
                return None;
            }
            // It is alive, and acts on nothing of it: another one may have the request at once, if its body is whole.
            ExchangeCause::Refused | ExchangeCause::Unsendable(_) => {
                drop(in_flight.take_lease());
                return (error.sent == Sent::Nothing).then_some(Failure::Connect);
            }
            ExchangeCause::Unreadable(unreadable) => {
                in_flight.fail_unreadable(unreadable);
                return None;
            }
            ExchangeCause::TimedOut(_) => Failure::Timeout,
            ExchangeCause::Broken(_) | ExchangeCause::BodyStalled | ExchangeCause::BodyBroken(_) => Failure::Broken,
        };
        in_flight.fail_endpoint();
        Some(failure)
    }

    /// Gives the claim on an endpoint back that could not be reached; the cluster may leave it alone for a while.
    fn leave_alone(&self, endpoint: EndpointId, error: &ConnectError, in_flight: &mut InFlight) {
        in_flight.metrics().increment(Counter::UpstreamFailed);
        let pause = in_flight.take_lease().and_then(|lease| lease.unreachable());
        let (cluster, (route, _)) = (self.cluster.name(), in_flight.record.route_and_cluster());
        match pause {
            Some(pause) => {
                limited!(
                    warn, of: (cluster, endpoint), %cluster, route, %error, ?pause,
                    "endpoint unreachable, left alone for now"
                );
            }
            None => limited!(warn, of: (cluster, endpoint), %cluster, route, %error, "endpoint unreachable"),
        }
    }

    /// Takes note of an attempt at `endpoint` that has `failed`. Whether there may be another.
    pub(super) fn should_retry(
        &mut self,
        endpoint: EndpointId,
        failed: &FailedAttempt,
        outgoing: &Outgoing<'_>,
        metrics: &Metrics,
    ) -> bool {
        self.attempts += 1;
        self.tried.add(endpoint);
        if failed.is_refused() {
            self.refused = Some(endpoint);
        }
        let failure = failed.why;
        let (method, can_resend) = (&outgoing.parts.method, outgoing.body.can_resend());
        if !self.cluster.retry().allows(failure, self.attempts, method, can_resend) {
            return false;
        }
        if self.tried.count() >= self.cluster.members().len() && !self.ask_again() {
            return false;
        }
        // Asked before another endpoint is chosen, which would count as chosen.
        let can_pay = failure == Failure::Connect || self.cluster.has_retry_budget();
        if !can_pay {
            metrics.increment(Counter::RetryDenied);
        }
        can_pay
    }

    /// No other endpoint is left to try. Whether one that refused the request without acting on it may be asked once more
    /// (RFC 9113 §8.7): it may have had too much to do for that moment alone.
    pub(super) fn ask_again(&mut self) -> bool {
        let Some(refused) = self.refused.take() else { return false };
        if std::mem::replace(&mut self.has_asked_again, true) || !self.cluster.has_retry_budget() {
            return false;
        }
        self.tried.remove(refused);
        true
    }

    /// Charges the cluster's budget for an attempt after `failure`: whether that has enough. The endpoint that could
    /// not be reached was sent nothing and is left alone now: going on to one that is healthy burdens neither of them
    /// twice, and is free. Going from one paused endpoint to the next is not, nor is asking one again, nor anything that was
    /// sent.
    pub(super) fn charge_budget(&self, failure: Failure, next: &Lease, metrics: &Metrics) -> bool {
        let is_free = failure == Failure::Connect && !next.is_forced() && !self.has_asked_again;
        charge(self.cluster, failure, is_free, metrics)
    }
}

/// Charges the budget of `cluster` for an attempt after `failure`, unless that is free, and counts it. Whether there may be
/// one.
pub(super) fn charge(cluster: &Cluster, failure: Failure, is_free: bool, metrics: &Metrics) -> bool {
    let paid = is_free || cluster.spend_retry();
    metrics.increment(match failure {
        _ if !paid => Counter::RetryDenied,
        Failure::Connect => Counter::RetryConnect,
        Failure::Timeout => Counter::RetryTimeout,
        Failure::Broken => Counter::RetryBroken,
        Failure::Status(_) => Counter::RetryStatus,
    });
    paid
}

impl FailedAttempt {
    /// Whether its endpoint did not act on the request, of which all is there to be sent again.
    fn is_refused(&self) -> bool {
        let Err(RequestFailure::Exchange(error)) = &self.outcome else { return false };
        matches!(error.cause, ExchangeCause::Refused) && error.sent == Sent::Nothing
    }

    /// Leaves the attempt behind: what its endpoint responded counts for it, although the client never sees that.
    pub(super) fn discard(self, cluster: &Cluster, in_flight: &mut InFlight) {
        if let Ok(EndpointResponse { mut response, .. }) = self.outcome {
            in_flight.take_load_report(cluster, response.headers_mut());
            in_flight.responded(response.status());
            if let ResponseContent::Whole(..) = response.body() {
                in_flight.complete();
            }
        }
        in_flight.settle_upload();
    }
}
