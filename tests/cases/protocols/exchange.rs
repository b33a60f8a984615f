//! A request whose body and response are streamed, in either version.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tidegate_tests::{Http2, Http2Exchange, within};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::table::Client;
use super::world::{TcpEnd, World};

/// A request that is under way. Dropping it is a client that leaves.
pub(super) enum Exchange {
    Http1(Box<Http1Exchange>),
    Http2(Box<Http2Exchange>, Http2),
}

pub(super) struct Http1Exchange {
    /// None once it has ended.
    body: Option<UnboundedSender<Frame<Bytes>>>,
    response: JoinHandle<Result<Response<Incoming>, hyper::Error>>,
    received: Option<Incoming>,
    sender: SendRequest<Pieces>,
    connection: JoinHandle<()>,
}

/// A body of what comes through a channel.
struct Pieces(UnboundedReceiver<Frame<Bytes>>);

/// A response after its head.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) bytes: Vec<u8>,
    pub(super) trailers: HeaderMap,
}

impl Exchange {
    /// Sends a head, on a connection of its own.
    pub(super) async fn begin(world: &World, client: Client, request: Request<()>) -> Self {
        if client.is_http2() {
            let mut http2 = world.http2(client).await;
            return Self::Http2(Box::new(http2.begin(request).await), http2);
        }
        let io = TokioIo::new(world.connect(client, TcpEnd::Finish).await);
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        let connection = tokio::spawn(async move {
            let _broken = connection.await;
        });
        let (body, pieces) = unbounded_channel();
        let response = tokio::spawn(sender.send_request(request.map(|()| Pieces(pieces))));
        Self::Http1(Box::new(Http1Exchange { body: Some(body), response, received: None, sender, connection }))
    }

    /// Sends a piece of the body.
    pub(super) async fn write(&mut self, piece: impl Into<Bytes>) {
        match self {
            Self::Http1(http1) => http1.body.as_ref().unwrap().send(Frame::data(piece.into())).unwrap(),
            Self::Http2(http2, _) => http2.write(piece).await,
        }
    }

    /// Ends the body, with trailers if there are some.
    pub(super) fn finish(&mut self, trailers: HeaderMap) {
        match self {
            Self::Http1(http1) => {
                let body = http1.body.take().unwrap();
                if !trailers.is_empty() {
                    body.send(Frame::trailers(trailers)).unwrap();
                }
            }
            Self::Http2(http2, _) if trailers.is_empty() => http2.finish(),
            Self::Http2(http2, _) => http2.finish_with(trailers),
        }
    }

    /// Waits for the head of the response.
    pub(super) async fn head(&mut self) -> Response<()> {
        match self {
            Self::Http1(http1) => {
                let response = within("a head", &mut http1.response).await.unwrap().expect("a head");
                let (parts, body) = response.into_parts();
                http1.received = Some(body);
                Response::from_parts(parts, ())
            }
            Self::Http2(http2, _) => http2.head().await.expect("a head"),
        }
    }

    /// Exactly so many bytes of the response, or what there is before it breaks off.
    pub(super) async fn read(&mut self, count: usize) -> Vec<u8> {
        match self {
            Self::Http1(http1) => {
                let mut all = Vec::new();
                let body = http1.received.as_mut().expect("the head comes first");
                while all.len() < count {
                    let Some(Ok(frame)) = within("a piece", body.frame()).await else { break };
                    all.extend(frame.into_data().unwrap());
                }
                all
            }
            Self::Http2(http2, _) => http2.read(count).await.unwrap_or_default(),
        }
    }

    /// The rest of the response; an error if it breaks off.
    pub(super) async fn rest(&mut self) -> Result<Rest, String> {
        match self {
            Self::Http1(http1) => {
                let body = http1.received.take().expect("the head comes first");
                let whole = within("a body", body.collect()).await.map_err(|error| error.to_string())?;
                let trailers = whole.trailers().cloned().unwrap_or_default();
                Ok(Rest { bytes: whole.to_bytes().to_vec(), trailers })
            }
            Self::Http2(http2, _) => {
                let mut bytes = Vec::new();
                while let Some(data) = http2.data().await.map_err(|error| error.to_string())? {
                    bytes.extend_from_slice(&data);
                }
                let trailers = http2.trailers().await.map_err(|error| error.to_string())?;
                Ok(Rest { bytes, trailers })
            }
        }
    }

    /// Whether the connection can take another request.
    pub(super) async fn is_kept(&mut self) -> bool {
        match self {
            Self::Http1(http1) => within("the connection", http1.sender.ready()).await.is_ok(),
            Self::Http2(_, connection) => !connection.is_closed() && connection.frames().goaways().is_empty(),
        }
    }

    /// The connection, if it is HTTP/2.
    pub(super) fn connection(&self) -> Option<&Http2> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(_, connection) => Some(connection),
        }
    }
}

impl Drop for Http1Exchange {
    fn drop(&mut self) {
        self.response.abort();
        self.connection.abort();
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}
