//! Balance, connect, send: until an endpoint answers or none is left.

use std::sync::Arc;
use std::time::Duration;

use ::http::request::Parts;
use ::http::{Response, StatusCode};
use tokio::time::Instant;

use super::endpoint_fault::EndpointFault;
use super::head::{host_for, target_for};
use super::record::Record;
use super::retry::{self, Course, Failed, Source};
use super::snapshot::NoSuchEndpoint;
use super::waiting::Patience;
use super::{Destination, Rules, Timeouts};
use crate::cluster::{Failure, SelectError, is_idempotent};
use crate::http::Offer;
use crate::policy::RequestFacts;
use crate::telemetry::{Counter, limited};
use crate::upstream::{
    Broken, ConnectError, ConnectFault, Content, RequestBody, RequestHead, SendError, Unreadable, Upstream,
};

/// A request that can be sent, and sent again.
pub(super) struct Outgoing<'a> {
    pub(super) offer: Option<&'a Offer>,
    pub(super) parts: Parts,
    /// Ready for any endpoint, but for Host and what frames the body.
    pub(super) fields: Vec<u8>,
    /// Whether the client waits to be asked for its body.
    pub(super) expects: bool,
    pub(super) body: RequestBody,
    /// Where the body comes from when it is sent again.
    pub(super) source: Source,
    pub(super) routed: Option<&'a str>,
    pub(super) rules: &'a Rules,
    pub(super) timeouts: Timeouts,
}

/// Nobody answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    /// Nobody may take it.
    #[error("no endpoint: {0}")]
    Select(#[from] SelectError),
    /// Everybody who might was unreachable; this was the last.
    #[error(transparent)]
    Connect(ConnectError),
    /// The endpoint broke off, and the request may have been acted on.
    #[error("{0}")]
    Broken(Broken),
    /// The endpoint answered, and nobody can read that.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// No answer in time.
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    /// The client broke off its body.
    #[error("the client broke off its body")]
    ClientGone,
    /// The client sent nothing of its body for as long as the response timeout.
    #[error("the client stopped sending its body")]
    ClientStalled,
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
        match self {
            Self::Select(_) => (StatusCode::SERVICE_UNAVAILABLE, "no endpoint can take this request now"),
            Self::Connect(ConnectError { fault: ConnectFault::TimedOut(_), .. }) => {
                (StatusCode::GATEWAY_TIMEOUT, "no endpoint could be reached in time")
            }
            Self::Connect(_) => (StatusCode::SERVICE_UNAVAILABLE, "no endpoint could be reached"),
            Self::Broken(_) => (StatusCode::BAD_GATEWAY, "the endpoint broke off before it answered"),
            Self::Unreadable(_) => (StatusCode::BAD_GATEWAY, "the endpoint's answer could not be read"),
            Self::TimedOut(_) => (StatusCode::GATEWAY_TIMEOUT, "the endpoint did not answer in time"),
            Self::ClientStalled => (StatusCode::REQUEST_TIMEOUT, "the request body did not come in time"),
            Self::ClientGone => (StatusCode::BAD_REQUEST, "the request body was broken off"),
            Self::Target | Self::NoSuchEndpoint(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the request could not be routed")
            }
        }
    }
}

/// An answer and what it came by.
pub(super) struct Answer {
    pub(super) response: Response<Content>,
    pub(super) upstream: Arc<Upstream>,
}

