//! Balance, connect, send: until an endpoint responds or none is left.

use super::Destination;
use super::failure::RequestFailure;
use super::in_flight::InFlight;
use super::outgoing::{EndpointResponse, Outgoing};
use super::retry::{FailedAttempt, RetryState};
use super::stickiness;
use super::waiting::EndpointWait;
use crate::cluster::Failure;
use crate::policy::RequestFacts;

/// Sends `outgoing` to an endpoint of `destination`. The lease of the one that responds stays in `in_flight`.
///
/// An endpoint that cannot be reached is left for the next: nothing was sent, so nothing is lost. What else leads to
/// the next is for the cluster's policy to say ([`Retry`](crate::cluster::Retry)); a response that cannot be read never
/// does, for the endpoint has acted on the request. Where no other is left, one that refused without acting is asked once
/// more.
///
/// # Errors
/// [`RequestFailure`]: what became of the last endpoint, or why there was none.
pub(super) async fn attempt(
    destination: &Destination,
    outgoing: &mut Outgoing<'_>,
    facts: &RequestFacts,
    in_flight: &mut InFlight,
) -> Result<EndpointResponse, RequestFailure> {
    let cluster = &destination.cluster;
    let mut state = RetryState::new(cluster);
    let wait = EndpointWait::new(cluster);
    // Boxed: it is rare, and this future is moved with every connection.
    let mut last: Option<Box<FailedAttempt>> = None;
    loop {
        let lease = match wait.select(cluster, facts, &state.tried, in_flight.metrics()).await {
            Ok(lease) => lease,
            Err(_none) if last.is_some() && state.ask_again() => continue,
            Err(error) => {
                stickiness::count_unselected(error, in_flight.metrics());
                return last.map_or(Err(RequestFailure::NoEndpoint(error)), |last| last.outcome);
            }
        };
        if let Some(failed) = last.take() {
            // More of the body may have come, and gone, while another endpoint was waited for.
            if failed.why != Failure::Connect && !outgoing.body.can_resend() {
                return failed.outcome;
            }
            if !state.charge_budget(failed.why, &lease, in_flight.metrics()) {
                return failed.outcome;
            }
            if failed.why != Failure::Connect {
                outgoing.body.rewind();
            }
            failed.discard(cluster, in_flight);
        }
        let endpoint = lease.endpoint();
        in_flight.begin_attempt(lease);
        let outcome = outgoing.send(destination.upstream(endpoint)?, facts, in_flight).await;
        let Some(why) = state.judge(endpoint, &outcome, in_flight) else { return outcome };
        let failed = FailedAttempt { why, outcome };
        if !state.should_retry(endpoint, &failed, outgoing, in_flight.metrics()) {
            return failed.outcome;
        }
        last = Some(Box::new(failed));
    }
}
