//! HTTP/2 from clients, a task for each stream; HTTP/2 with endpoints, one connection of each thread to each of them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

use anyhow::Context as _;
use bytes::Bytes;
use h2::client::{self, SendRequest};
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{Method, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::http1;
use crate::scene::BOTH;
use crate::stream::{self, CONNECTION_WINDOW, WINDOW};

/// Streams that a client may have open on a connection.
const STREAMS: u32 = 100;

thread_local! {
    /// Whose turn it is.
    static TURN: Cell<usize> = const { Cell::new(0) };
    /// A connection to each endpoint, or not yet.
    static SESSIONS: RefCell<Vec<(SocketAddr, SendRequest<Bytes>)>> = const { RefCell::new(Vec::new()) };
}

/// Serves one connection of a client, until that closes it.
pub(super) async fn serve<T>(client: T, to: Arc<[SocketAddr]>) -> anyhow::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = server::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS)
        .enable_connect_protocol()
        .handshake(client)
        .await?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request?;
        let turn = TURN.get();
        TURN.set(turn.wrapping_add(1));
        let endpoint = to.get(turn % to.len().max(1)).copied().context("no endpoint")?;
        tokio::spawn(async move {
            if forward(request, &mut respond, endpoint).await.is_err() {
                // Whoever measures counts it there.
                respond.send_reset(Reason::INTERNAL_ERROR);
            }
        });
    }
    Ok(())
}

async fn forward(
    request: Request<RecvStream>,
    respond: &mut SendResponse<Bytes>,
    endpoint: SocketAddr,
) -> anyhow::Result<()> {
    if request.method() == Method::CONNECT {
        return websocket(request, respond, endpoint).await;
    }
    if request.uri().path().starts_with(BOTH) {
        return request_http2(request, respond, endpoint).await;
    }
    let (request, _no_body) = request.into_parts();
    let (response, mut body) = http1::exchange(endpoint, &request).await?;
    let mut send = respond.send_response(response, body.left() == 0)?;
    while body.left() > 0 {
        let part = body.next().await?;
        stream::send(&mut send, part, body.left() == 0).await?;
    }
    body.finish();
    Ok(())
}

async fn request_http2(
    request: Request<RecvStream>,
    respond: &mut SendResponse<Bytes>,
    endpoint: SocketAddr,
) -> anyhow::Result<()> {
    let known = SESSIONS.with_borrow(|sessions| {
        sessions.iter().find(|(address, _)| *address == endpoint).map(|(_, session)| session.clone())
    });
    let mut session = match known {
        Some(session) => session.ready().await?,
        None => open(endpoint).await?,
    };
    let (parts, _no_body) = request.into_parts();
    let (response, _sent) = session.send_request(Request::from_parts(parts, ()), true)?;
    let (head, mut body) = response.await?.into_parts();
    let mut send = respond.send_response(Response::from_parts(head, ()), body.is_end_stream())?;
    pass(&mut body, &mut send).await?;
    Ok(())
}

/// Passes on a body, its end included.
async fn pass(body: &mut RecvStream, send: &mut SendStream<Bytes>) -> anyhow::Result<()> {
    while let Some(part) = body.data().await {
        let part = part?;
        let count = part.len();
        let last = body.is_end_stream();
        stream::send(send, part, last).await?;
        body.flow_control().release_capacity(count)?;
        if last {
            return Ok(());
        }
    }
    Ok(send.send_data(Bytes::new(), true)?)
}

async fn open(endpoint: SocketAddr) -> anyhow::Result<SendRequest<Bytes>> {
    let stream = TcpStream::connect(endpoint).await?;
    stream.set_nodelay(true)?;
    let (session, connection) = client::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .enable_push(false)
        .handshake::<_, Bytes>(stream)
        .await?;
    tokio::spawn(async move {
        // Whoever has a stream on it sees it there.
        let _broken = connection.await;
        SESSIONS.with_borrow_mut(|sessions| sessions.retain(|(address, _)| *address != endpoint));
    });
    SESSIONS.with_borrow_mut(|sessions| sessions.push((endpoint, session.clone())));
    Ok(session)
}

async fn websocket(
    request: Request<RecvStream>,
    respond: &mut SendResponse<Bytes>,
    endpoint: SocketAddr,
) -> anyhow::Result<()> {
    let (request, mut receive) = request.into_parts();
    let (mut connection, ahead) = http1::websocket(endpoint, &request).await?;
    let mut send = respond.send_response(Response::new(()), false)?;
    stream::send(&mut send, ahead, false).await?;
    let (mut read, mut write) = connection.split();
    let up = async {
        let mut frames = Vec::new();
        loop {
            ready_frames(&mut receive, &mut frames).await?;
            let mut written = match frames.as_slice() {
                [] => return anyhow::Ok(write.shutdown().await?),
                [frame] => write.write(frame).await?,
                several => {
                    write.write_vectored(&several.iter().map(|frame| IoSlice::new(frame)).collect::<Vec<_>>()).await?
                }
            };
            for frame in frames.drain(..) {
                let rest = frame.get(written..).unwrap_or_default();
                written = written.saturating_sub(frame.len());
                write.write_all(rest).await?;
                receive.flow_control().release_capacity(frame.len())?;
            }
        }
    };
    let down = async {
        loop {
            let data = http1::read(&mut read).await?;
            if data.is_empty() {
                return anyhow::Ok(send.send_data(data, true)?);
            }
            stream::send(&mut send, data, false).await?;
        }
    };
    tokio::try_join!(up, down)?;
    Ok(())
}

/// Takes what has come, as many frames as there are, to be written at once: a message of 16 KiB is longer than a frame may
/// be. Nothing at the end.
async fn ready_frames(receive: &mut RecvStream, frames: &mut Vec<Bytes>) -> Result<(), h2::Error> {
    poll_fn(|context| {
        loop {
            match receive.poll_data(context) {
                Poll::Ready(Some(Ok(frame))) => frames.push(frame),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Pending if frames.is_empty() => return Poll::Pending,
                Poll::Pending | Poll::Ready(None) => return Poll::Ready(Ok(())),
            }
        }
    })
    .await
}
