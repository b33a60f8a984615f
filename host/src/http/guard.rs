//! What the server knows about a client connection from outside of hyper: its framing and its clock.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::framing::{Framing, Violation};
use crate::net::Stream;

/// A client's stream on its way into hyper. Every byte that is read goes past [`Framing`].
#[derive(Debug)]
pub struct Guard {
    stream: Stream,
    state: Arc<State>,
    /// Read while looking whether the client is still there; hyper has not asked for it yet.
    ahead: Vec<u8>,
}

/// Bytes that are read ahead at most. Only a client that sends its next request before it has its answer has any.
const AHEAD: usize = 64;

/// Shared between the stream inside hyper and the server around it.
#[derive(Debug)]
pub(super) struct State(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    framing: Framing,
    phase: Phase,
    /// The client takes nothing, since then.
    blocked: Option<Instant>,
    /// Whether anything was ever read.
    touched: bool,
    presence: Presence,
    /// The client took nothing for too long.
    given_up: bool,
}

/// Whether a client that awaits its answer is still there, as far as has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing says that it is not.
    There,
    /// It has ended its direction.
    Silent,
    /// Its connection broke.
    Gone,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// A head has begun, or the first one is awaited.
    Head(Instant),
    /// Between requests.
    Idle(Instant),
    /// A request has come, and its answer is awaited.
    Awaiting,
    /// Its answer is on its way.
    Answering,
}

impl State {
    pub(super) fn new() -> Arc<Self> {
        let phase = Phase::Head(Instant::now());
        Arc::new(Self(Mutex::new(Inner {
            framing: Framing::default(),
            phase,
            blocked: None,
            touched: false,
            presence: Presence::There,
            given_up: false,
        })))
    }

    /// A request begins: what is known against it?
    pub(super) fn begin(&self) -> Option<Violation> {
        let mut inner = self.0.lock();
        inner.phase = Phase::Awaiting;
        inner.presence = Presence::There;
        inner.framing.violation()
    }

    /// Its answer begins.
    pub(super) fn answering(&self) {
        self.0.lock().phase = Phase::Answering;
    }

    /// Whether the client is there for the answer that is awaited.
    pub(super) fn presence(&self) -> Presence {
        let inner = self.0.lock();
        if matches!(inner.phase, Phase::Awaiting) { inner.presence } else { Presence::There }
    }

    fn has_seen(&self, presence: Presence) {
        self.0.lock().presence = presence;
    }

    /// Whether somebody has to look: the request came whole, so hyper does not read on, and its answer is awaited.
    fn is_unobserved(&self) -> bool {
        let inner = self.0.lock();
        let awaited = matches!(inner.phase, Phase::Awaiting) && inner.presence == Presence::There;
        awaited && inner.framing.is_between_messages()
    }

    /// Whether every request that has begun has come whole.
    fn has_read_all(&self) -> bool {
        self.0.lock().framing.is_between_messages()
    }

    /// Its response is through.
    pub(super) fn finish(&self) {
        let mut inner = self.0.lock();
        let now = Instant::now();
        inner.phase = if inner.framing.is_within_head() { Phase::Head(now) } else { Phase::Idle(now) };
    }

    /// When patience ends, as things stand; none while a request is being answered and the client takes the answer.
    pub(super) fn due(&self, head: Duration, idle: Duration) -> Option<Instant> {
        let inner = self.0.lock();
        match (inner.phase, inner.blocked) {
            (_, Some(since)) => Some(since + idle),
            (Phase::Head(since), None) => Some(since + head),
            (Phase::Idle(since), None) => Some(since + idle),
            (Phase::Awaiting | Phase::Answering, None) => None,
        }
    }

    /// Whether the client takes nothing at the moment.
    pub(super) fn is_blocked(&self) -> bool {
        self.0.lock().blocked.is_some()
    }

    /// The client takes nothing, and is waited for no longer.
    pub(super) fn give_up(&self) {
        self.0.lock().given_up = true;
    }

    /// Whether it is not waited for any longer.
    pub(super) fn is_given_up(&self) -> bool {
        self.0.lock().given_up
    }

    /// Whether the client has sent anything yet.
    pub(super) fn is_touched(&self) -> bool {
        self.0.lock().touched
    }

    /// Takes note of how a write went. A response may be handed over whole and still be on its way for long.
    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        let mut inner = self.0.lock();
        match result {
            Poll::Pending => _ = inner.blocked.get_or_insert_with(Instant::now),
            Poll::Ready(_) => {
                if inner.blocked.take().is_some()
                    && let Phase::Idle(since) = &mut inner.phase
                {
                    *since = Instant::now();
                }
            }
        }
    }

    /// Whether the last request has been answered and the next has not begun.
    pub(super) fn is_between_requests(&self) -> bool {
        matches!(self.0.lock().phase, Phase::Idle(_))
    }

    fn pass(&self, bytes: &[u8]) {
        let mut inner = self.0.lock();
        inner.touched = true;
        inner.framing.pass(bytes);
        if matches!(inner.phase, Phase::Idle(_)) {
            // A head has begun, or a body goes on behind its answer: neither is idle.
            if inner.framing.is_within_head() {
                inner.phase = Phase::Head(Instant::now());
            } else if !inner.framing.is_between_messages() {
                inner.phase = Phase::Idle(Instant::now());
            }
        }
    }
}

impl Guard {
    pub(super) fn new(stream: Stream, state: Arc<State>) -> Self {
        Self { stream, state, ahead: Vec::new() }
    }

    /// The stream itself, once hyper is done with it, and bytes of it that hyper did not get.
    #[must_use]
    pub fn into_parts(self) -> (Stream, Vec<u8>) {
        (self.stream, self.ahead)
    }

    /// Looks whether the client is still there, and has `cx` woken when that changes. Costs no system call while nothing
    /// comes, and no memory: hyper's own reading ahead would take a buffer for each request.
    fn look(&mut self, cx: &mut Context<'_>) {
        if !self.ahead.is_empty() || !self.state.is_unobserved() {
            return;
        }
        let mut bytes = [0; AHEAD];
        let mut buf = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
            Poll::Pending => {}
            Poll::Ready(Err(_reset)) => self.state.has_seen(Presence::Gone),
            Poll::Ready(Ok(())) if buf.filled().is_empty() => self.state.has_seen(Presence::Silent),
            Poll::Ready(Ok(())) => {
                self.state.pass(buf.filled());
                self.ahead.extend_from_slice(buf.filled());
            }
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            let fits = this.ahead.len().min(buf.remaining());
            let rest = this.ahead.split_off(fits);
            buf.put_slice(&std::mem::replace(&mut this.ahead, rest));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if let Some(fresh) = buf.filled().get(before..)
            && !fresh.is_empty()
        {
            this.state.pass(fresh);
        }
        result
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.state.wrote(&result);
        result
    }

    /// hyper flushes each time it is polled, after it has given the answer a chance: the place to look for the client.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.look(cx);
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    /// hyper shuts a connection before it drops it. The drop closes a plain socket, which says the same with one system call
    /// less, unless the client has sent what nobody reads: then a close alone would be a reset.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match &mut this.stream {
            Stream::Plain(_) if this.ahead.is_empty() && this.state.has_read_all() => Poll::Ready(Ok(())),
            stream => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.state.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
