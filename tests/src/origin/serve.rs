//! What an origin does with a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::{Ending, Kind, Seen, Shared};
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
    pub(super) shared: Arc<Shared>,
}

impl Serving {
    /// Takes care of a connection in a task of its own.
    pub(super) fn connection(&self, stream: impl Io + 'static) {
        self.shared.connections.fetch_add(1, Relaxed);
        let serving = self.clone();
        self.shared.spawn(async move {
            let io: BoxedIo = match &serving.tls {
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => Box::new(stream),
                    // Clients that do not trust us are part of some tests.
                    Err(_refused) => return,
                },
                None => Box::new(stream),
            };
            match serving.kind.clone() {
                Kind::Raw(handler) => handler(io).await,
                Kind::Echo(_) => serving.http(io).await,
            }
        });
    }

    async fn http(self, io: BoxedIo) {
        let service = service_fn(|request| self.clone().answer(request));
        // A connection that breaks off is for the test to notice.
        let _broken =
            http1::Builder::new().half_close(true).serve_connection(TokioIo::new(io), service).with_upgrades().await;
    }

    async fn answer(self, mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let upgraded = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let seen = Seen {
            endpoint: self.name.clone(),
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.shared.seen.lock().unwrap().push(seen.clone());
        let told = match &self.kind {
            Kind::Echo(Some(responder)) => responder(&seen),
            _ => None,
        };
        let is_websocket =
            parts.headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let key = parts.headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_websocket);
        let mut response = match (told, key) {
            (Some(told), _) => told,
            (None, Some(key)) => {
                let response = switching(key, parts.headers.get(SEC_WEBSOCKET_PROTOCOL));
                let serving = self.clone();
                self.shared.spawn(async move {
                    if let Ok(stream) = upgraded.await {
                        serving.echo(TokioIo::new(stream)).await;
                    }
                });
                response
            }
            (None, None) if parts.uri.path() == "/never" => std::future::pending().await,
            (None, None) => {
                if !self.work.is_zero() {
                    tokio::time::sleep(self.work).await;
                }
                Response::new(Full::from(serde_json::to_vec(&seen).unwrap()))
            }
        };
        response.headers_mut().insert("x-endpoint", HeaderValue::from_str(&self.name).unwrap());
        for (name, value) in self.fields.iter() {
            response.headers_mut().append(name, HeaderValue::from_str(&value()).unwrap());
        }
        Ok(response)
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
        self.shared.endings.lock().unwrap().push(ending);
        drop(open);
    }
}

/// Counts a websocket as open until it is dropped, also by an abort.
struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

fn switching(key: &HeaderValue, protocols: Option<&HeaderValue>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&derive_accept_key(key.as_bytes())).unwrap());
    if let Some(first) = protocols.and_then(|value| value.to_str().ok()).and_then(|list| list.split(',').next()) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(first.trim()).unwrap());
    }
    response
}
