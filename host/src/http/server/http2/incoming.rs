//! The body of a request, as its client sends it on a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::responder::{Awaited, Responder};
use crate::http::http2::{Http2Body, check_fields, reset_reason, reset_word};
use crate::http::message::{RequestBodyError, grpc};
use crate::http::server::limits::ClientLimits;

/// The body of a request on a stream. A client that waits for a `100 (Continue)` gets it when this is first asked for
/// anything.
#[derive(Debug)]
pub(super) struct StreamIncoming {
    body: Http2Body,
    /// Bytes that the head announces.
    length: Option<u64>,
    responder: Arc<Responder>,
    /// The client sends it once it is asked to.
    expected: bool,
    /// Somebody waits for it, since then.
    wanted: Option<Instant>,
    clock: BodyClock,
}

/// How long a body may be waited for. It is read when its timer rings, and that is set for the first wait.
#[derive(Debug)]
pub(super) struct BodyClock {
    /// While the response is awaited. None for a call of gRPC, whose client may have nothing to say for long: whoever
    /// waits for the response says how long.
    body_timeout: Option<Duration>,
    /// Behind the response.
    idle_timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl StreamIncoming {
    pub(super) fn new(
        recv: RecvStream,
        length: Option<u64>,
        responder: Arc<Responder>,
        expected: bool,
        clock: BodyClock,
    ) -> Self {
        Self { body: Http2Body::new(recv, responder.wire()), length, responder, expected, wanted: None, clock }
    }
}

impl BodyClock {
    /// One for the body of a request with these `headers`.
    pub(super) fn new(headers: &HeaderMap, limits: &ClientLimits) -> Self {
        let body_timeout = (!grpc::is_grpc(headers)).then_some(limits.body_timeout);
        Self { body_timeout, idle_timeout: limits.idle_timeout, timer: None }
    }

    /// Ready if a body that has been waited for `since` comes too late.
    fn poll(&mut self, cx: &mut Context<'_>, since: Instant, responder: &Responder) -> Poll<()> {
        let first = self.body_timeout.unwrap_or(self.idle_timeout);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(since + first)));
        loop {
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            let due = match (responder.awaited(), self.body_timeout) {
                (Awaited::Response, Some(body_timeout)) => since + body_timeout,
                (Awaited::Response, None) | (Awaited::Nothing, _) => now + self.idle_timeout,
                (Awaited::Rest, _) => since + self.idle_timeout,
            };
            if due <= now {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }
}

fn broken(error: h2::Error) -> RequestBodyError {
    match error.reason() {
        Some(code) if error.is_reset() && error.is_remote() => RequestBodyError::Reset(reset_reason(code)),
        Some(_) => RequestBodyError::Broken(reset_word(&error).into()),
        None => RequestBodyError::Broken(error.into()),
    }
}

impl Body for StreamIncoming {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        if std::mem::take(&mut this.expected) {
            this.responder.interim(StatusCode::CONTINUE, HeaderMap::new());
        }
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let since = *this.wanted.get_or_insert_with(Instant::now);
            return this.clock.poll(cx, since, &this.responder).map(|()| Some(Err(RequestBodyError::Stalled)));
        };
        this.wanted = None;
        let frame = frame.map(|frame| {
            let frame = frame.map_err(broken)?;
            if let Some(trailers) = frame.trailers_ref() {
                let checked = match this.responder.has_malformed_trailers() {
                    true => Err("its trailers have a pseudo-header field"),
                    false => check_fields(trailers),
                };
                checked.map_err(|wrong| {
                    // A malformed request gets no response (RFC 9113 §8.1.1).
                    this.responder.reset(Reason::PROTOCOL_ERROR);
                    RequestBodyError::Broken(wrong.into())
                })?;
            }
            if let (Some(left), Some(data)) = (&mut this.length, frame.data_ref()) {
                // More than was announced is refused by the library.
                *left = left.saturating_sub(data.len() as u64);
            }
            Ok(frame)
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(|| self.body.size_hint(), SizeHint::with_exact)
    }
}
