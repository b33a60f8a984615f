//! A response on its way into hyper.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::state::ConnectionState;
use crate::http::message::{ResponseBody, ResponseBodyError};

/// The body of a response, and the connection's knowledge that it is under way.
#[derive(Debug)]
pub(super) struct GuardedBody {
    body: ResponseBody,
    guard: ResponseGuard,
    /// What the body failed with, to be reported next. Boxed: it is rare, and every body is moved several times.
    failed: Option<Box<ResponseBodyError>>,
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
        Self { body, guard, failed: None }
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
        let this = self.get_mut();
        if let Some(error) = this.failed.take() {
            return Poll::Ready(Some(Err(*error)));
        }
        match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Err(error)) => {
                this.failed = Some(Box::new(error));
                // hyper drops what it has not written yet when a body fails, the head among it. A turn, and it is
                // written.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.failed.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
