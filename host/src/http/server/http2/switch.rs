//! Switching protocols on a stream (RFC 8441): an extended CONNECT becomes a stream of bytes.
//!
//! ```text
//! CONNECT, :protocol = websocket ─▶ GET, Offer ─▶ handler ─▶ 101 ─▶ 200, Http2Duplex ─▶ tunnel
//! ```

use std::sync::Arc;

use ::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use tokio::sync::oneshot;

use crate::http::http2::{Http2Duplex, Wire};
use crate::http::message::{ClientUpgrade, Offer, UpgradeNeed, UpgradeRequest};
use crate::net::Duplex;

/// The client's side of a switch that is asked for.
#[derive(Debug)]
pub(super) struct PendingSwitch {
    recv: RecvStream,
    settle: oneshot::Sender<(Duplex, Bytes)>,
    /// Whether the request has the key of an HTTP/1.1 handshake.
    has_key: bool,
}

impl PendingSwitch {
    /// For a request with this `:protocol` and these fields, whose stream is `recv`. None if that names no
    /// protocol: the library takes any text for one.
    pub(super) fn new(protocol: &Protocol, headers: &HeaderMap, recv: RecvStream) -> Option<(Self, UpgradeRequest)> {
        let offer = Offer::of([protocol.as_str()])?;
        let (settle, settled) = oneshot::channel();
        let client = ClientUpgrade::Boxed(Box::pin(async { settled.await.ok() }));
        let has_key = headers.contains_key(header::SEC_WEBSOCKET_KEY);
        Some((Self { recv, settle, has_key }, UpgradeRequest { offer, client, need: UpgradeNeed::Required }))
    }

    /// Makes the head of a switch that of a stream's: 101 is 200 (RFC 8441 §5), and an Accept is for who has sent a key.
    pub(super) fn translate(&self, head: &mut Response<()>) {
        *head.status_mut() = StatusCode::OK;
        let headers = head.headers_mut();
        if !self.has_key {
            headers.remove(header::SEC_WEBSOCKET_ACCEPT);
        }
        // A tunnel has neither length nor coding (RFC 9110 §9.3.6).
        headers.remove(header::CONTENT_LENGTH);
    }

    /// Hands the stream over to the tunnel, once the head of the response has gone out.
    pub(super) fn settle(self, send: SendStream<Bytes>, wire: Arc<Wire>) {
        let duplex = Duplex::Multiplexed(Box::new(Http2Duplex::new(send, self.recv, wire)));
        // Nobody waits for it: the drop resets the stream.
        drop(self.settle.send((duplex, Bytes::new())));
    }
}

/// Takes off a request what only responses have of the handshake. Its key stays, if it has one: that is not used over
/// HTTP/2 (RFC 8441 §5), but a proxy which carries the handshake of its own client (Envoy does) sends that client's key,
/// and hands the Accept for it on.
pub(super) fn strip_handshake(headers: &mut HeaderMap) {
    headers.remove(header::SEC_WEBSOCKET_ACCEPT);
}
