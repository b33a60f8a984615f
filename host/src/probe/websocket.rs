//! An upgrade, a ping, its pong, and a close.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request, header};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::result::CheckFailure;
use crate::config::WebsocketCheck;
use crate::net::{Duplex, Stream};

/// Bytes of a message: endpoints may greet before they send the pong.
const MOST_MESSAGE: usize = 1 << 20;

/// How long an endpoint may take to close. It has passed by then.
const TO_CLOSE: Duration = Duration::from_secs(1);

/// What the pong must bring back.
const PAYLOAD: Bytes = Bytes::from_static(b"tidegate");

pub(super) fn request(
    check: &WebsocketCheck,
    base_path: &str,
    host: &HeaderValue,
) -> Result<Request<()>, ::http::Error> {
    Request::builder()
        // Only the path is sent: the place is taken by Host.
        .uri(format!("ws://endpoint{base_path}{}", check.path))
        .header(header::HOST, host)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, generate_key())
        .body(())
}

/// Bounds of what an endpoint may send.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MOST_MESSAGE)).max_frame_size(Some(MOST_MESSAGE))
}

/// The websocket, and the fields of the response that it was opened with.
pub(super) async fn open(
    stream: Stream,
    request: Request<()>,
) -> Result<(WebSocketStream<Duplex>, HeaderMap), CheckFailure> {
    match tokio_tungstenite::client_async_with_config(request, Duplex::from(stream), Some(limits())).await {
        Ok((socket, answer)) => Ok((socket, answer.into_parts().0.headers)),
        Err(Error::Http(response)) => Err(CheckFailure::Status(response.status().as_u16())),
        Err(error) => Err(CheckFailure::Websocket(Box::new(error))),
    }
}

/// Sends a ping, and passes over whatever comes before its pong.
pub(super) async fn ping(socket: &mut WebSocketStream<Duplex>) -> Result<(), CheckFailure> {
    let broken = |error| CheckFailure::Websocket(Box::new(error));
    socket.send(Message::Ping(PAYLOAD)).await.map_err(broken)?;
    while let Some(message) = socket.next().await {
        match message.map_err(broken)? {
            Message::Pong(payload) if payload == PAYLOAD => return Ok(()),
            Message::Close(_) => break,
            _ => {}
        }
    }
    Err(CheckFailure::NoPong)
}

/// Takes leave. An endpoint that does not is cut off; what it does here no longer counts.
pub(super) async fn close(mut socket: WebSocketStream<Duplex>, until: Instant) {
    let polite = async {
        if socket.close(None).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    let until = until.min(Instant::now() + TO_CLOSE);
    drop(tokio::time::timeout_at(until, polite).await);
}
