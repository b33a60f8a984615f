//! A response on its way into hyper.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::state::ConnectionState;
use crate::http::message::{ResponseBody, ResponseBodyError};

/// The body of a response, and the connection's knowledge that it is under way.
#[derive(Debug)]
pub(super) struct GuardedBody {
    body: ResponseBody,
    guard: ResponseGuard,
}

/// Reports to the connection that its response is through, whenever and however that is.
#[derive(Debug)]
pub(super) struct ResponseGuard(pub(super) Arc<ConnectionState>);

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        self.0.finish_response();
    }
}

impl GuardedBody {
    pub(super) fn new(body: ResponseBody, guard: ResponseGuard) -> Self {
        Self { body, guard }
    }
}

impl Drop for GuardedBody {
    fn drop(&mut self) {
        if self.guard.0.is_given_up() {
            self.body.client_stalled();
        }
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = ResponseBodyError;

    /// hyper writes trailers where the client has said `TE: trailers`, and those alone that the response has named in
    /// Trailer (RFC 9110 §6.5.1, §6.6.2).
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
