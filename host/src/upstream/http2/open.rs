//! From a stream of bytes to a connection that takes requests, and the task that moves its frames.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::uri::Scheme;
use bytes::Bytes;
use h2::client::Builder;

use super::super::context::ConnectionContext;
use super::super::timer::LazyTimer;
use super::super::unreadable::{Excerpt, is_tls_record};
use super::super::{Broken, ConnectFault, GivenUp, HeadLimits, NoHttp2Remedy};
use super::account::{ConnectionAccount, code_of};
use super::connection::{Http2Connection, MOST_STREAMS, StreamCount};
use super::keepalive::Keepalive;
use crate::http::{SMALL_PIECES, WatchedStream, Wire, WireSide};
use crate::lifecycle;
use crate::net::Stream;

/// What an endpoint may send of one response that is not read (RFC 9113 §5.2).
const STREAM_WINDOW: u32 = 64 * 1024;

/// What it may send of all of them, so that those which are not read do not hold up the others.
const CONNECTION_WINDOW: u32 = MOST_STREAMS * STREAM_WINDOW;

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
    context: ConnectionContext<'_>,
) -> Result<Http2Connection, ConnectFault> {
    let ConnectionContext { url, limits, metrics } = context;
    let mut account = ConnectionAccount::new(url, metrics);
    let is_tls = stream.is_tls();
    let scheme = if is_tls { Scheme::HTTPS } else { Scheme::HTTP };
    let (stream, wire) = WatchedStream::new(stream, Bytes::new(), WireSide::Endpoint);
    let within = timer.allowed();
    let opening = handshake(stream, &wire, limits, is_tls, &account);
    let opened = timer.race(pin!(opening)).await.unwrap_or(Err(ConnectFault::TimedOut(within)));
    let (sender, mut connection) = opened?;
    account.opened();
    let streams = Arc::new(StreamCount::of(metrics, &wire));
    let keepalive = Keepalive::new(connection.ping_pong());
    lifecycle::spawn(Driver { connection, wire: Arc::clone(&wire), streams: Arc::clone(&streams), keepalive, account });
    Ok(Http2Connection { sender, streams, wire, scheme, limits, claim: None }.claimed())
}

type Sender = h2::client::SendRequest<Bytes>;
type Frames = h2::client::Connection<WatchedStream, Bytes>;

async fn handshake(
    stream: WatchedStream,
    wire: &Wire,
    limits: HeadLimits,
    is_tls: bool,
    account: &ConnectionAccount,
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
        wire.polled();
        let first = wire.first_bytes();
        if !first.is_empty() {
            return Poll::Ready(Err(no_http2(&first, is_tls)));
        }
        if let Some(fault) = wire.fault() {
            let why = GivenUp::Wire(fault);
            leave(&mut connection, wire, why, cx);
            account.given_up(why);
            return Poll::Ready(Err(ConnectFault::Closed(Broken::GivenUp(why))));
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

/// Has GOAWAY said on a connection that has not ended: the library has no word for it, so that the stream below says it
/// when the library reads next.
fn leave(connection: &mut Frames, wire: &Wire, why: GivenUp, cx: &mut Context<'_>) {
    wire.leave(code_of(why));
    let _ended = Pin::new(connection).poll(cx);
}

/// Moves the frames of one connection, until it ends.
struct Driver {
    connection: Frames,
    wire: Arc<Wire>,
    streams: Arc<StreamCount>,
    keepalive: Keepalive,
    account: ConnectionAccount,
}

impl Driver {
    /// Why the connection is given up; none if it is not.
    fn poll_given_up(&mut self, cx: &mut Context<'_>) -> Option<GivenUp> {
        if let Some(fault) = self.wire.fault() {
            return Some(GivenUp::Wire(fault));
        }
        match self.keepalive.poll(cx, &self.wire, &self.streams) {
            Poll::Ready(why) => Some(why),
            Poll::Pending => None,
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.wire.register(cx.waker());
        let ended = Pin::new(&mut this.connection).poll(cx);
        this.wire.polled();
        this.account.goaways(this.wire.goaways());
        if let Some(why) = this.poll_given_up(cx) {
            this.streams.give_up(why);
            this.account.given_up(why);
            if ended.is_pending() {
                leave(&mut this.connection, &this.wire, why, cx);
            }
            return Poll::Ready(());
        }
        ended.map(|ended| {
            if let Some(code) = this.wire.closing_code() {
                this.account.closed(code);
            }
            if let Err(error) = ended {
                tracing::debug!(%error, "connection to an endpoint ended");
            }
        })
    }
}
