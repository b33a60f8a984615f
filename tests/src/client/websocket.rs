//! A websocket client by tokio-tungstenite.

use futures_util::{SinkExt, StreamExt};
use hyper::{HeaderMap, Request, Response};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::{BoxedIo, within};

/// An open websocket.
#[derive(Debug)]
pub struct Websocket {
    stream: WebSocketStream<BoxedIo>,
    head: Response<()>,
}

/// The request of a websocket handshake for `path` on `gateway.test`, to be sent or added to.
///
/// # Panics
/// If `path` is none.
#[must_use]
pub fn upgrade_request(path: &str) -> Request<()> {
    Request::get(format!("ws://gateway.test{path}"))
        .header("host", "gateway.test")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .body(())
        .unwrap()
}

impl Websocket {
    /// Shakes hands on `io`.
    ///
    /// # Errors
    /// [`Error::Http`] is what the other side answered instead.
    pub async fn open(io: BoxedIo, request: Request<()>) -> Result<Self, Error> {
        let (stream, head) = within("a websocket handshake", tokio_tungstenite::client_async(request, io)).await?;
        Ok(Self { stream, head: head.map(|_none| ()) })
    }

    /// Over a stream that has become a tunnel already, after this head.
    pub async fn over(io: BoxedIo, head: Response<()>) -> Self {
        Self { stream: WebSocketStream::from_raw_socket(io, Role::Client, None).await, head }
    }

    /// Name of the origin at the other end.
    ///
    /// # Panics
    /// If the other end says no name.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.headers()["x-endpoint"].to_str().unwrap()
    }

    /// Fields of the 101, or of the 2xx that is as much in HTTP/2.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Sends a message.
    ///
    /// # Panics
    /// If the connection is gone.
    pub async fn send(&mut self, message: impl Into<Message>) {
        within("a message to go out", self.stream.send(message.into())).await.expect("a message goes out");
    }

    /// The next message; none at the end of the connection, clean or not.
    pub async fn next(&mut self) -> Option<Message> {
        within("a message", self.stream.next()).await?.ok()
    }

    /// Reads the greeting of an origin.
    ///
    /// # Panics
    /// If it does not come.
    pub async fn greeted(mut self) -> Self {
        let greeting = self.next().await;
        assert_eq!(greeting, Some(Message::text(format!("hello from {}", self.endpoint()))));
        self
    }

    /// Sends `message` and expects it back.
    ///
    /// # Panics
    /// If something else comes, or nothing.
    pub async fn echo(&mut self, message: impl Into<Message>) {
        let message = message.into();
        self.send(message.clone()).await;
        let back = self.next().await;
        assert!(back.as_ref() == Some(&message), "sent {} bytes, got back {back:.200?}", message.len());
    }

    /// Sends `message`; whether it came back.
    pub async fn try_echo(&mut self, message: impl Into<Message>) -> bool {
        let message = message.into();
        let sent = within("a message to go out", self.stream.send(message.clone())).await;
        sent.is_ok() && self.next().await == Some(message)
    }

    /// Reads to the end; the code of the Close frame, if one came.
    pub async fn ended(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(message) = self.next().await {
            if let Message::Close(Some(frame)) = message {
                code = Some(frame.code.into());
            }
        }
        code
    }

    /// Closes it politely, and waits for the other side's Close frame.
    pub async fn close(mut self) {
        let _already = self.stream.close(None).await;
        self.ended().await;
        // Where dropping the connection is no end, as in HTTP/2.
        let _gone = self.stream.get_mut().shutdown().await;
    }

    /// The connection under it, for bytes that are no messages.
    #[must_use]
    pub fn into_inner(self) -> BoxedIo {
        self.stream.into_inner()
    }
}
