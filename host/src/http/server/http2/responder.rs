//! What the parts of one request share: whether its response has begun, and the way to its client until then.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderMap, Response, StatusCode};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use parking_lot::Mutex;

use crate::http::http2::{Wire, strip_for_http2};
use crate::http::message::InterimSink;

/// The way to the client of one request. Shared by the task of its stream, its body (`100 (Continue)`), and who passes
/// interim responses on.
#[derive(Debug)]
pub(super) struct Responder {
    stage: Mutex<ResponseStage>,
    /// Number of the stream.
    stream: u32,
    wire: Arc<Wire>,
}

/// How far the response has come.
#[derive(Debug)]
enum ResponseStage {
    /// It is awaited.
    Awaited(SendResponse<Bytes>),
    /// It is on its way.
    Begun,
    /// All of it has been handed over, or its stream is gone.
    Over,
}

/// What a body that does not come is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The response: the client is all that is waited for.
    Response,
    /// Nothing: response and body may each take their time.
    Nothing,
    /// The rest of the body, behind a response that is over.
    Rest,
}

impl Responder {
    /// `wire` is that of the connection.
    pub(super) fn new(respond: SendResponse<Bytes>, wire: Arc<Wire>) -> Arc<Self> {
        let stream = respond.stream_id().as_u32();
        Arc::new(Self { stage: Mutex::new(ResponseStage::Awaited(respond)), stream, wire })
    }

    /// That of the connection.
    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// Whether trailers of the request, which have come, begin with what the library has dropped.
    pub(super) fn has_malformed_trailers(&self) -> bool {
        self.wire.has_malformed_trailers(self.stream)
    }

    /// Ready once all of the response is out that was handed over; see [`Wire::poll_flushed`].
    pub(super) fn poll_flushed(&self, cx: &mut Context<'_>, since: &mut Option<u64>) -> Poll<()> {
        self.wire.poll_flushed(cx, since)
    }

    /// What the request is at, for the clock of its body.
    pub(super) fn awaited(&self) -> Awaited {
        match &*self.stage.lock() {
            ResponseStage::Awaited(_) => Awaited::Response,
            ResponseStage::Begun => Awaited::Nothing,
            ResponseStage::Over => Awaited::Rest,
        }
    }

    /// Ready once the client has reset the stream, or its connection is gone, before there was a response.
    pub(super) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.stage.lock() {
            ResponseStage::Awaited(respond) => respond.poll_reset(cx).map(|_why| ()),
            ResponseStage::Begun | ResponseStage::Over => Poll::Pending,
        }
    }

    /// Sends an interim response, if there was no other yet. Without fields about the connection, and without those
    /// that would be the end.
    pub(super) fn interim(&self, status: StatusCode, mut fields: HeaderMap) {
        let ResponseStage::Awaited(respond) = &mut *self.stage.lock() else { return };
        strip_for_http2(&mut fields);
        let mut head = Response::new(());
        *head.status_mut() = status;
        *head.headers_mut() = fields;
        // A stream that is gone is seen by who waits for that.
        if let Err(error) = respond.send_informational(head) {
            tracing::debug!(%error, %status, "interim response not sent");
        }
    }

    /// Sends the head of the response, and the end of the stream if nothing `follows`. None if the stream is gone.
    pub(super) fn begin(&self, head: Response<()>, follows: bool) -> Option<SendStream<Bytes>> {
        let mut stage = self.stage.lock();
        let ResponseStage::Awaited(respond) = &mut *stage else { return None };
        let sent = respond.send_response(head, !follows);
        *stage = if follows { ResponseStage::Begun } else { ResponseStage::Over };
        match sent {
            Ok(stream) => {
                self.wire.answered();
                Some(stream)
            }
            Err(error) => {
                tracing::debug!(%error, "response not sent");
                None
            }
        }
    }

    /// Resets the stream in place of a response.
    pub(super) fn reset(&self, reason: Reason) {
        let mut stage = self.stage.lock();
        if let ResponseStage::Awaited(respond) = &mut *stage {
            respond.send_reset(reason);
        }
        *stage = ResponseStage::Over;
    }

    /// The client is to go elsewhere with whatever it has not sent yet.
    pub(super) fn end_connection(&self) {
        self.wire.ask_to_leave();
    }

    /// The response is through, or broken off.
    pub(super) fn finish(&self) {
        *self.stage.lock() = ResponseStage::Over;
    }

    /// The client has taken all of a response that is not the gateway's own.
    pub(super) fn served(&self) {
        self.wire.served();
    }
}

/// Passes interim responses on to a client.
pub(super) struct StreamInterim(pub(super) Arc<Responder>);

impl InterimSink for StreamInterim {
    fn send(&mut self, status: StatusCode, fields: &HeaderMap) {
        self.0.interim(status, fields.clone());
    }
}
