//! One client connection: its streams, from its first byte to its last.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Response;
use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection};
use tokio::time::{Instant, Sleep};

use super::clock::{ConnectionClock, Late};
use super::outflow::{ClientStream, Outflow};
use super::stream::OpenStream;
use crate::http::http2::{SMALL_PIECES, WatchedStream, Wire, WireFault, WireSide};
use crate::http::message::{ResponseBody, ServerRequest};
use crate::http::server::error::ServeError;
use crate::http::server::limits::ClientLimits;
use crate::lifecycle::Drain;
use crate::net::Stream;
use crate::telemetry::{FloodKind, Metrics};

/// Bytes that a stream may send ahead of what is taken of it, and that are kept of what its client does not take. With
/// the connection's window, a multiple of this, a stream that is not read never stalls the others.
const WINDOW: u32 = 64 * 1024;

/// Bytes that all streams of a connection together may send ahead (RFC 9113 §6.9.1).
const LARGEST_WINDOW: u32 = i32::MAX.unsigned_abs();

/// Heads that are taken in are so much larger than those that are served: those between get a response that is counted
/// and logged. Beyond, the library says 431 by itself, and closes at four times that.
const HEAD_MARGIN: usize = 2;

/// How long a connection that was accepted just before a drain may take to begin.
const GRACE: Duration = Duration::from_millis(100);

/// A client's connection whose requests do not wait for each other.
#[derive(Debug)]
pub struct Multiplexed {
    stream: Stream,
    /// Read already.
    ahead: Bytes,
}

/// What a client is offered.
#[derive(Clone, Copy, Debug)]
pub struct StreamOffer {
    /// Whether requests may switch to websocket (RFC 8441 §3). Where no route lets them, clients open a connection of
    /// HTTP/1.1 instead, or do not try.
    pub websocket: bool,
}

impl Multiplexed {
    /// One of which `ahead` has been read.
    pub(in crate::http) fn new(stream: Stream, ahead: Bytes) -> Self {
        Self { stream, ahead }
    }

    /// Serves its requests with `handler`, each in a task that the drain waits for, until the client leaves, is too slow,
    /// or the gateway drains. A handler gives the response, and the tunnel that a 101 leads to.
    ///
    /// A request that is not served is given to `handler` as well: it has the sentence for it, and the line in the log.
    ///
    /// # Errors
    /// [`ServeError`] if it ended in another way than the protocol provides for.
    pub async fn serve<H, F, T>(
        self,
        offer: StreamOffer,
        limits: ClientLimits,
        drain: &Drain,
        metrics: &Arc<Metrics>,
        handler: H,
    ) -> Result<(), ServeError>
    where
        H: Fn(ServerRequest) -> F,
        F: Future<Output = (Response<ResponseBody>, Option<T>)> + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let (stream, wire) = WatchedStream::new(self.stream, self.ahead, WireSide::Client);
        wire.count_unanswered(limits.streams);
        let (stream, outflow) = ClientStream::new(stream.counted_by(Arc::clone(metrics)), limits.linger_bytes);
        let mut draining = pin!(drain.started());
        let now = Instant::now();
        let mut timer = pin!(tokio::time::sleep_until(now + limits.head_timeout));
        let mut handshake = builder(offer, &limits).handshake(stream);
        let mut drains = false;
        let connection = poll_fn(|cx| {
            if let Poll::Ready(begun) = Pin::new(&mut handshake).poll(cx) {
                return Poll::Ready(begun.map(Some).map_err(|error| ServeError::Http(error.into())));
            }
            if !drains && draining.as_mut().poll(cx).is_ready() {
                drains = true;
                let until = timer.deadline().min(Instant::now() + GRACE);
                timer.as_mut().reset(until);
            }
            match timer.as_mut().poll(cx) {
                Poll::Ready(()) if drains => Poll::Ready(Ok(None)),
                Poll::Ready(()) => Poll::Ready(Err(ServeError::SlowHead(limits.head_timeout))),
                Poll::Pending => Poll::Pending,
            }
        })
        .await?;
        drop(handshake);
        let Some(connection) = connection else { return Ok(()) };
        let mut served = ServedConnection {
            connection,
            clock: ConnectionClock::new(limits, now),
            wire: Arc::clone(&wire),
            outflow,
            lingers: false,
            leaves: false,
            end: Ok(()),
        };
        let first_look = if drains { served.ask() } else { served.look(now).unwrap_or(now) };
        timer.as_mut().reset(first_look);
        poll_fn(|cx| {
            if !drains && draining.as_mut().poll(cx).is_ready() {
                drains = true;
                let look = timer.deadline().min(served.ask());
                timer.as_mut().reset(look);
            }
            served.poll(cx, timer.as_mut(), |request, respond| {
                let (stream, request) = OpenStream::new(request, respond, &limits, &wire);
                // Boxed: a spawned future is moved eight times from here to its end, and this one has 1,100 bytes.
                drain.spawn(Box::pin(stream.run(handler(request))));
            })
        })
        .await
    }
}

fn builder(offer: StreamOffer, limits: &ClientLimits) -> Builder {
    let mut builder = Builder::new();
    let head = limits.longest_head().saturating_mul(HEAD_MARGIN);
    builder
        .initial_window_size(WINDOW)
        .initial_connection_window_size(limits.streams.saturating_mul(WINDOW).min(LARGEST_WINDOW))
        .max_concurrent_streams(limits.streams)
        .max_send_buffer_size(WINDOW as usize)
        // Requests that are cancelled before they are looked at: a whole page of them is no attack. All that are
        // cancelled are counted below.
        .max_pending_accept_reset_streams(limits.streams as usize)
        .data_frame_budget(SMALL_PIECES)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
    if offer.websocket {
        builder.enable_connect_protocol();
    }
    builder
}

