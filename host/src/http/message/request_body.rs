//! The body of a request, whichever version of HTTP its client speaks.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

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
            Self::Boxed { expects_continue, .. } => *expects_continue,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Http1(incoming) => Pin::new(incoming).poll_frame(cx),
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
            Self::Boxed { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Http1(incoming) => incoming.size_hint(),
            Self::Boxed { body, .. } => body.size_hint(),
        }
    }
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