/// Sends `outgoing` to an endpoint of `destination`. The lease of the one that answers stays in `record`.
///
/// An endpoint that cannot be reached is left for the next: nothing was sent, so nothing is lost. What else leads to the
/// next is for the cluster's policy to say ([`Retry`](crate::cluster::Retry)); an answer that cannot be read never does, for
/// whoever answers has acted. Without one, only a request that is safe to
/// repeat (RFC 9110 §9.2.2), whose body is whole and that went out on a reused connection is sent again, to the same
/// endpoint.
pub(super) async fn attempt(
    destination: &Destination,
    outgoing: &mut Outgoing<'_>,
    facts: &RequestFacts,
    record: &mut Record,
) -> Result<Answer, AttemptError> {
    let cluster = &destination.cluster;
    let mut course = Course::new(cluster);
    let patience = Patience::new(cluster);
    // Boxed: it is rare, and this future is moved with every connection.
    let mut last: Option<Box<Failed>> = None;
    loop {
        let lease = match patience.select(cluster, facts, &course.tried, record.metrics()).await {
            Ok(lease) => lease,
            Err(error) => {
                retry::count_unselected(error, record);
                return last.map_or(Err(AttemptError::Select(error)), |last| last.outcome);
            }
        };
        if let Some(failed) = last.take() {
            let Failed { why, outcome } = *failed;
            // More of the body may have come, and gone, while another endpoint was waited for.
            if why != Failure::Connect && !outgoing.source.is_whole() {
                return outcome;
            }
            if !course.pays(why, &lease, record) {
                return outcome;
            }
            retry::leave(outcome, cluster, record);
            if why != Failure::Connect {
                outgoing.body = outgoing.source.again();
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
            Err(ExchangeError::Unreachable(error)) => {
                record.metrics().increment(Counter::UpstreamFailed);
                let pause = record.take_lease().and_then(|lease| lease.unreachable(Instant::now()));
                let (cluster, (route, _)) = (cluster.name(), record.way());
                match pause {
                    Some(pause) => {
                        limited!(warn, of: (cluster, id), %cluster, route, %error, ?pause, "endpoint unreachable, left alone for now");
                    }
                    None => limited!(warn, of: (cluster, id), %cluster, route, %error, "endpoint unreachable"),
                }
                (Failure::Connect, Err(AttemptError::Connect(error)))
            }
            Err(ExchangeError::Failed(error)) => {
                if let Some(fault) = EndpointFault::of_attempt(&error) {
                    fault.tell(record);
                }
                let why = match &error {
                    AttemptError::Broken(_) => Failure::Broken,
                    AttemptError::TimedOut(_) => Failure::Timeout,
                    AttemptError::Unreadable(unreadable) => {
                        record.unreadable(unreadable);
                        return Err(error);
                    }
                    _ => return Err(error),
                };
                record.endpoint_broke();
                (why, Err(error))
            }
        };
        if !course.goes_on(id, why, outgoing, record) {
            return outcome;
        }
        last = Some(Box::new(Failed { why, outcome }));
    }
}

enum ExchangeError {
    /// Nothing was sent.
    Unreachable(ConnectError),
    /// Something may have been.
    Failed(AttemptError),
}

/// Sends to one endpoint: over connections that wait in its pool as long as those turn out to be dead, then a new one.
async fn exchange(
    upstream: &Arc<Upstream>,
    outgoing: &mut Outgoing<'_>,
    facts: &RequestFacts,
    record: &mut Record,
) -> Result<Response<Content>, ExchangeError> {
    let target = target_for(upstream, outgoing.routed, facts, &outgoing.parts.uri)
        .ok_or(ExchangeError::Failed(AttemptError::Target))?;
    let host = host_for(outgoing.rules, facts, upstream);
    let mut may_reuse = outgoing.offer.is_none();
    loop {
        let waiting = if may_reuse { upstream.waiting() } else { None };
        let connection = match waiting {
            Some(connection) => {
                record.metrics().increment(Counter::UpstreamReused);
                connection
            }
            None => {
                let connection =
                    upstream.connect(outgoing.timeouts.connect).await.map_err(ExchangeError::Unreachable)?;
                record.connected();
                connection
            }
        };
        let reused = connection.is_reused();
        let repeatable = reused && is_idempotent(&outgoing.parts.method);
        let body = std::mem::replace(&mut outgoing.body, RequestBody::Empty);
        if let Some(progress) = body.progress() {
            record.uploads(progress.clone());
        }
        let method = &outgoing.parts.method;
        let (fields, expects) = (&outgoing.fields, outgoing.expects);
        let head = RequestHead { method, target: &target, host: &host, fields, expects };
        let error = match connection.send(head, body, outgoing.timeouts.response, upstream).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        return Err(match error {
            SendError::NotSent(body, _) if reused => {
                outgoing.body = body;
                continue;
            }
            SendError::NotSent(body, broken) => {
                outgoing.body = body;
                let fault = ConnectFault::Closed(broken);
                ExchangeError::Unreachable(ConnectError { url: upstream.url().clone(), fault })
            }
            // Nothing came: it may have closed the connection just before the request was there.
            SendError::Broken(Broken::Closed | Broken::Io(_)) if repeatable && outgoing.source.is_whole() => {
                outgoing.body = outgoing.source.again();
                may_reuse = false;
                continue;
            }
            SendError::Broken(broken) => ExchangeError::Failed(AttemptError::Broken(broken)),
            SendError::Unreadable(unreadable) => ExchangeError::Failed(AttemptError::Unreadable(unreadable)),
            SendError::TimedOut => ExchangeError::Failed(AttemptError::TimedOut(outgoing.timeouts.response)),
            SendError::ClientGone(_) => ExchangeError::Failed(AttemptError::ClientGone),
            SendError::ClientStalled => ExchangeError::Failed(AttemptError::ClientStalled),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::EndpointId;

    #[test]
    fn a_choice_that_does_not_exist_is_reported_as_that() {
        let error = AttemptError::from(NoSuchEndpoint(EndpointId(3)));

        assert_eq!(error.to_string(), "the cluster has no endpoint with the id 3");
        assert_eq!(error.reply().0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
