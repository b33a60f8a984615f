//! The same over HTTP/2: responses, and a websocket echo on extended CONNECT (RFC 8441).

use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use h2::ext::Protocol;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{Method, Request, Response};
use tokio::net::TcpStream;

use super::{body, echo};
use crate::stream::{self, Http2Stream};

/// What the preface begins with (RFC 9113 §3.4), and no request of HTTP/1.1 does.
pub(super) const BEGIN: &[u8; 4] = b"PRI ";

/// Serves one connection.
pub(super) async fn serve(stream: TcpStream, name: &str) -> anyhow::Result<()> {
    let name: Arc<str> = name.into();
    let mut connection = Builder::new()
        .initial_window_size(stream::WINDOW)
        .initial_connection_window_size(stream::CONNECTION_WINDOW)
        .enable_connect_protocol()
        .handshake(stream)
        .await?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        let name = name.clone();
        tokio::spawn(async move {
            // Who breaks off is measured at the other end.
            let _broken = respond_to(request, respond, &name).await;
        });
    }
    Ok(())
}

async fn respond_to(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, name: &str) -> anyhow::Result<()> {
    let head = Response::builder().header("x-backend", name);
    if request.method() == Method::CONNECT {
        let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
        if protocol != Some("websocket") {
            respond.send_reset(Reason::REFUSED_STREAM);
            return Ok(());
        }
        let send = respond.send_response(head.body(())?, false)?;
        return echo(&mut Http2Stream::new(send, request.into_body()), Vec::new()).await;
    }
    let (request, mut received) = request.into_parts();
    while let Some(data) = received.data().await {
        received.flow_control().release_capacity(data?.len())?;
    }
    let text = body(name, request.uri.path());
    let head = head.header("content-type", "text/plain").header("content-length", text.len());
    let mut send = respond.send_response(head.body(())?, false)?;
    stream::send(&mut send, text.into(), true).await.context("a response")
}
