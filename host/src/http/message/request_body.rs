//! The body of a request, whichever version of HTTP its client speaks.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::begun_body::BegunBody;
use super::request_body_error::RequestBodyError;
use crate::http::server::http1::Incoming;

/// The body of a request, as its client sends it. Trailers come as its last frame.
///
/// A client that waits for a `100 (Continue)` (RFC 9110 §10.1.1) gets it when the body is first polled.
pub enum RequestBody {
    /// No bytes.
    Empty,
    /// Of a client that speaks HTTP/1.1.
    Http1(Incoming),
    /// Of which the beginning has come, and was looked at.
    Begun(Box<BegunBody<Self>>),
    /// Of any other client.
    Boxed {
        /// Its frames.
        body: Pin<Box<dyn Body<Data = Bytes, Error = RequestBodyError> + Send>>,
        /// Whether the client sends it only when it is asked for (`Expect: 100-continue`).
        expects_continue: bool,
    },
}

impl RequestBody {
    /// Whether the client sends it only when it is asked for.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        match self {
            Self::Empty => false,
            Self::Http1(incoming) => incoming.is_expected(),
            // Nothing of it has come, and the client may not have been asked yet.
            Self::Begun(begun) => begun.rest().is_some_and(Self::expects_continue),
            Self::Boxed { expects_continue, .. } => *expects_continue,
        }
    }
}

impl RequestBody {
    /// Waits until `most` bytes of it have come, or its end, but no longer than `patience`; a client that waits to be
    /// asked for it is asked. Returns up to `most` bytes, and the body with all that there is of it.
    pub async fn begin(self, most: usize, patience: Duration) -> (Bytes, Self) {
        if self.is_end_stream() {
            return (Bytes::new(), self);
        }
        let (first, begun) = BegunBody::new(self, most, patience).await;
        (first, Self::Begun(Box::new(begun)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Http1(incoming) => Pin::new(incoming).poll_frame(cx),
            Self::Begun(begun) => Pin::new(begun.as_mut()).poll_frame(cx),
            Self::Boxed { body, expects_continue } => {
                *expects_continue = false;
                body.as_mut().poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Http1(incoming) => incoming.is_end_stream(),
            Self::Begun(begun) => begun.is_end_stream(),
            Self::Boxed { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Http1(incoming) => incoming.size_hint(),
            Self::Begun(begun) => begun.size_hint(),
            Self::Boxed { body, .. } => body.size_hint(),
        }
    }
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "request_body_tests.rs"]
mod tests;
