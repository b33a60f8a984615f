//! Switching protocols on one stream of a connection (RFC 8441): CONNECT with a `:protocol`, and a 2xx for the 101 of
//! HTTP/1.1.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::header::{self, HeaderMap, HeaderValue};
use ::http::{Method, Response, StatusCode};
use bytes::Bytes;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::{RequestHead, ResendableBody};
use super::connection::StreamClaim;
use crate::http::{Fields, Http2Duplex, Wire};
use crate::net::{Duplex, DuplexStream, PeerGone, ResetReason};

/// What of an offer an extended CONNECT asks for: its first protocol, if the request has nothing that a CONNECT has no
/// place for. Otherwise it is an ordinary request: nobody has to switch (RFC 9110 §7.8).
pub(super) fn protocol(head: &RequestHead<'_>, body: &ResendableBody) -> Option<Protocol> {
    let may = *head.method == Method::GET && body.is_end_stream();
    let protocol = head.offer.filter(|_| may)?.first()?;
    Some(Protocol::from(protocol.as_str()))
}

/// Whether a request can be sent as one that switches protocols.
pub(in super::super) fn may_switch(head: &RequestHead<'_>, body: &ResendableBody) -> bool {
    protocol(head, body).is_some()
}

/// Says in HTTP/1.1's words that the endpoint has switched to `protocol`. A client that has sent the key of an HTTP/1.1
/// handshake gets the response to it (RFC 6455 §4.2.2): the endpoint has not seen it.
pub(super) fn switch(response: &mut Response<()>, protocol: &Protocol, fields: &Fields<'_>) {
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    refuse(headers);
    if let Ok(protocol) = HeaderValue::from_str(protocol.as_str()) {
        headers.insert(header::UPGRADE, protocol);
    }
    let accept = fields.all(&header::SEC_WEBSOCKET_KEY).next().map(|key| derive_accept_key(key.as_bytes()));
    if let Some(accept) = accept.and_then(|accept| HeaderValue::try_from(accept).ok()) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
}

/// Takes away what has no meaning where nothing of an HTTP/1.1 handshake was sent (RFC 8441 §5).
pub(super) fn refuse(headers: &mut HeaderMap) {
    headers.remove(header::SEC_WEBSOCKET_ACCEPT);
}

/// Both directions of the stream.
pub(super) fn tunnel(
    (send, recv): (SendStream<Bytes>, RecvStream),
    wire: Arc<Wire>,
    claim: Option<StreamClaim>,
) -> Box<Duplex> {
    let tunnel = Http2Tunnel { duplex: Http2Duplex::new(send, recv, wire), _claim: claim };
    Box::new(Duplex::Multiplexed(Box::new(tunnel)))
}

/// A tunnel, which counts as a stream of its connection.
struct Http2Tunnel {
    duplex: Http2Duplex,
    _claim: Option<StreamClaim>,
}

impl DuplexStream for Http2Tunnel {
    fn reset(&mut self, reason: ResetReason) {
        self.duplex.reset(reason);
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.duplex.poll_sent(cx)
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<PeerGone> {
        self.duplex.poll_gone(cx)
    }
}

impl AsyncRead for Http2Tunnel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().duplex).poll_read(cx, buf)
    }
}

impl AsyncWrite for Http2Tunnel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().duplex).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().duplex).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().duplex).poll_shutdown(cx)
    }
}
