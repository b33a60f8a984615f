//! A connection that carries many requests, and what each of them holds of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use ::http::uri::Scheme;
use bytes::Bytes;
use h2::client::SendRequest;
use parking_lot::Mutex;

use super::super::{GivenUp, HeadLimits};
use crate::http::Wire;
use crate::telemetry::{Counter, Gauge, GaugeGuard, Metrics};

/// Streams that a connection has at most, whatever its endpoint permits: its window has room for the windows of so many.
/// With more, those that nobody reads could hold up the others.
pub(super) const MOST_STREAMS: u32 = 100;

/// A connection to an endpoint that takes many requests at a time. It closes when
/// nobody holds it and its last stream has ended.
#[derive(Debug)]
pub(in super::super) struct Http2Connection {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) streams: Arc<StreamCount>,
    pub(super) wire: Arc<Wire>,
    pub(super) scheme: Scheme,
    pub(super) limits: HeadLimits,
    /// The claim of one request; none where the connection waits in the pool.
    pub(super) claim: Option<StreamClaim>,
}

/// Streams of one connection that are open or about to be, and why it broke. The library counts them too, behind a
/// feature whose name is `unstable`.
#[derive(Debug, Default)]
pub(super) struct StreamCount {
    open: AtomicUsize,
    broke: Mutex<Option<GivenUp>>,
    /// A response did not come in time, and nothing has come since.
    is_doubted: AtomicBool,
    /// To wake the task of the connection.
    wire: Option<Arc<Wire>>,
    /// Where they are counted; nowhere before the connection is open.
    metrics: Option<Arc<Metrics>>,
}

/// One of them. Dropped, it is no longer.
#[derive(Debug)]
pub(super) struct StreamClaim {
    streams: Arc<StreamCount>,
    _gauge: Option<GaugeGuard>,
}

impl StreamCount {
    /// None, of the connection above `wire` that is counted in `metrics`.
    pub(super) fn of(metrics: &Arc<Metrics>, wire: &Arc<Wire>) -> Self {
        Self { metrics: Some(Arc::clone(metrics)), wire: Some(Arc::clone(wire)), ..Self::default() }
    }

    /// The endpoint did not act on the request of one of them.
    pub(super) fn refused(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.increment(Counter::UpstreamRefused);
        }
    }

    /// A response did not come in time: its endpoint is slow, or gone. It is asked at once, and no stream is begun before
    /// something has come.
    pub(super) fn doubt(&self) {
        if let Some(wire) = &self.wire
            && !self.is_doubted.swap(true, Relaxed)
        {
            wire.wake();
        }
    }

    /// Something has come.
    pub(super) fn trust(&self) {
        self.is_doubted.store(false, Relaxed);
    }

    /// Whether it is to be asked before anything else.
    pub(super) fn is_doubted(&self) -> bool {
        self.is_doubted.load(Relaxed)
    }

    /// How many there are.
    pub(super) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// The connection is given up for a reason that its streams do not see.
    pub(super) fn give_up(&self, why: GivenUp) {
        *self.broke.lock() = Some(why);
    }

    /// Why it was given up.
    pub(super) fn given_up(&self) -> Option<GivenUp> {
        *self.broke.lock()
    }
}

impl StreamClaim {
    fn new(streams: &Arc<StreamCount>) -> Self {
        streams.open.fetch_add(1, Relaxed);
        let gauge = streams.metrics.as_ref().map(|metrics| metrics.hold(Gauge::UpstreamHttp2StreamsOpen));
        Self { streams: Arc::clone(streams), _gauge: gauge }
    }
}

impl Drop for StreamClaim {
    fn drop(&mut self) {
        self.streams.open.fetch_sub(1, Relaxed);
    }
}

impl Http2Connection {
    /// The same connection for the pool, which holds no stream of it.
    pub(in super::super) fn pooled(&self) -> Self {
        self.with(None)
    }

    /// The same connection for one request.
    pub(in super::super) fn claimed(&self) -> Self {
        self.with(Some(StreamClaim::new(&self.streams)))
    }

    fn with(&self, claim: Option<StreamClaim>) -> Self {
        let (sender, streams, wire) = (self.sender.clone(), Arc::clone(&self.streams), Arc::clone(&self.wire));
        Self { sender, streams, wire, scheme: self.scheme.clone(), limits: self.limits, claim }
    }

    /// Whether it may take requests at all: it is open, and the endpoint has sent no GOAWAY.
    pub(in super::super) fn is_reusable(&mut self) -> bool {
        matches!(self.sender.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
    }

    /// Whether one more stream is within the limit of the endpoint (SETTINGS_MAX_CONCURRENT_STREAMS) and ours, and the
    /// endpoint is known to be there.
    pub(in super::super) fn has_room(&self) -> bool {
        self.streams.open() < self.sender.current_max_send_streams().min(MOST_STREAMS as usize)
            && !self.streams.is_doubted()
    }

    /// Whether the endpoint permits any stream.
    pub(in super::super) fn takes_streams(&self) -> bool {
        self.sender.current_max_send_streams() > 0
    }

    /// Whether streams of it are open.
    pub(in super::super) fn is_busy(&self) -> bool {
        self.streams.open() > 0
    }

    /// Whether the endpoint takes websockets over it (SETTINGS_ENABLE_CONNECT_PROTOCOL, RFC 8441 §3).
    pub(in super::super) fn takes_tunnels(&self) -> bool {
        self.sender.is_extended_connect_protocol_enabled()
    }
}
