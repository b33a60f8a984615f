//! An endpoint of the demo: echoes websockets, and says who it is to everybody else.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, LOCATION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SET_COOKIE, UPGRADE,
};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};

/// Field of the handshake's response that names the endpoint.
pub(super) const NAME_FIELD: &str = "x-endpoint";

/// A path that is redirected, with a cookie: what rewriters look at.
const MOVED: &str = "/moved";

/// What browsers get: a websocket to talk through.
const PAGE: &str = include_str!("page.html");

/// A socket, and a name to respond with.
#[derive(Debug)]
pub(in crate::cli) struct DemoEndpoint {
    name: &'static str,
    address: SocketAddr,
    listener: TcpListener,
}

impl DemoEndpoint {
    /// Takes a free loopback port.
    pub(in crate::cli) async fn bind(name: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { name, address: listener.local_addr()?, listener })
    }

    pub(in crate::cli) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is dropped, and ends its connections with itself.
    pub(in crate::cli) async fn serve(self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    if let Ok((stream, _peer)) = accepted {
                        connections.spawn(serve(self.name, stream));
                    }
                }
                Some(_ended) = connections.join_next() => {}
            }
        }
    }
}

/// One connection: HTTP, and a websocket if the client switches. A client that breaks off has ended it, and that is
/// all.
async fn serve(name: &'static str, stream: TcpStream) {
    let switch: Arc<Mutex<Option<OnUpgrade>>> = Arc::default();
    let service = hyper::service::service_fn(|request| {
        let response = respond(name, request, &switch);
        async { Ok::<_, Infallible>(response) }
    });
    let http = hyper::server::conn::http1::Builder::new();
    if http.serve_connection(TokioIo::new(stream), service).with_upgrades().await.is_err() {
        return;
    }
    let switched = switch.lock().take();
    if let Some(switched) = switched
        && let Ok(upgraded) = switched.await
    {
        let websocket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        let _gone = echo(name, websocket).await;
    }
}

fn respond(name: &str, mut request: Request<Incoming>, switch: &Mutex<Option<OnUpgrade>>) -> Response<Full<Bytes>> {
    let wants_page = request.headers().get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    let accept = request
        .headers()
        .get(SEC_WEBSOCKET_KEY)
        .and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok());
    let mut response = Response::default();
    if let Ok(name) = HeaderValue::from_str(name) {
        response.headers_mut().insert(NAME_FIELD, name);
    }
    if let Some(accept) = accept {
        *switch.lock() = Some(hyper::upgrade::on(&mut request));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    } else if request.uri().path() == MOVED {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, HeaderValue::from_static("/inner/place"));
        response.headers_mut().insert(SET_COOKIE, HeaderValue::from_static("session=1; Path=/inner"));
    } else if wants_page {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        *response.body_mut() = PAGE.replace("ENDPOINT", name).into();
    } else {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        *response.body_mut() = format!("endpoint {name}: {} {}\n", request.method(), request.uri()).into();
    }
    response
}

/// Greets, then sends back whatever comes.
async fn echo<S>(name: &str, mut websocket: WebSocketStream<S>) -> Result<(), tungstenite::Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    websocket.send(Message::text(format!("endpoint {name} echoes"))).await?;
    while let Some(message) = websocket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            websocket.send(message).await?;
        }
    }
    Ok(())
}
