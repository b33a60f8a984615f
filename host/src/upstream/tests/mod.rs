//! The exchange with an endpoint, in a protocol that is there for this alone; and what tests of protocols have in
//! common.

pub(super) mod throwaway;

mod seam;

use std::convert::Infallible;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;

use super::{ExchangeObserver, RequestHead, ResendableBody, UploadProgress};
use crate::http::{Fields, RequestBody};

pub(super) static HOST: HeaderValue = HeaderValue::from_static("endpoint");

/// The head of a request without an offer.
pub(super) fn head<'a>(method: &'a Method, target: &'a str, fields: &'a Fields<'a>) -> RequestHead<'a> {
    RequestHead { method, target, authority: &HOST, fields, offer: None, expects_continue: false }
}

/// A body of these bytes, all of them there; sent once.
pub(super) fn body(bytes: impl Into<Bytes>) -> ResendableBody {
    let body = http_body_util::Full::new(bytes.into()).map_err(|never: Infallible| match never {});
    ResendableBody::new(RequestBody::Boxed { body: Box::pin(body), expects_continue: false }, None)
}

/// A body of two pieces, the second of which comes `later`.
pub(super) fn slow_body(later: Duration) -> ResendableBody {
    let pieces = futures_util::stream::unfold(0, move |piece| async move {
        if piece == 1 && !later.is_zero() {
            tokio::time::sleep(later).await;
        }
        (piece < 2).then(|| (Ok(Frame::data(Bytes::from_static(b"x"))), piece + 1))
    });
    let body = Box::pin(http_body_util::StreamBody::new(pieces));
    ResendableBody::new(RequestBody::Boxed { body, expects_continue: false }, None)
}

/// A request whose body comes in two pieces, and whose response never comes.
pub(super) struct SlowRequest {
    /// The body is asked for first.
    pub(super) expects_continue: bool,
    /// How long after the first piece the second comes.
    pub(super) waits: Duration,
    /// How long it takes until the time for the response is over.
    pub(super) time: Duration,
}

/// Requests that wait in each way, where a response has `within` from the last piece of its request.
pub(super) fn slow_requests(within: Duration) -> [SlowRequest; 3] {
    let later = Duration::from_secs(3);
    [
        SlowRequest { expects_continue: false, waits: Duration::ZERO, time: within },
        SlowRequest { expects_continue: false, waits: later, time: later + within },
        // Without a word of the endpoint the body goes after a second.
        SlowRequest { expects_continue: true, waits: Duration::ZERO, time: Duration::from_secs(1) + within },
    ]
}

/// No body.
pub(super) fn empty() -> ResendableBody {
    ResendableBody::new(RequestBody::Empty, None)
}

/// What was seen of an exchange.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) connected: usize,
    pub(super) reused: usize,
    pub(super) interim: Vec<(StatusCode, HeaderMap)>,
}

impl ExchangeObserver for Seen {
    fn connected(&mut self) {
        self.connected += 1;
    }

    fn reused(&mut self) {
        self.reused += 1;
    }

    fn uploading(&mut self, _: &UploadProgress) {}

    fn interim(&mut self, status: StatusCode, fields: &HeaderMap) {
        self.interim.push((status, fields.clone()));
    }
}
