//! Balance, connect, send: until an endpoint answers or none is left.

use std::sync::Arc;

use ::http::request::Parts;
use ::http::{Response, StatusCode};
use tokio::time::Instant;

use super::endpoint_fault::EndpointFault;
use super::head::{host_for, target_for};
use super::record::Record;
use super::retry::{self, Failed, RetryState};
use super::snapshot::NoSuchEndpoint;
use super::waiting::EndpointWait;
use super::{Destination, Rules, Timeouts};
use crate::cluster::{Failure, SelectError};
use crate::http::{Fields, Offer};
use crate::policy::{EndpointId, RequestFacts};
use crate::telemetry::{Counter, limited};
use crate::upstream::{
    ConnectError, ConnectFault, ExchangeCause, ExchangeError, ExchangeLimits, RequestHead, ResendableBody,
    ResponseContent, Upstream,
};

/// A request that can be sent, and sent again.
pub(super) struct Outgoing<'a> {
    pub(super) offer: Option<&'a Offer>,
    pub(super) parts: Parts,
    /// The same for every endpoint.
    pub(super) fields: Fields<'a>,
    /// Whether the client waits to be asked for its body.
    pub(super) expects_continue: bool,
    pub(super) body: ResendableBody,
    pub(super) routed: Option<&'a str>,
    pub(super) rules: &'a Rules,
    pub(super) timeouts: Timeouts,
}

/// No endpoint responded.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    /// None may take the request.
    #[error("no endpoint: {0}")]
    Select(#[from] SelectError),
    /// This became of the last one that was tried.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// What the router asked to send is no request target.
    #[error("the routed path is no request target")]
    Target,
    /// What was chosen cannot be reached, for it does not exist.
    #[error(transparent)]
    NoSuchEndpoint(#[from] NoSuchEndpoint),
}

impl AttemptError {
    /// Status and sentence for the client.
    pub(super) fn reply(&self) -> (StatusCode, &'static str) {
        let cause = match self {
            Self::Select(_) => return (StatusCode::SERVICE_UNAVAILABLE, "no endpoint can take this request now"),
            Self::Target | Self::NoSuchEndpoint(_) => {
                return (StatusCode::SERVICE_UNAVAILABLE, "the request could not be routed");
            }
            Self::Exchange(error) => &error.cause,
        };
        match cause {
            ExchangeCause::Connect(ConnectError { fault: ConnectFault::TimedOut(_), .. }) => {
                (StatusCode::GATEWAY_TIMEOUT, "no endpoint could be reached in time")
            }
            ExchangeCause::Connect(_) => (StatusCode::SERVICE_UNAVAILABLE, "no endpoint could be reached"),
            ExchangeCause::Broken(_) => (StatusCode::BAD_GATEWAY, "the endpoint broke off before it answered"),
            ExchangeCause::Unreadable(_) => (StatusCode::BAD_GATEWAY, "the endpoint's answer could not be read"),
            ExchangeCause::TimedOut(_) => (StatusCode::GATEWAY_TIMEOUT, "the endpoint did not answer in time"),
            ExchangeCause::BodyStalled => (StatusCode::REQUEST_TIMEOUT, "the request body did not come in time"),
            ExchangeCause::BodyBroken(_) => (StatusCode::BAD_REQUEST, "the request body was broken off"),
        }
    }
}

/// An answer and what it came by.
pub(super) struct Answer {
    pub(super) response: Response<ResponseContent>,
    pub(super) upstream: Arc<Upstream>,
}

/// Sends `outgoing` to an endpoint of `destination`. The lease of the one that responds stays in `record`.
///
/// An endpoint that cannot be reached is left for the next: nothing was sent, so nothing is lost. What else leads to the
/// next is for the cluster's policy to say ([`Retry`](crate::cluster::Retry)); a response that cannot be read never does, for
/// the endpoint has acted on the request.
pub(super) async fn attempt(
    destination: &Destination,
    outgoing: &mut Outgoing<'_>,
    facts: &RequestFacts,
    record: &mut Record,
) -> Result<Answer, AttemptError> {
    let cluster = &destination.cluster;
    let mut state = RetryState::new(cluster);
    let wait = EndpointWait::new(cluster);
    // Boxed: it is rare, and this future is moved with every connection.
    let mut last: Option<Box<Failed>> = None;
    loop {
        let lease = match wait.select(cluster, facts, &state.tried, record.metrics()).await {
            Ok(lease) => lease,
            Err(error) => {
                retry::count_unselected(error, record);
                return last.map_or(Err(AttemptError::Select(error)), |last| last.outcome);
            }
        };
        if let Some(failed) = last.take() {
            let Failed { why, outcome } = *failed;
            // More of the body may have come, and gone, while another endpoint was waited for.
            if why != Failure::Connect && !outgoing.body.can_resend() {
                return outcome;
            }
            if !state.charge_budget(why, &lease, record) {
                return outcome;
            }
            retry::discard(outcome, cluster, record);
            if why != Failure::Connect {
                outgoing.body.rewind();
            }
        }
        let id = lease.endpoint();
        record.attempt(lease);
        let upstream = destination.upstream(id)?;
        let (why, outcome) = match exchange(upstream, outgoing, facts, record).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let answer = Answer { response, upstream: upstream.clone() };
                if !cluster.retry().repeats_status(status) {
                    return Ok(answer);
                }
                (Failure::Status(status), Ok(answer))
            }
            Err(error) => {
                let failure = after_failure(&error, id, cluster.name(), record);
                match failure {
                    Some(why) => (why, Err(error)),
                    None => return Err(error),
                }
            }
        };
        if !state.should_retry(id, why, outgoing, record) {
            return outcome;
        }
        last = Some(Box::new(Failed { why, outcome }));
    }
}

