//! What an origin does with a connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, TRAILER,
    UPGRADE,
};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::http2::Http2Origin;
use super::{Ending, Handler, Kind, Seen, Shared};
use crate::http2::{Body, BoxError};
use crate::{BoxedIo, Io};

/// A field of every response.
pub(super) type Field = (HeaderName, Arc<dyn Fn() -> String + Send + Sync>);

/// What every connection of an origin shares.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) fields: Arc<Vec<Field>>,
    pub(super) work: Duration,
    pub(super) http2: Option<Http2Origin>,
    pub(super) tunnel: Option<Handler>,
    pub(super) shared: Arc<Shared>,
}

/// What is responded to a request.
pub(super) enum Responded {
    /// A response, be it what it may.
    Whole(Response<Body>),
    /// The head of a tunnel.
    Switched(Response<Body>),
}

impl Serving {
    /// Takes care of a connection in a task of its own.
    pub(super) fn connection(&self, stream: impl Io + 'static) {
        self.shared.connections.fetch_add(1, Relaxed);
        let serving = self.clone();
        self.shared.spawn(async move {
            let mut negotiated = false;
            let io: BoxedIo = match &serving.tls {
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => {
                        negotiated = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        Box::new(stream)
                    }
                    // Clients that do not trust us are part of some tests.
                    Err(_refused) => return,
                },
                None => Box::new(stream),
            };
            match serving.kind.clone() {
                Kind::Raw(handler) => handler(io).await,
                Kind::Echo(_) | Kind::Streams(_) => match serving.http2.clone() {
                    Some(http2) if http2.is_only || negotiated => serving.http2(io, &http2).await,
                    _ => serving.http1(io).await,
                },
            }
        });
    }

    async fn http1(self, io: BoxedIo) {
        let service = service_fn(|request| self.clone().http1_response(request));
        // A connection that breaks off is for the test to notice.
        let _broken =
            http1::Builder::new().half_close(true).serve_connection(TokioIo::new(io), service).with_upgrades().await;
    }

    async fn http1_response(self, mut request: Request<Incoming>) -> Result<Response<Body>, BoxError> {
        let upgraded = hyper::upgrade::on(&mut request);
        let headers = request.headers();
        let upgrade = headers.get(UPGRADE).filter(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| upgrade.is_some()).cloned();
        let request = request.map(|body| body.map_err(BoxError::from).boxed_unsync());
        match self.respond(request, key.is_some()).await? {
            Responded::Whole(response) => Ok(response),
            Responded::Switched(mut response) => {
                if let Some(key) = key {
                    switch(response.headers_mut(), &key);
                }
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                let serving = self.clone();
                self.shared.spawn(async move {
                    if let Ok(stream) = upgraded.await {
                        serving.tunnel(Box::new(TokioIo::new(stream))).await;
                    }
                });
                Ok(response)
            }
        }
    }

    /// What is responded to a request; `opens` if it would have a websocket.
    pub(super) async fn respond(&self, request: Request<Body>, opens: bool) -> Result<Responded, BoxError> {
        let (parts, body) = request.into_parts();
        if matches!(parts.uri.path(), "/mirror" | "/torn") && !opens {
            return Ok(Responded::Whole(self.mirror(&parts, body)));
        }
        // A tunnel has no end for now, and no body.
        let (bytes, trailers) = if opens {
            (Bytes::new(), None)
        } else {
            let body = body.collect().await.inspect_err(|_| _ = self.shared.broken.fetch_add(1, Relaxed))?;
            let trailers = body.trailers().cloned();
            (body.to_bytes(), trailers)
        };
        let seen = self.seen(&parts, &bytes, trailers.as_ref());
        self.shared.seen.lock().unwrap().push(seen.clone());
        let scripted = match &self.kind {
            Kind::Echo(Some(responder)) => responder(&seen),
            _ => None,
        };
        let mut responded = match scripted {
            Some(response) => {
                Responded::Whole(response.map(|body| body.map_err(|never| match never {}).boxed_unsync()))
            }
            None if opens => Responded::Switched(chosen(parts.headers.get(SEC_WEBSOCKET_PROTOCOL))),
            None if parts.uri.path() == "/never" => std::future::pending().await,
            None => {
                if !self.work.is_zero() {
                    tokio::time::sleep(self.work).await;
                }
                Responded::Whole(Response::new(full(serde_json::to_vec(&seen).unwrap())))
            }
        };
        let (Responded::Whole(response) | Responded::Switched(response)) = &mut responded;
        self.say(response.headers_mut());
        Ok(responded)
    }

    fn seen(&self, parts: &Parts, body: &[u8], trailers: Option<&HeaderMap>) -> Seen {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let pairs = |all: &HeaderMap| all.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let target = match parts.version {
            Version::HTTP_2 => parts.uri.path_and_query().map_or("", PathAndQuery::as_str).to_owned(),
            _ => parts.uri.to_string(),
        };
        Seen {
            endpoint: self.name.clone(),
            method: parts.method.to_string(),
            target,
            headers: pairs(&parts.headers),
            body: String::from_utf8_lossy(body).into_owned(),
            trailers: trailers.map(pairs).unwrap_or_default(),
            version: format!("{:?}", parts.version),
            authority: parts.uri.authority().map(ToString::to_string),
            scheme: parts.uri.scheme_str().map(str::to_owned),
            protocol: parts.extensions.get::<h2::ext::Protocol>().map(|protocol| protocol.as_str().to_owned()),
        }
    }

    /// What comes goes back as it comes, trailers too.
    fn mirror(&self, parts: &Parts, body: Body) -> Response<Body> {
        let seen = self.seen(parts, &[], None);
        self.shared.seen.lock().unwrap().push(seen);
        let mut response = Response::new(self.reflection(parts, body).boxed_unsync());
        let names = parts.headers.get(TRAILER).cloned().unwrap_or(HeaderValue::from_static("x-check"));
        response.headers_mut().insert(TRAILER, names);
        self.say(response.headers_mut());
        response
    }

    fn reflection(&self, parts: &Parts, body: Body) -> Mirror {
        Mirror { body, shared: self.shared.clone(), has_ended: false, is_torn: parts.uri.path() == "/torn" }
    }

    fn say(&self, headers: &mut HeaderMap) {
        headers.insert("x-endpoint", HeaderValue::from_str(&self.name).unwrap());
        for (name, value) in self.fields.iter() {
            headers.append(name, HeaderValue::from_str(&value()).unwrap());
        }
    }

    /// What is behind a switch.
    pub(super) async fn tunnel(self, io: BoxedIo) {
        match self.tunnel.clone() {
            Some(handler) => handler(io).await,
            None => self.echo(io).await,
        }
    }

    async fn echo(self, stream: impl Io) {
        let mut websocket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        self.shared.open.fetch_add(1, Relaxed);
        let open = Open(&self.shared);
        let mut ending = Ending::Cut;
        let greeting = Message::Text(Utf8Bytes::from(format!("hello from {}", self.name)));
        if websocket.send(greeting).await.is_ok() {
            while let Some(Ok(message)) = websocket.next().await {
                let sent = match message {
                    Message::Text(_) | Message::Binary(_) => websocket.send(message).await,
                    Message::Close(frame) => {
                        ending = Ending::Closed(frame.map(|frame| frame.code.into()));
                        Ok(())
                    }
                    _ => Ok(()),
                };
                if sent.is_err() {
                    break;
                }
            }
        }
        // Where dropping the connection is no end, as in HTTP/2.
        if ending != Ending::Cut {
            let _gone = websocket.get_mut().shutdown().await;
        }
        self.shared.endings.lock().unwrap().push(ending);
        drop(open);
        // Dropped at once, a stream of HTTP/2 is reset, and what was sent last is lost with it.
        let mut stream = websocket.into_inner();
        if stream.shutdown().await.is_ok() {
            let _gone = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    }
}

