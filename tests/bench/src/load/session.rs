//! Connections of HTTP/2, as clients have them.

use anyhow::{bail, ensure};
use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::ext::Protocol;
use http::{Method, Request, StatusCode};

use super::dialer::Connection;
use crate::stream::{CONNECTION_WINDOW, Http2Stream, WINDOW};

/// Streams that a connection has open at a time, as one page in a browser may have.
pub(crate) const STREAMS: usize = 8;

/// Begins HTTP/2 on `connection`. It ends when the last handle and the last stream are gone.
pub(super) async fn open(connection: Connection) -> anyhow::Result<SendRequest<Bytes>> {
    let (session, connection) = Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .enable_push(false)
        .handshake::<_, Bytes>(connection)
        .await?;
    tokio::spawn(async move {
        // Whoever has a stream on it sees it there.
        let _broken = connection.await;
    });
    Ok(session)
}

/// One GET, which must be responded to with a 200; the length of the body.
pub(super) async fn get(session: SendRequest<Bytes>, target: &str) -> anyhow::Result<usize> {
    let mut session = session.ready().await?;
    let (response, _sent) = session.send_request(Request::get(target).body(())?, true)?;
    let response = response.await?;
    ensure!(response.status() == StatusCode::OK, "the response is {}", response.status());
    let (mut body, mut length) = (response.into_body(), 0);
    while let Some(data) = body.data().await {
        let count = data?.len();
        body.flow_control().release_capacity(count)?;
        length += count;
    }
    Ok(length)
}

/// Opens a websocket (RFC 8441).
pub(super) async fn websocket(session: SendRequest<Bytes>, target: &str) -> anyhow::Result<Http2Stream> {
    let mut session = session.ready().await?;
    if !session.is_extended_connect_protocol_enabled() {
        bail!("no websockets over HTTP/2: SETTINGS_ENABLE_CONNECT_PROTOCOL was not sent");
    }
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(target)
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13");
    let (response, send) = session.send_request(request.body(())?, false)?;
    let response = response.await?;
    ensure!(response.status() == StatusCode::OK, "not switched: {}", response.status());
    Ok(Http2Stream::new(send, response.into_body()))
}