/// Sends to one endpoint.
async fn exchange(
    upstream: &Arc<Upstream>,
    outgoing: &mut Outgoing<'_>,
    facts: &RequestFacts,
    record: &mut Record,
) -> Result<Response<ResponseContent>, AttemptError> {
    let Outgoing { offer, parts, fields, expects_continue, body, routed, rules, timeouts } = outgoing;
    let target = target_for(upstream, *routed, facts, &parts.uri).ok_or(AttemptError::Target)?;
    let host = host_for(rules, facts, upstream);
    let head = RequestHead {
        method: &parts.method,
        target: &target,
        authority: &host,
        fields,
        offer: *offer,
        expects_continue: *expects_continue,
    };
    let limits = ExchangeLimits { connect: timeouts.connect, response: timeouts.response };
    Ok(upstream.exchange(head, body, limits, record).await?)
}

/// Takes note of what an endpoint did wrong. What it means for another attempt; none if there is to be none.
fn after_failure(
    error: &AttemptError,
    endpoint: EndpointId,
    cluster: &Arc<str>,
    record: &mut Record,
) -> Option<Failure> {
    let AttemptError::Exchange(exchange) = error else { return None };
    if let Some(fault) = EndpointFault::of_exchange(&exchange.cause) {
        fault.tell(record);
    }
    let failure = match &exchange.cause {
        ExchangeCause::Connect(error) => {
            record.metrics().increment(Counter::UpstreamFailed);
            let pause = record.take_lease().and_then(|lease| lease.unreachable(Instant::now()));
            let (route, _) = record.way();
            match pause {
                Some(pause) => {
                    limited!(warn, of: (cluster, endpoint), %cluster, route, %error, ?pause, "endpoint unreachable, left alone for now");
                }
                None => limited!(warn, of: (cluster, endpoint), %cluster, route, %error, "endpoint unreachable"),
            }
            return Some(Failure::Connect);
        }
        ExchangeCause::Broken(_) => Failure::Broken,
        ExchangeCause::TimedOut(_) => Failure::Timeout,
        ExchangeCause::Unreadable(unreadable) => {
            record.unreadable(unreadable);
            return None;
        }
        ExchangeCause::BodyStalled | ExchangeCause::BodyBroken(_) => return None,
    };
    record.endpoint_broke();
    Some(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_that_does_not_exist_is_reported_as_that() {
        let error = AttemptError::from(NoSuchEndpoint(EndpointId(3)));

        assert_eq!(error.to_string(), "the cluster has no endpoint with the id 3");
        assert_eq!(error.reply().0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
