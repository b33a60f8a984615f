//! Switching protocols on a stream (RFC 8441): an extended CONNECT becomes a stream of bytes.
//!
//! ```text
//! CONNECT, :protocol = websocket ─▶ GET, Offer ─▶ handler ─▶ 101 ─▶ 200, Http2Duplex ─▶ tunnel
//! ```

use ::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use bytes::Bytes;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use tokio::sync::oneshot;

use crate::http::http2::Http2Duplex;
use crate::http::message::{ClientUpgrade, Offer, UpgradeNeed, UpgradeRequest};
use crate::net::Duplex;

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");

/// The client's side of a switch that is asked for.
#[derive(Debug)]
pub(super) struct PendingSwitch {
    recv: RecvStream,
    settle: oneshot::Sender<(Duplex, Bytes)>,
}

impl PendingSwitch {
    /// For a request with this `:protocol`, whose stream is `recv`. None if that names no protocol.
    pub(super) fn new(protocol: &Protocol, recv: RecvStream) -> Option<(Self, UpgradeRequest)> {
        let offer = Offer::of(Some(protocol.as_str()).filter(|name| !name.is_empty()))?;
        let (settle, settled) = oneshot::channel();
        let client = ClientUpgrade::Boxed(Box::pin(async { settled.await.ok() }));
        Some((Self { recv, settle }, UpgradeRequest { offer, client, need: UpgradeNeed::Required }))
    }

    /// Hands the stream over to the tunnel, once the head of the response has gone out.
    pub(super) fn settle(self, send: SendStream<Bytes>) {
        let duplex = Duplex::Multiplexed(Box::new(Http2Duplex::new(send, self.recv)));
        // Nobody waits for it: the drop resets the stream.
        drop(self.settle.send((duplex, Bytes::new())));
    }
}

/// Takes off a request what HTTP/1.1 alone has of the handshake (RFC 8441 §5).
pub(super) fn strip_handshake(headers: &mut HeaderMap) {
    headers.remove(KEY);
    headers.remove(ACCEPT);
}

/// Makes the head of a switch that of a stream's: 101 is 200 (RFC 8441 §5), and nobody has asked for an Accept.
pub(super) fn translate(head: &mut Response<()>) {
    *head.status_mut() = StatusCode::OK;
    let headers = head.headers_mut();
    headers.remove(ACCEPT);
    // A tunnel has neither length nor coding (RFC 9110 §9.3.6).
    headers.remove(header::CONTENT_LENGTH);
}
