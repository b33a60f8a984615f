//! Asking a server who a client is: over a connection of its cluster, under a lease of its own.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Response, StatusCode};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use super::super::super::Destination;
use super::super::super::retry::charge;
use super::super::super::waiting::EndpointWait;
use super::failure::{AuthFailure, MOST_BYTES};
use crate::cluster::{Cluster, Failure, Lease, Tried};
use crate::http::{Fields, RequestBody, strip_hop_by_hop};
use crate::policy::RequestFacts;
use crate::telemetry::{Counter, Metrics, limited};
use crate::upstream::{
    ExchangeCause, ExchangeError, ExchangeLimits, ExchangeObserver, RequestHead, ResendableBody, ResponseContent, Sent,
    UploadProgress, Upstream,
};

/// What is asked, and until when it is to be answered.
pub(super) struct AuthQuestion<'a> {
    pub(super) path: &'a str,
    pub(super) fields: &'a Fields<'a>,
    pub(super) within: Duration,
}

/// A response, whole.
pub(super) struct AuthAnswer {
    pub(super) status: StatusCode,
    /// Without fields of its hop.
    pub(super) headers: HeaderMap,
    /// Empty where that is not passed on.
    pub(super) body: Bytes,
}

/// An attempt that came to nothing, or to a response that another endpoint may better.
struct FailedCall {
    why: Failure,
    outcome: Result<AuthAnswer, AuthFailure>,
}

/// Asks an endpoint of `destination`, or the next where that one fails: what the cluster says of repetitions holds for a GET.
///
/// # Errors
/// [`AuthFailure`]: what became of the last endpoint, or why there was none.
pub(super) async fn call(
    destination: &Destination,
    question: &AuthQuestion<'_>,
    facts: &RequestFacts,
    metrics: &Arc<Metrics>,
) -> Result<AuthAnswer, AuthFailure> {
    let cluster = &destination.cluster;
    let deadline = Instant::now() + question.within;
    let late = |_elapsed| AuthFailure::TimedOut(question.within);
    let wait = EndpointWait::new(cluster);
    let (mut tried, mut attempts) = (Tried::default(), 0);
    let mut last: Option<FailedCall> = None;
    loop {
        let lease = match timeout_at(deadline, wait.select(cluster, facts, &tried, metrics)).await.map_err(late)? {
            Ok(lease) => lease,
            Err(error) => return last.map_or(Err(error.into()), |last| last.outcome),
        };
        if let Some(last) = last.take()
            && !charge(cluster, last.why, last.why == Failure::Connect, metrics)
        {
            return last.outcome;
        }
        let (endpoint, limits) = (lease.endpoint(), limits(destination, question));
        let upstream = destination.upstream(endpoint)?;
        let mut asked = AskedEndpoint { lease, is_connected: false, metrics };
        let sent = timeout_at(deadline, asked.send(upstream, question, limits)).await;
        let failed = match sent {
            Err(elapsed) => {
                asked.was_late(cluster);
                return Err(late(elapsed));
            }
            Ok(Err(error)) => {
                let Some(why) = asked.judge(cluster, &error) else { return Err(error.into()) };
                FailedCall { why, outcome: Err(error.into()) }
            }
            Ok(Ok(response)) => {
                let status = response.status().as_u16();
                let outcome = asked.answer(cluster, response, question, deadline).await;
                if !cluster.retry().repeats_status(status) {
                    return outcome;
                }
                FailedCall { why: Failure::Status(status), outcome }
            }
        };
        attempts += 1;
        tried.add(endpoint);
        let is_allowed = cluster.retry().allows(failed.why, attempts, &Method::GET, true);
        if !is_allowed || tried.count() >= cluster.members().len() {
            return failed.outcome;
        }
        last = Some(failed);
    }
}

/// All of it has to be answered in time; an endpoint that cannot be reached may be left for the next before.
fn limits(destination: &Destination, question: &AuthQuestion<'_>) -> ExchangeLimits {
    ExchangeLimits { connect: destination.timeouts.connect.min(question.within), response: question.within }
}

/// An endpoint that is asked, and what it is found to be. Dropped, it is given back.
struct AskedEndpoint<'a> {
    lease: Lease,
    is_connected: bool,
    metrics: &'a Arc<Metrics>,
}

