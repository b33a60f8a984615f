//! An endpoint that speaks HTTP/2 without TLS, at a unix socket.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Request, Response};
use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{RecvStream, SendStream};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

use super::super::super::tests::{HOST, Seen, head};
use super::super::super::{
    Address, EndpointProtocol, ExchangeError, ExchangeLimits, HeadLimits, PoolLimits, RequestHead, ResendableBody,
    ResponseContent, Upstream, UpstreamSettings,
};
use crate::http::Fields;

pub(super) const SOON: Duration = Duration::from_secs(5);

pub(super) type Served = Connection<UnixStream, Bytes>;

/// An endpoint, and the gateway's way to it.
pub(super) struct Endpoint {
    pub(super) upstream: Arc<Upstream>,
    pub(super) listener: UnixListener,
    _folder: TempDir,
}

impl Endpoint {
    pub(super) fn new() -> Self {
        Self::with(HeadLimits { bytes: 4096, fields: 10 })
    }

    pub(super) fn with(limits: HeadLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoint");
        let listener = UnixListener::bind(&path).unwrap();
        let settings = UpstreamSettings {
            url: "http://endpoint".into(),
            known_as: "http://endpoint".into(),
            address: Address::Unix(path),
            tls: None,
            authority: HOST.clone(),
            base_path: String::new(),
            pool: PoolLimits { size: 10, idle: Duration::from_secs(60) },
            head: limits,
            protocol: EndpointProtocol::Http2,
            metrics: crate::telemetry::Metrics::new(NonZeroUsize::MIN),
        };
        Self { upstream: Upstream::new(settings, NonZeroUsize::MIN), listener, _folder: folder }
    }

    /// The next connection, with the library's settings.
    pub(super) async fn accept(&self) -> Served {
        self.accept_with(&Builder::new()).await
    }

    pub(super) async fn accept_with(&self, settings: &Builder) -> Served {
        let (stream, _) = self.listener.accept().await.unwrap();
        settings.handshake(stream).await.unwrap()
    }
}

/// The next request, while the connection goes on.
pub(super) async fn next(served: &mut Served) -> (Request<RecvStream>, SendResponse<Bytes>) {
    served.accept().await.unwrap().unwrap()
}

/// Drives the connection to its end, whatever that is.
pub(super) fn drive(mut served: Served) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { while let Some(Ok(_)) = served.accept().await {} })
}

/// Begins a response with these fields, its body to come.
pub(super) fn begin(respond: &mut SendResponse<Bytes>, fields: &[(&'static str, &str)]) -> SendStream<Bytes> {
    let mut response = Response::new(());
    for (name, value) in fields {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    respond.send_response(response, false).unwrap()
}

/// A whole response.
pub(super) fn finish(respond: &mut SendResponse<Bytes>, text: &'static str) {
    begin(respond, &[]).send_data(Bytes::from_static(text.as_bytes()), true).unwrap();
}

pub(super) fn trailers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
}

/// Sends a request without fields of its own.
pub(super) async fn send(
    upstream: &Arc<Upstream>,
    method: Method,
    body: &mut ResendableBody,
    seen: &mut Seen,
) -> Result<Response<ResponseContent>, ExchangeError> {
    send_head(upstream, head(&method, "/a?b", &Fields::default()), body, seen).await
}

pub(super) async fn send_head(
    upstream: &Arc<Upstream>,
    head: RequestHead<'_>,
    body: &mut ResendableBody,
    seen: &mut Seen,
) -> Result<Response<ResponseContent>, ExchangeError> {
    upstream.exchange(head, body, ExchangeLimits { connect: SOON, response: SOON }, seen).await
}

/// The bytes of a response.
pub(super) async fn text(response: Response<ResponseContent>) -> Bytes {
    use http_body_util::BodyExt as _;
    match response.into_body() {
        ResponseContent::Whole(whole, _) => whole,
        ResponseContent::Stream(stream) => stream.collect().await.unwrap().to_bytes(),
        ResponseContent::Duplex(..) => panic!("a tunnel"),
    }
}