/// A body on its way back. One that is dropped before its end has broken off.
struct Mirror {
    body: Body,
    shared: Arc<Shared>,
    has_ended: bool,
    /// Instead of its end it breaks off.
    is_torn: bool,
}

impl hyper::body::Body for Mirror {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.has_ended = match &frame {
            None => true,
            Some(Ok(frame)) => frame.is_trailers(),
            Some(Err(_)) => false,
        };
        Poll::Ready(if self.has_ended && self.is_torn { Some(Err("torn".into())) } else { frame })
    }

    fn is_end_stream(&self) -> bool {
        !self.is_torn && self.body.is_end_stream()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if !self.has_ended && !hyper::body::Body::is_end_stream(&self.body) {
            self.shared.broken.fetch_add(1, Relaxed);
        }
    }
}

/// Counts a websocket as open until it is dropped, also by an abort.
struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// A head that says which of `protocols` was chosen: the first.
fn chosen(protocols: Option<&HeaderValue>) -> Response<Body> {
    let mut response = Response::new(full(Bytes::new()));
    if let Some(first) = protocols.and_then(|value| value.to_str().ok()).and_then(|list| list.split(',').next()) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(first.trim()).unwrap());
    }
    response
}

/// What a switch says in HTTP/1.1.
fn switch(headers: &mut HeaderMap, key: &HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&derive_accept_key(key.as_bytes())).unwrap());
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::from(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
