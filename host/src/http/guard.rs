//! What the server knows about a client connection from outside of hyper: its framing and its clock.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::Method;
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::framing::{Framing, Passed};
use super::target::RawQuery;
use super::{Limits, Refused, Violation};
use crate::net::Stream;

/// A client's stream on its way into hyper. Every byte that is read goes past [`Framing`], one message at a time: what
/// follows the request that is being answered stays as it came, for nobody knows yet whether it is HTTP.
#[derive(Debug)]
pub struct Guard {
    stream: Stream,
    state: Arc<State>,
    /// Read, and not looked at: behind the request that is being answered. As much as one read brings, 64 KiB at the most
    /// unless heads may be longer.
    unread: BytesMut,
    /// On its way to hyper.
    ready: Bytes,
    /// hyper has been given the request that stands for one that is refused.
    told: bool,
}

/// What hyper gets to answer in place of a request that is refused. What it is asked for decides whether the answer has a
/// body, and nothing else.
const STAND_IN: &str = " / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n";

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
    /// Nobody is being answered, and everything that was has been written: what hyper writes now is of its own.
    is_flushed: bool,
    /// hyper has refused a head, and its word for that was dropped: it says nothing.
    is_mute: bool,
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
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let phase = Phase::Head(Instant::now());
        Arc::new(Self(Mutex::new(Inner {
            framing: Framing::new(limits.longest_head()),
            phase,
            blocked: None,
            touched: false,
            presence: Presence::There,
            given_up: false,
            is_flushed: true,
            is_mute: false,
        })))
    }

    /// A request begins. What is known against it, or its query if the client sent another than the parser got.
    pub(super) fn begin(&self) -> Result<Option<RawQuery>, Refused> {
        let mut inner = self.0.lock();
        inner.phase = Phase::Awaiting;
        inner.presence = Presence::There;
        inner.is_flushed = false;
        match inner.framing.refused() {
            Some(refused) => Err(refused.clone()),
            None => Ok(inner.framing.take_query().map(RawQuery)),
        }
    }

    /// hyper has refused `head` without a word to the client; from now on the next request that it gets stands for it.
    /// False if hyper has said something.
    pub(super) fn rejects(&self, violation: Violation, head: &[u8]) -> bool {
        let mut inner = self.0.lock();
        if std::mem::take(&mut inner.is_mute) {
            inner.framing.reject(violation, head);
            return true;
        }
        false
    }

    /// Whether what hyper writes now answers nobody: it has refused a head. An answer of its own would say nothing to anybody.
    fn silences(&self) -> bool {
        let mut inner = self.0.lock();
        let unasked = matches!(inner.phase, Phase::Head(_) | Phase::Idle(_)) && inner.is_flushed;
        inner.is_mute |= unasked;
        unasked
    }

    fn is_mute(&self) -> bool {
        self.0.lock().is_mute
    }

    /// Method of the request that was refused, before hyper had anything of it: HEAD or GET.
    fn stand_in(&self) -> Option<&'static str> {
        let inner = self.0.lock();
        let refused = inner.framing.refused().filter(|_| !inner.framing.is_within_body())?;
        Some(if refused.method == Some(Method::HEAD) { "HEAD" } else { "GET" })
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

    /// All that was written has gone on. Whether somebody has to look for the client: its request came whole, so hyper does
    /// not read on, and its answer is awaited.
    fn flushed(&self) -> bool {
        let mut inner = self.0.lock();
        inner.is_flushed |= matches!(inner.phase, Phase::Head(_) | Phase::Idle(_));
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

    fn pass(&self, bytes: &[u8]) -> Passed {
        let mut inner = self.0.lock();
        inner.touched = true;
        let passed = inner.framing.pass(bytes);
        if matches!(inner.phase, Phase::Idle(_)) {
            // A head has begun, or a body goes on behind its answer: neither is idle.
            if inner.framing.is_within_head() {
                inner.phase = Phase::Head(Instant::now());
            } else if !inner.framing.is_between_messages() {
                inner.phase = Phase::Idle(Instant::now());
            }
        }
        passed
    }

    fn is_refused(&self) -> bool {
        self.0.lock().framing.refused().is_some()
    }
}

impl Guard {
    pub(super) fn new(stream: Stream, state: Arc<State>) -> Self {
        Self { stream, state, unread: BytesMut::new(), ready: Bytes::new(), told: false }
    }

    /// The stream itself, once hyper is done with it, and bytes of it that hyper did not get.
    #[must_use]
    pub fn into_parts(self) -> (Stream, BytesMut) {
        (self.stream, self.unread)
    }

    /// Looks whether the client is still there, and has `cx` woken when that changes. Costs no system call while nothing
    /// comes, and no memory: hyper's own reading ahead would take a buffer for each request.
    fn look(&mut self, cx: &mut Context<'_>) {
        if !self.state.flushed() || !self.unread.is_empty() {
            return;
        }
        let mut bytes = [0; AHEAD];
        let mut buf = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
            Poll::Pending => {}
            Poll::Ready(Err(_reset)) => self.state.has_seen(Presence::Gone),
            Poll::Ready(Ok(())) if buf.filled().is_empty() => self.state.has_seen(Presence::Silent),
            Poll::Ready(Ok(())) => self.unread.extend_from_slice(buf.filled()),
        }
    }

    /// What hyper gets once a request is refused. Where it has been given the head of it already, the body breaks off.
    fn poll_refused(&mut self, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.state.stand_in() {
            None => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            Some(method) if !self.told => {
                self.told = true;
                self.ready = [method, STAND_IN].concat().into();
                self.give(buf);
            }
            Some(_method) => {}
        }
        Poll::Ready(Ok(()))
    }

    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        buf.put_slice(&self.ready.split_to(self.ready.len().min(buf.remaining())));
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.ready.is_empty() {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
            if !this.unread.is_empty() {
                let Passed { taken, instead } = this.state.pass(&this.unread);
                let passed = this.unread.split_to(taken);
                this.ready = instead.map_or_else(|| passed.freeze(), Bytes::from);
            } else if this.told || this.state.is_refused() {
                return this.poll_refused(buf);
            } else {
                let before = buf.filled().len();
                ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
                let fresh = buf.filled().split_at(before).1;
                if fresh.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                let Passed { taken, instead } = this.state.pass(fresh);
                this.unread.extend_from_slice(fresh.split_at(taken).1);
                match instead {
                    None => {
                        buf.set_filled(before + taken);
                        return Poll::Ready(Ok(()));
                    }
                    Some(instead) => {
                        buf.set_filled(before);
                        this.ready = instead.into();
                    }
                }
            }
        }
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.state.silences() {
            return Poll::Ready(Ok(buf.len()));
        }
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
        if this.state.is_mute() {
            // Not the end: an answer comes.
            return Poll::Ready(Ok(()));
        }
        match &mut this.stream {
            Stream::Plain(_) if this.unread.is_empty() && this.state.has_read_all() => Poll::Ready(Ok(())),
            stream => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.state.silences() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.state.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
