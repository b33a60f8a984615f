//! The body of a request, as its client sends it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header;
use ::http::{Request, Version};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::state::ConnectionState;
use crate::http::message::{RefusalForm, Refused, RequestBodyError, Violation, list};

/// The body of a request. It reports to its connection how far it has come, and whose fault it is if it does not.
///
/// A client that waits for a `100 (Continue)` gets it when this is first asked for anything.
#[derive(Debug)]
pub struct Incoming {
    body: hyper::body::Incoming,
    /// None once it is through.
    connection: Option<BodyPart>,
    /// The client sends it once it is asked to.
    expected: bool,
}

/// A body's place in what is known about its connection.
#[derive(Debug)]
struct BodyPart {
    state: Arc<ConnectionState>,
    request: u32,
}

fn broken(error: hyper::Error) -> RequestBodyError {
    RequestBodyError::Broken(Box::new(error))
}

/// Whether a client waits for a `100 (Continue)` before it sends the body of `request` (RFC 9110 §10.1.1). Never in
/// HTTP/1.0, nor without a body.
///
/// # Errors
/// If it expects something that the gateway cannot fulfil.
pub(super) fn expects_continue<B: http_body::Body>(request: &Request<B>) -> Result<bool, Refused> {
    if !request.headers().contains_key(header::EXPECT) || request.version() == Version::HTTP_10 {
        return Ok(false);
    }
    if !list(request.headers(), &header::EXPECT).all(|member| member.eq_ignore_ascii_case(b"100-continue")) {
        let (violation, method) = (Violation::Expectation, Some(request.method().clone()));
        return Err(Refused { violation, method, target: request.uri().to_string(), hears: RefusalForm::Response });
    }
    Ok(!request.body().is_end_stream())
}

impl Incoming {
    /// The body of request number `request` on its connection. It has not ended yet.
    pub(super) fn new(body: hyper::body::Incoming, state: &Arc<ConnectionState>, request: u32, expected: bool) -> Self {
        Self { body, connection: Some(BodyPart { state: Arc::clone(state), request }), expected }
    }

    /// Whether the client sends it only when it is asked for (`Expect: 100-continue`).
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.expected
    }

    fn end(&mut self, is_whole: bool) {
        if let Some(BodyPart { state, request }) = self.connection.take() {
            state.end_body(request, is_whole);
        }
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        this.expected = false;
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        let Some(BodyPart { state, request }) = &this.connection else {
            return frame.map(|frame| frame.map(|frame| frame.map_err(broken)));
        };
        match frame {
            Poll::Pending if state.is_stalled(*request) => {
                let error = RequestBodyError::Stalled;
                this.end(false);
                Poll::Ready(Some(Err(error)))
            }
            Poll::Pending => {
                state.await_body(*request, cx);
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                if this.body.is_end_stream() {
                    this.end(true);
                } else {
                    state.note_body(*request);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.end(false);
                Poll::Ready(Some(Err(broken(error))))
            }
            Poll::Ready(None) => {
                this.end(true);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.end(false);
    }
}
