//! What goes into an exchange with an endpoint, and what comes out of it, in no protocol's words.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use http_body::Body;

use super::{Broken, UploadProgress};
use crate::http::{Fields, Offer};
use crate::net::Duplex;

/// The head of a request, in no protocol's words: what frames the body and what belongs to one connection is not in it.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// Method.
    pub method: &'a Method,
    /// Origin form (RFC 9112 §3.2.1): a path, and a query.
    pub target: &'a str,
    /// Host, and perhaps a port.
    pub authority: &'a HeaderValue,
    /// Fields from end to end.
    pub fields: &'a Fields<'a>,
    /// Protocols to switch to, any of which the endpoint may choose.
    pub offer: Option<&'a Offer>,
    /// Whether the client waits to be asked for its body (`Expect: 100-continue`, RFC 9110 §10.1.1): then it is held
    /// until the endpoint asks for it.
    pub expects_continue: bool,
}

/// How long an endpoint may take to ask for a body. Then it is sent all the same: many never ask (RFC 9110 §10.1.1),
/// and a second is what curl gives them.
const UNASKED: Duration = Duration::from_secs(1);

impl RequestHead<'_> {
    /// How long the endpoint is waited for at first, of `within` that it has for its response.
    pub(super) fn first_wait(&self, within: Duration) -> Duration {
        if self.expects_continue { within.min(UNASKED) } else { within }
    }
}

/// Limits in time of one exchange.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeLimits {
    /// To an open connection.
    pub connect: Duration,
    /// To the head of the response, and between two pieces of its body. As long as the request's body makes progress,
    /// the endpoint is not expected to have responded.
    pub response: Duration,
}

/// How large the head of a response may be. For more the client gets a 502.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes, those of interim responses before it included.
    pub bytes: usize,
    /// Fields; at most [`MOST_ANSWER_FIELDS`](crate::config::MOST_ANSWER_FIELDS).
    pub fields: usize,
}

/// Sees what happens on the way to a response.
pub trait ExchangeObserver: Send {
    /// A new connection was opened.
    fn connected(&mut self);
    /// A connection that was waiting is used again.
    fn reused(&mut self);
    /// The request's body goes out from now on, so far. The last one counts.
    fn uploading(&mut self, progress: &UploadProgress);
    /// The endpoint sent an interim response (1xx, RFC 9110 §15.2), but for 100 and 101.
    fn interim(&mut self, status: StatusCode, fields: &HeaderMap);
}

/// Looks at nothing that happens on the way.
pub(super) struct Unobserved;

impl ExchangeObserver for Unobserved {
    fn connected(&mut self) {}
    fn reused(&mut self) {}
    fn uploading(&mut self, _: &UploadProgress) {}
    fn interim(&mut self, _: StatusCode, _: &HeaderMap) {}
}

/// What comes behind the head of a response.
pub enum ResponseContent {
    /// A body that is all there; it may be empty. None of the request is left to be sent, or what is.
    Whole(Bytes, Option<PendingUpload>),
    /// A body that is still coming.
    Stream(ResponseStream),
    /// Behind a 101: what a tunnel needs of the endpoint, and bytes of the new protocol that were read with the head.
    /// Boxed: it is rare, and responses are moved a lot.
    Duplex(Box<Duplex>, Bytes),
}

/// A body that is still coming. Dropped before its end, it is not read any further.
pub type ResponseStream = Pin<Box<dyn Body<Data = Bytes, Error = Broken> + Send>>;

/// What an endpoint that responded early has not been sent yet. Dropped, it is not sent.
pub struct PendingUpload(Box<dyn FnOnce() + Send>);

impl PendingUpload {
    /// An upload that `finish` sends in the background; dropped uncalled, it ends it.
    pub(super) fn new(finish: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(finish))
    }

    /// Sends it, whatever becomes of the response.
    pub fn finish_in_background(self) {
        (self.0)();
    }
}

impl fmt::Debug for ResponseContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes, pending) => f.debug_tuple("Whole").field(bytes).field(&pending.is_some()).finish(),
            Self::Stream(stream) => f.debug_tuple("Stream").field(&stream.size_hint()).finish(),
            Self::Duplex(duplex, early) => f.debug_tuple("Duplex").field(duplex).field(early).finish(),
        }
    }
}

impl fmt::Debug for PendingUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingUpload")
    }
}
