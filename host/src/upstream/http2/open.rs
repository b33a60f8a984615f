//! From a stream of bytes to a connection that takes requests, and the task that moves its frames.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::uri::Scheme;
use bytes::Bytes;
use h2::client::Builder;

use super::super::timer::LazyTimer;
use super::super::unreadable::{Excerpt, is_tls_record};
use super::super::{Broken, ConnectFault, HeadLimits, NoHttp2Remedy};
use super::connection::{Http2Connection, StreamCount};
use super::keepalive::{Keepalive, UNRESPONSIVE};
use crate::http::{SMALL_PIECES, WatchedStream, Wire, WireFault, WireSide};
use crate::lifecycle;
use crate::net::Stream;

/// What an endpoint may send of one response that is not read (RFC 9113 §5.2).
const STREAM_WINDOW: u32 = 64 * 1024;

/// What it may send of all of them: as much as of a hundred, so that some which are not read do not hold up the others.
const CONNECTION_WINDOW: u32 = 100 * STREAM_WINDOW;

/// Bytes of a request that the library holds until they are written.
const SEND_BUFFER: usize = 64 * 1024;

/// Streams whose frames are passed over for a while after they were given up: what is on its way when a client goes is
/// no fault of the endpoint.
const GIVEN_UP: usize = 1024;

/// The library's limit of streams as long as the endpoint has not set one: no number that fits in a setting, so that it
/// is seen when the endpoint's settings are in force.
const UNSET: usize = usize::MAX - 1;

/// Speaks HTTP/2 over `stream`, once the endpoint has sent its settings (RFC 9113 §3.4). The connection is driven by a
/// task of its own on this worker, which ends with it.
///
/// # Errors
/// Why the endpoint does not speak it; nothing of a request was sent.
pub(in super::super) async fn open(
    stream: Stream,
    mut timer: LazyTimer,
    limits: HeadLimits,
) -> Result<Http2Connection, ConnectFault> {
    let is_tls = stream.is_tls();
    let scheme = if is_tls { Scheme::HTTPS } else { Scheme::HTTP };
    let (stream, wire) = WatchedStream::new(stream, Bytes::new(), WireSide::Endpoint);
    let within = timer.allowed();
    let opening = handshake(stream, &wire, limits, is_tls);
    let opened = timer.race(pin!(opening)).await.unwrap_or(Err(ConnectFault::TimedOut(within)));
    let (sender, mut connection) = opened?;
    let streams = Arc::new(StreamCount::default());
    let keepalive = Keepalive::new(connection.ping_pong());
    lifecycle::spawn(Driver { connection, wire, streams: Arc::clone(&streams), keepalive });
    Ok(Http2Connection { sender, streams, scheme, limits, claim: None }.claimed())
}

type Sender = h2::client::SendRequest<Bytes>;
type Frames = h2::client::Connection<WatchedStream, Bytes>;

async fn handshake(
    stream: WatchedStream,
    wire: &Wire,
    limits: HeadLimits,
    is_tls: bool,
) -> Result<(Sender, Frames), ConnectFault> {
    let mut settings = Builder::new();
    settings
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .data_frame_budget(SMALL_PIECES)
        .initial_max_send_streams(UNSET)
        .max_concurrent_reset_streams(GIVEN_UP)
        // Frames of streams that were given up longer ago lead to resets, and are no attack of an endpoint.
        .max_local_error_reset_streams(None)
        .max_header_list_size(most_fields(limits));
    let (sender, mut connection) = settings.handshake(stream).await.map_err(|error| closed(error, wire, is_tls))?;
    poll_fn(|cx| {
        wire.register(cx.waker());
        let ended = Pin::new(&mut connection).poll(cx);
        let first = wire.first_bytes();
        if !first.is_empty() {
            return Poll::Ready(Err(no_http2(&first, is_tls)));
        }
        if let Some(fault) = wire.fault() {
            return Poll::Ready(Err(ConnectFault::Closed(Broken::GivenUp(given_up_for(fault)))));
        }
        match ended {
            Poll::Ready(Ok(())) if !wire.has_settings() => Poll::Ready(Err(no_settings(is_tls))),
            Poll::Ready(Ok(())) => Poll::Ready(Err(ConnectFault::Closed(Broken::Closed))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(closed(error, wire, is_tls))),
            Poll::Pending if sender.current_max_send_streams() != UNSET => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    })
    .await?;
    Ok((sender, connection))
}

/// What the library takes of a head: more than is passed on, for it counts 32 bytes more for each field (RFC 9113
/// §6.5.2), and its word for a longer one is that of any malformed one.
fn most_fields(limits: HeadLimits) -> u32 {
    let counted = limits.bytes.saturating_mul(2).saturating_add(limits.fields.saturating_mul(32));
    u32::try_from(counted).unwrap_or(u32::MAX)
}

/// What it means that an endpoint begins with `first`, which is no SETTINGS frame.
fn no_http2(first: &[u8], is_tls: bool) -> ConnectFault {
    let remedy = match is_tls {
        false if is_tls_record(first) => NoHttp2Remedy::TlsRecord,
        false => NoHttp2Remedy::Plain,
        true => NoHttp2Remedy::Tls,
    };
    ConnectFault::NoHttp2(Excerpt::of(first), remedy)
}

fn no_settings(is_tls: bool) -> ConnectFault {
    ConnectFault::NoSettings(if is_tls { NoHttp2Remedy::Tls } else { NoHttp2Remedy::Plain })
}

fn closed(error: h2::Error, wire: &Wire, is_tls: bool) -> ConnectFault {
    let first = wire.first_bytes();
    if !first.is_empty() {
        return no_http2(&first, is_tls);
    }
    if !wire.has_settings() && error.is_io() {
        return no_settings(is_tls);
    }
    let streams = StreamCount::default();
    ConnectFault::Closed(super::fault::StreamFault::of(error, &streams).into_broken())
}

/// What is said of a connection that was given up for what its endpoint sent.
fn given_up_for(fault: WireFault) -> &'static str {
    match fault {
        WireFault::Flood(_) => "it sent too many frames that bring nothing",
        WireFault::Wrong(_) => "it sent a frame that is wrong",
    }
}

/// Moves the frames of one connection, until it ends.
struct Driver {
    connection: Frames,
    wire: Arc<Wire>,
    streams: Arc<StreamCount>,
    keepalive: Keepalive,
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.wire.register(cx.waker());
        let ended = Pin::new(&mut this.connection).poll(cx);
        if let Some(fault) = this.wire.fault() {
            tracing::debug!(%fault, "an endpoint's connection is closed");
            this.streams.give_up(given_up_for(fault));
            return Poll::Ready(());
        }
        if this.keepalive.poll(cx, &this.wire, &this.streams).is_ready() {
            this.streams.give_up(UNRESPONSIVE);
            return Poll::Ready(());
        }
        ended.map(|ended| {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection to an endpoint ended");
            }
        })
    }
}
