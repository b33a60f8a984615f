//! Balance, connect, send: until an endpoint answers or none is left.

use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::head::{prepare_request, set_host, target_for};
use super::record::Record;
use super::retry::{self, Course, Failed, Source};
use super::waiting::Patience;
use super::{Client, Destination, Rules, Snapshot, Timeouts};
use crate::cluster::{Failure, SelectError, is_idempotent};
use crate::http::Offer;
use crate::policy::RequestFacts;
use crate::telemetry::Counter;
use crate::upstream::{ConnectError, ConnectFault, Connection, Progress, RequestBody, SendError, Upstream};

/// A request that can be sent, and sent again.
pub(super) struct Outgoing<'a> {
    pub(super) client: &'a Client,
    pub(super) snapshot: &'a Snapshot,
    pub(super) offer: Option<&'a Offer>,
    pub(super) parts: Parts,
    /// Ready for any endpoint, but for Host.
    pub(super) headers: HeaderMap,
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
    #[error("endpoint broke off: {0}")]
    Broken(hyper::Error),
    /// No answer in time.
    #[error("no answer within the response timeout")]
    TimedOut,
    /// The client broke off its body.
    #[error("the client broke off its body")]
    ClientGone,
    /// The client sent nothing of its body for as long as the response timeout.
    #[error("the client stopped sending its body")]
    ClientStalled,
    /// What the router asked to send is no request target.
    #[error("the routed path is no request target")]
    Target,
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
            Self::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "the endpoint did not answer in time"),
            Self::ClientStalled => (StatusCode::REQUEST_TIMEOUT, "the request body did not come in time"),
            Self::ClientGone => (StatusCode::BAD_REQUEST, "the request body was broken off"),
            Self::Target => (StatusCode::SERVICE_UNAVAILABLE, "the request could not be routed"),
        }
    }
}

/// An answer and what it came by.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) connection: Connection,
}