/// A connection that has begun.
struct ServedConnection {
    connection: Connection<ClientStream, Bytes>,
    clock: ConnectionClock,
    wire: Arc<Wire>,
    outflow: Arc<Outflow>,
    /// Everything has been said, and the clock knows it.
    lingers: bool,
    /// The client has been asked to finish.
    leaves: bool,
    /// What its end will be, once it has been said.
    end: Result<(), ServeError>,
}

impl ServedConnection {
    /// Asks the client to finish: what it has sent is served. When to look at the clock.
    fn ask(&mut self) -> Instant {
        self.leaves = true;
        self.connection.graceful_shutdown();
        self.clock.ask(Instant::now())
    }

    /// Says the end, which `end` is the reason of. When to look at the clock.
    fn close(&mut self, code: Reason, end: Result<(), ServeError>) -> Instant {
        self.connection.abrupt_shutdown(code);
        self.end = end;
        self.clock.close(Instant::now())
    }

    /// Hands streams that open to `accept`, until the end.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        accept: impl Fn(::http::Request<h2::RecvStream>, h2::server::SendResponse<Bytes>),
    ) -> Poll<Result<(), ServeError>> {
        self.wire.register(cx.waker());
        loop {
            if !self.clock.is_closing()
                && let Some(fault) = self.wire.fault()
            {
                let why = match fault {
                    WireFault::Flood(kind) => ServeError::Flood(kind),
                    WireFault::Wrong(_) => ServeError::Malformed(fault.to_string()),
                };
                let look = self.close(fault.reason(), Err(why));
                timer.as_mut().reset(look);
            }
            if !self.leaves && self.wire.asks_to_leave() {
                let look = timer.deadline().min(self.ask());
                timer.as_mut().reset(look);
            }
            while let Poll::Ready(next) = self.connection.poll_accept(cx) {
                match next {
                    Some(Ok((request, respond))) => accept(request, respond),
                    Some(Err(error)) if error.is_io() => return Poll::Ready(self.ended(Err(ServeError::Left))),
                    Some(Err(error)) => return Poll::Ready(self.ended(Err(why_ended(error)))),
                    None => return Poll::Ready(self.ended(Ok(()))),
                }
            }
            self.clock.set_streams(self.connection.has_streams());
            self.wire.polled();
            if !self.lingers && self.outflow.state().lingering.is_some() {
                self.lingers = true;
                timer.as_mut().reset(Instant::now() + self.clock.limits().linger);
            }
            match self.poll_clock(cx, timer.as_mut()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Late::Closing) => return Poll::Ready(self.ended(Ok(()))),
                Poll::Ready(Late::Reader) => {
                    // It would not take a GOAWAY either.
                    let patience = self.clock.limits().idle_timeout;
                    return Poll::Ready(self.ended(Err(ServeError::SlowReader(patience))));
                }
                Poll::Ready(late) => {
                    let limits = self.clock.limits();
                    let end = match late {
                        Late::Head => Err(ServeError::SlowHead(limits.head_timeout)),
                        Late::Frame => Err(ServeError::SlowFrame(limits.body_timeout)),
                        Late::Idle | Late::Reader | Late::Closing => Ok(()),
                    };
                    let look = self.close(Reason::NO_ERROR, end);
                    timer.as_mut().reset(look);
                }
            }
        }
    }

    /// What is overdue at `now`; else when to look again.
    fn look(&self, now: Instant) -> Result<Instant, Late> {
        self.clock.look(now, &self.wire, self.outflow.state())
    }

    /// Ready when something is overdue.
    fn poll_clock(&self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<Late> {
        while timer.as_mut().poll(cx).is_ready() {
            match self.look(Instant::now()) {
                Ok(next) => timer.as_mut().reset(next),
                Err(late) => return Poll::Ready(late),
            }
        }
        Poll::Pending
    }

    /// The reason for an end that was said here, or `found`.
    fn ended(&mut self, found: Result<(), ServeError>) -> Result<(), ServeError> {
        // The library reports its own errors when the connection has been shut: a client that stays until it is left must
        // not keep them from being counted. Its limits: requests that are cancelled, malformed, or come in tiny pieces.
        let found = match self.wire.closing_code() {
            // It has that code for long heads alone.
            Some(Reason::COMPRESSION_ERROR) => Err(ServeError::Flood(FloodKind::Head)),
            Some(Reason::ENHANCE_YOUR_CALM) if self.wire.is_closing_head() => Err(ServeError::Flood(FloodKind::Head)),
            Some(Reason::ENHANCE_YOUR_CALM) => Err(ServeError::Flood(FloodKind::Other)),
            Some(code) if code != Reason::NO_ERROR && found.is_ok() => Err(why_closed(code)),
            _ => found,
        };
        let crowded = if self.outflow.state().is_crowded { Err(ServeError::Crowded) } else { Ok(()) };
        std::mem::replace(&mut self.end, Ok(())).and(found).and(crowded)
    }
}

/// What the library found wrong, as far as the code says.
fn why_closed(code: Reason) -> ServeError {
    ServeError::Malformed(h2::Error::from(code).to_string())
}

/// What the library found wrong, or what the client says of its own leaving.
fn why_ended(error: h2::Error) -> ServeError {
    match error.reason() {
        Some(_) if error.is_library() => ServeError::Malformed(error.to_string()),
        _ => ServeError::Http(error.into()),
    }
}
