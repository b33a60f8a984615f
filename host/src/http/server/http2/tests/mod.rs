//! A server of HTTP/2 against the library's client, over TCP.

mod connections;
mod streams;

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Multiplexed, StreamOffer};
use crate::http::message::{RequestBodyError, ResponseBody, ServerRequest};
use crate::http::server::error::ServeError;
use crate::http::server::limits::{ClientLimits, HttpVersions};
use crate::lifecycle::Drain;
use crate::net::{Socket, Stream};
use crate::telemetry::Metrics;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

const LIMITS: ClientLimits = ClientLimits {
    head_bytes: 8 * 1024,
    head_fields: 20,
    head_timeout: LONG,
    idle_timeout: LONG,
    body_timeout: LONG,
    linger: SHORT,
    linger_bytes: 1024,
    half_close: false,
    versions: HttpVersions::Any,
    streams: 10,
};

type BoxedTunnel = Pin<Box<dyn Future<Output = ()> + Send>>;
type Handled = (Response<ResponseBody>, Option<BoxedTunnel>);

/// A connection that is being served, and its client.
struct Stage {
    client: SendRequest<Bytes>,
    served: JoinHandle<Result<(), ServeError>>,
    driven: JoinHandle<Result<(), h2::Error>>,
    drain: Drain,
}

async fn serve<F>(limits: ClientLimits, handler: impl Fn(ServerRequest) -> F + Send + Sync + 'static) -> Stage
where
    F: Future<Output = Handled> + Send + 'static,
{
    serve_to(h2::client::Builder::new(), limits, handler).await
}

async fn serve_to<F>(
    builder: h2::client::Builder,
    limits: ClientLimits,
    handler: impl Fn(ServerRequest) -> F + Send + Sync + 'static,
) -> Stage
where
    F: Future<Output = Handled> + Send + 'static,
{
    let (stream, served, drain) = raw(limits, handler).await;
    let (client, connection) = builder.handshake(stream).await.unwrap();
    let driven = tokio::spawn(connection);
    Stage { client: client.ready().await.unwrap(), served, driven, drain }
}

async fn raw<F>(
    limits: ClientLimits,
    handler: impl Fn(ServerRequest) -> F + Send + Sync + 'static,
) -> (TcpStream, JoinHandle<Result<(), ServeError>>, Drain)
where
    F: Future<Output = Handled> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let drain = Drain::new(NonZeroUsize::MIN);
    let served = {
        let (drain, stream) = (drain.clone(), Stream::Plain(Socket::from(far.unwrap().0)));
        let offer = StreamOffer { websocket: true };
        let metrics = Arc::new(Metrics::new(NonZeroUsize::MIN));
        let connection = Multiplexed::new(stream, Bytes::new());
        tokio::spawn(async move { connection.serve(offer, limits, &drain, &metrics, handler).await })
    };
    (near.unwrap(), served, drain)
}

fn whole(text: &'static str) -> Handled {
    (Response::new(ResponseBody::whole(text)), None)
}

fn get(path: &str) -> Request<()> {
    Request::builder().uri(format!("http://h.example{path}")).body(()).unwrap()
}

async fn body_of(response: Response<RecvStream>) -> (Bytes, Option<HeaderMap>) {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        bytes.extend_from_slice(&data);
    }
    (bytes.into(), body.trailers().await.unwrap())
}