/// Sends `outgoing` to an endpoint of `destination`. The lease of the one that answers stays in `record`.
///
/// An endpoint that cannot be reached is left for the next: nothing was sent, so nothing is lost. What else leads to the
/// next is for the cluster's policy to say ([`Retry`](crate::cluster::Retry)). Without one, only a request that is safe to
/// repeat (RFC 9110 §9.2.2), whose body is whole and that went out on a reused connection is sent again, to the same
/// endpoint.
pub(super) async fn attempt(
    destination: &Destination,
    mut outgoing: Outgoing<'_>,
    facts: &mut RequestFacts,
    record: &mut Record,
) -> Result<Answer, AttemptError> {
    let cluster = &destination.cluster;
    outgoing.prepare(facts);
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
            if !course.pays(why, &lease, record) {
                return outcome;
            }
            retry::leave(outcome, cluster, record);
            if why != Failure::Connect {
                outgoing.rewind(facts);
            }
        }
        let id = lease.endpoint();
        record.attempt(lease);
        let Some(upstream) = destination.upstreams.get(id as usize) else { return Err(AttemptError::Target) };
        let (why, outcome) = match exchange(upstream, &mut outgoing, facts, record).await {
            Ok((response, connection)) => {
                let status = response.status().as_u16();
                let answer = Answer { response, upstream: upstream.clone(), connection };
                if !cluster.retry().repeats_status(status) {
                    return Ok(answer);
                }
                (Failure::Status(status), Ok(answer))
            }
            Err(ExchangeError::Unreachable(error)) => {
                record.metrics().increment(Counter::UpstreamFailed);
                if let Some(pause) = record.take_lease().and_then(|lease| lease.unreachable(Instant::now())) {
                    let cluster = cluster.name();
                    tracing::warn!(%cluster, %error, ?pause, "endpoint unreachable, left alone for now");
                }
                (Failure::Connect, Err(AttemptError::Connect(error)))
            }
            Err(ExchangeError::Failed(error)) => {
                let why = match error {
                    AttemptError::Broken(_) => Failure::Broken,
                    AttemptError::TimedOut => Failure::Timeout,
                    _ => return Err(error),
                };
                record.endpoint_broke();
                (why, Err(error))
            }
        };
        if !course.goes_on(id, why, &outgoing, record) {
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
) -> Result<(Response<Incoming>, Connection), ExchangeError> {
    let uri = target_for(upstream, outgoing.routed, facts, &outgoing.parts.uri)
        .ok_or(ExchangeError::Failed(AttemptError::Target))?;
    set_host(&mut outgoing.headers, outgoing.rules, facts, upstream);
    let mut may_reuse = outgoing.offer.is_none();
    loop {
        let waiting = if may_reuse { upstream.waiting() } else { None };
        let mut connection = match waiting {
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
        let repeatable = connection.is_reused() && is_idempotent(&outgoing.parts.method);
        let (request, progress) = outgoing.take(uri.clone());
        if let Some(progress) = &progress {
            record.uploads(progress.clone());
        }
        match send(&mut connection, request, progress, outgoing.timeouts).await {
            Ok(response) => return Ok((response, connection)),
            Err(SendOutcome::NotSent(request, _)) if connection.is_reused() => outgoing.put_back(*request),
            Err(SendOutcome::NotSent(request, error)) => {
                outgoing.put_back(*request);
                let fault = ConnectFault::Closed(error);
                return Err(ExchangeError::Unreachable(ConnectError { url: upstream.url().clone(), fault }));
            }
            Err(SendOutcome::Broken(error)) if is_clients_fault(&error) => {
                return Err(ExchangeError::Failed(AttemptError::ClientGone));
            }
            Err(SendOutcome::Broken(_)) if repeatable && outgoing.source.is_whole() => {
                outgoing.rewind(facts);
                set_host(&mut outgoing.headers, outgoing.rules, facts, upstream);
                may_reuse = false;
            }
            Err(SendOutcome::Broken(error)) => return Err(ExchangeError::Failed(AttemptError::Broken(error))),
            Err(SendOutcome::TimedOut) => return Err(ExchangeError::Failed(AttemptError::TimedOut)),
            Err(SendOutcome::ClientStalled) => return Err(ExchangeError::Failed(AttemptError::ClientStalled)),
        }
    }
}

enum SendOutcome {
    NotSent(Box<Request<RequestBody>>, hyper::Error),
    Broken(hyper::Error),
    TimedOut,
    ClientStalled,
}

/// Sends, and waits for the head of the answer as long as the body makes progress or the response timeout runs.
async fn send(
    connection: &mut Connection,
    request: Request<RequestBody>,
    progress: Option<Progress>,
    timeouts: Timeouts,
) -> Result<Response<Incoming>, SendOutcome> {
    let mut sending = std::pin::pin!(connection.send(request));
    let mut seen = 0;
    loop {
        match tokio::time::timeout(timeouts.response, sending.as_mut()).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(SendError::NotSent(request, error))) => return Err(SendOutcome::NotSent(request, error)),
            Ok(Err(SendError::Broken(error))) => return Err(SendOutcome::Broken(error)),
            Err(_elapsed) => match &progress {
                Some(progress) if progress.bytes() > seen => seen = progress.bytes(),
                Some(progress) if !progress.is_complete() => return Err(SendOutcome::ClientStalled),
                _ => return Err(SendOutcome::TimedOut),
            },
        }
    }
}

/// Whether sending failed because the client's body did.
fn is_clients_fault(error: &hyper::Error) -> bool {
    error.is_user() || error.is_body_write_aborted()
}

impl Outgoing<'_> {
    /// Makes the head anew from what the client sent.
    fn prepare(&mut self, facts: &RequestFacts) {
        self.headers = facts.headers.clone();
        prepare_request(&mut self.headers, self.client, self.snapshot, self.rules, facts, self.offer);
    }

    /// Makes it whole again after it was sent.
    fn rewind(&mut self, facts: &RequestFacts) {
        self.prepare(facts);
        self.body = self.source.again();
    }

    fn take(&mut self, uri: Uri) -> (Request<RequestBody>, Option<Progress>) {
        let body = std::mem::replace(&mut self.body, RequestBody::Empty);
        let progress = body.progress().cloned();
        let mut request = Request::new(body);
        *request.method_mut() = self.parts.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = std::mem::take(&mut self.headers);
        frame(&mut request);
        (request, progress)
    }

    fn put_back(&mut self, request: Request<RequestBody>) {
        let (parts, body) = request.into_parts();
        self.headers = parts.headers;
        self.body = body;
    }
}

/// Makes the head say what the body is. hyper takes a length for granted that is there, and sends nothing after a GET of
/// unknown length; both would leave the endpoint with another idea of where this request ends.
fn frame(request: &mut Request<RequestBody>) {
    let exact = request.body().size_hint().exact();
    let headers = request.headers_mut();
    match exact {
        Some(0) if headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0") => {
            headers.remove(header::CONTENT_LENGTH);
        }
        Some(_) => {}
        None => {
            headers.remove(header::CONTENT_LENGTH);
            headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}
