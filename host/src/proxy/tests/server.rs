//! A server that speaks nothing: requests come by calls, and responses are frames. A second version of HTTP is written
//! like this.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderMap, Method, Request, StatusCode, Version};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream as InMemory, ReadBuf};
use tokio::sync::{mpsc, oneshot};

use super::super::handle::handle;
use super::super::switch::{Tunnel, TunnelSink};
use super::super::{Client, Snapshot};
use crate::http::{
    ClientUpgrade, InterimSink, Offer, RequestBody, ResponseBody, ServerRequest, UpgradeNeed, UpgradeRequest,
};
use crate::net::{Duplex, DuplexStream, PeerGone, ResetReason};

/// A client's connection that carries many requests and tunnels at a time.
pub(super) struct Connection {
    client: Arc<Client>,
    snapshot: Arc<Snapshot>,
}

/// What a client receives.
pub(super) struct Received {
    pub(super) interim: Vec<StatusCode>,
    pub(super) status: StatusCode,
    pub(super) body: ResponseBody,
}

/// Each tunnel runs in a task of its own.
struct Spawned;

impl TunnelSink for Spawned {
    fn accept(&self, tunnel: Tunnel) {
        tokio::spawn(tunnel);
    }
}

struct Interim(mpsc::UnboundedSender<StatusCode>);

impl InterimSink for Interim {
    fn send(&mut self, status: StatusCode, _fields: &HeaderMap) {
        self.0.send(status).unwrap();
    }
}

impl Connection {
    pub(super) fn new(client: Client, snapshot: Snapshot) -> Self {
        Self { client: Arc::new(client), snapshot: Arc::new(snapshot) }
    }

    /// A request, and its response.
    pub(super) async fn request(&self, method: Method, body: RequestBody) -> Received {
        self.respond(method, body, None).await
    }

    /// A websocket: the client's end of a stream of this connection.
    pub(super) async fn websocket(&self) -> InMemory {
        let (near, far) = tokio::io::duplex(64);
        let (settle, settled) = oneshot::channel();
        let client = ClientUpgrade::Boxed(Box::pin(async { settled.await.ok() }));
        let upgrade = UpgradeRequest { offer: Offer::of(["websocket"]).unwrap(), client, need: UpgradeNeed::Required };
        let received = self.respond(Method::GET, RequestBody::Empty, Some(upgrade)).await;
        assert_eq!(received.status, StatusCode::SWITCHING_PROTOCOLS);
        settle.send((Duplex::Multiplexed(Box::new(Stream(near))), Bytes::new())).unwrap();
        far
    }

    async fn respond(&self, method: Method, body: RequestBody, upgrade: Option<UpgradeRequest>) -> Received {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = "/a".parse().unwrap();
        request.headers_mut().insert("host", "front.example".parse().unwrap());
        let (send, mut interim) = mpsc::unbounded_channel();
        let request = ServerRequest {
            version: Version::HTTP_2,
            request: Ok(request),
            upgrade,
            interim: Some(Box::new(Interim(send))),
        };
        let response = handle(&self.client, &self.snapshot, &Spawned, request).await;
        let received = std::iter::from_fn(|| interim.try_recv().ok()).collect();
        Received { interim: received, status: response.status(), body: response.into_body() }
    }
}

/// A stream of the connection.
struct Stream(InMemory);

impl DuplexStream for Stream {
    fn reset(&mut self, _reason: ResetReason) {}

    fn poll_sent(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn poll_gone(&mut self, _cx: &mut Context<'_>) -> Poll<PeerGone> {
        Poll::Pending
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