impl AskedEndpoint<'_> {
    async fn send(
        &mut self,
        upstream: &Arc<Upstream>,
        question: &AuthQuestion<'_>,
        limits: ExchangeLimits,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        let target = format!("{}{}", upstream.base_path(), question.path);
        let head = RequestHead {
            method: &Method::GET,
            target: &target,
            authority: upstream.authority(),
            fields: question.fields,
            offer: None,
            expects_continue: false,
        };
        upstream.exchange(head, &mut ResendableBody::new(RequestBody::Empty, None), limits, self).await
    }

    /// Holds against the endpoint what it did wrong. Why it might be worth to ask another one; none if it is not.
    fn judge(mut self, cluster: &Cluster, error: &ExchangeError) -> Option<Failure> {
        let failure = match &error.cause {
            ExchangeCause::Connect(_) => {
                self.leave_alone(cluster, error);
                return Some(Failure::Connect);
            }
            // It is alive, and acts on nothing of it.
            ExchangeCause::Refused | ExchangeCause::Unsendable(_) => {
                return (error.sent == Sent::Nothing).then_some(Failure::Connect);
            }
            ExchangeCause::Unreadable(unreadable) => {
                self.metrics.increment(Counter::UpstreamUnreadable);
                if unreadable.is_our_limit() {
                    self.lease.answered_too_much();
                } else {
                    self.lease.broken();
                }
                return None;
            }
            ExchangeCause::TimedOut(_) => Failure::Timeout,
            ExchangeCause::Broken(_) => Failure::Broken,
            // There is no body that could.
            ExchangeCause::BodyStalled | ExchangeCause::BodyBroken(_) => return None,
        };
        self.lease.broken();
        Some(failure)
    }

    /// It had not answered when all of the time was gone.
    fn was_late(mut self, cluster: &Cluster) {
        if self.is_connected {
            self.lease.broken();
        } else {
            self.leave_alone(cluster, &"it could not be reached in time");
        }
    }

    /// Gives the claim on an endpoint back that could not be reached; the cluster may leave it alone for a while.
    fn leave_alone(self, cluster: &Cluster, error: &dyn std::fmt::Display) {
        self.metrics.increment(Counter::UpstreamFailed);
        let (cluster, endpoint) = (cluster.name(), self.lease.endpoint());
        let pause = self.lease.unreachable();
        limited!(warn, of: (cluster, endpoint), %cluster, %error, pause = pause.map(tracing::field::debug), "endpoint unreachable");
    }

    /// Takes a response that has begun.
    async fn answer(
        mut self,
        cluster: &Cluster,
        response: Response<ResponseContent>,
        question: &AuthQuestion<'_>,
        deadline: Instant,
    ) -> Result<AuthAnswer, AuthFailure> {
        let (mut parts, content) = response.into_parts();
        self.lease.answered(parts.status.as_u16());
        if let Some(member) = self.lease.endpoint().of(cluster.members()) {
            cluster.signals().take_orca(&mut parts.headers, &member.live, self.metrics);
        }
        strip_hop_by_hop(&mut parts.headers);
        // Read in any case: its connection is used again then.
        let body = match self.read(content, question, deadline).await {
            Ok(body) => body,
            // That the client may is said, and nothing else of it is used.
            Err(_) if parts.status.is_success() => Bytes::new(),
            Err(error) => {
                if !matches!(error, AuthFailure::TooLong) {
                    self.lease.broken();
                }
                return Err(error);
            }
        };
        self.lease.completed();
        Ok(AuthAnswer { status: parts.status, headers: parts.headers, body })
    }

    async fn read(
        &mut self,
        content: ResponseContent,
        question: &AuthQuestion<'_>,
        deadline: Instant,
    ) -> Result<Bytes, AuthFailure> {
        let mut stream = match content {
            ResponseContent::Whole(bytes, _no_upload) => {
                self.lease.add_received(bytes.len());
                return if bytes.len() > MOST_BYTES { Err(AuthFailure::TooLong) } else { Ok(bytes) };
            }
            ResponseContent::Duplex(..) => return Err(AuthFailure::Switched),
            ResponseContent::Stream(stream) => stream,
        };
        let mut whole = BytesMut::new();
        loop {
            let Some(frame) = timeout_at(deadline, stream.frame())
                .await
                .map_err(|_elapsed| AuthFailure::TimedOut(question.within))?
            else {
                return Ok(whole.freeze());
            };
            let frame = frame.map_err(AuthFailure::Broken)?;
            // Trailers are not passed on.
            let Ok(data) = frame.into_data() else { continue };
            self.lease.add_received(data.len());
            if whole.len() + data.len() > MOST_BYTES {
                return Err(AuthFailure::TooLong);
            }
            whole.extend_from_slice(&data);
        }
    }
}

impl ExchangeObserver for AskedEndpoint<'_> {
    fn connected(&mut self) {
        self.is_connected = true;
        self.metrics.increment(Counter::UpstreamConnected);
        self.lease.connected();
    }

    fn reused(&mut self) {
        self.is_connected = true;
        self.metrics.increment(Counter::UpstreamReused);
    }

    fn uploading(&mut self, _: &UploadProgress) {}

    fn interim(&mut self, _: StatusCode, _: &HeaderMap) {}
}
