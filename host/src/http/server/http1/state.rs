//! What is known about a client connection from outside of hyper: what it is at, whom it waits for, and since when.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::http::Method;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::framing::{Framing, Passed};
use crate::http::message::{RawQuery, Refused, Violation};
use crate::http::server::limits::ClientLimits;

/// How long a body may lie there untaken before the connection looks whether its client is still there.
const LOOK: Duration = Duration::from_secs(1);

/// Shared between the stream inside hyper, the server around it, and the body of the request that is being served.
#[derive(Debug)]
pub(super) struct ConnectionState {
    limits: ClientLimits,
    inner: Mutex<ConnectionFacts>,
}

#[derive(Debug)]
struct ConnectionFacts {
    framing: Framing,
    phase: Phase,
    /// Number of the request that is being served.
    request: u32,
    body: BodyProgress,
    /// The client takes nothing, since then.
    blocked: Option<Instant>,
    /// Whether anything was ever read.
    touched: bool,
    presence: ClientPresence,
    /// The client took nothing for too long.
    given_up: bool,
    /// No request is being served, and every response has been written: what hyper writes now is of its own.
    is_flushed: bool,
    /// hyper has refused a head, and its word for that was dropped: it says nothing.
    is_mute: bool,
    /// Nothing of a body came in time: it has failed.
    stalled: bool,
    /// The handler gave a body up before its end.
    abandoned: bool,
    /// The client sends nothing more, as it says itself, or its end has been read.
    last: bool,
    /// Closed at once, for want of a place to linger.
    crowded: bool,
    /// Who waits for a body.
    waker: Option<Waker>,
}

/// Whether a client that has not got all of its response is still there, as far as has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientPresence {
    /// Nothing says that it is not.
    There,
    /// It has ended its direction.
    Silent,
    /// Its connection broke.
    Gone,
}

/// What a connection is at.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A head has begun, or the first one is awaited.
    Head(Instant),
    /// Between requests.
    Idle(Instant),
    /// A request has come, and its response is awaited.
    Awaiting,
    /// Its response is on its way.
    Answering,
    /// Everything has been said; what the client still sends is dropped.
    Closing(Instant),
}

impl Phase {
    /// Whether a request is being served.
    fn is_busy(self) -> bool {
        matches!(self, Self::Awaiting | Self::Answering)
    }
}

/// How far the body of the request has come that is being served.
#[derive(Clone, Copy, Debug)]
enum BodyProgress {
    /// There is none, or all of it has been taken, or it is not wanted.
    Through,
    /// The handler has not asked for more, since then.
    Held(Instant),
    /// The same, for so long that the connection has to look for the client.
    Stuck,
    /// It is the client that everybody waits for, since then.
    Wanted(Instant),
}

/// What a connection must not do any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Be slow with a head.
    Head,
    /// Be there without a request.
    Idle,
    /// Take nothing of a response.
    Reader,
    /// Send nothing of a body.
    Body,
    /// Have a body that is not taken, without a look for the client.
    Look,
    /// Linger.
    Closing,
}

impl ConnectionState {
    pub(super) fn new(limits: ClientLimits) -> Arc<Self> {
        let inner = ConnectionFacts {
            framing: Framing::new(limits.longest_head()),
            phase: Phase::Head(Instant::now()),
            request: 0,
            body: BodyProgress::Through,
            blocked: None,
            touched: false,
            presence: ClientPresence::There,
            given_up: false,
            is_flushed: true,
            is_mute: false,
            stalled: false,
            abandoned: false,
            last: false,
            crowded: false,
            waker: None,
        };
        Arc::new(Self { limits, inner: Mutex::new(inner) })
    }

    pub(super) fn limits(&self) -> &ClientLimits {
        &self.limits
    }

    /// A request begins, the `last` one if its client says so. Its number, and what is known against it, or its query
    /// if the client sent another than the parser got.
    pub(super) fn begin(&self, has_body: bool, last: bool) -> (u32, Result<Option<RawQuery>, Refused>) {
        let mut inner = self.inner.lock();
        inner.phase = Phase::Awaiting;
        inner.presence = ClientPresence::There;
        inner.is_flushed = false;
        inner.request = inner.request.wrapping_add(1);
        inner.body = if has_body { BodyProgress::Held(Instant::now()) } else { BodyProgress::Through };
        inner.stalled = false;
        inner.abandoned = false;
        inner.last = last;
        let begun = match inner.framing.refused() {
            Some(refused) => Err(refused.clone()),
            None => Ok(inner.framing.take_query().map(RawQuery)),
        };
        (inner.request, begun)
    }

    /// hyper has refused `head`, and the client has not been sent anything; from now on the next request that it gets
    /// stands for it. False if hyper has said something.
    pub(super) fn reject_head(&self, violation: Violation, head: &[u8]) -> bool {
        let mut inner = self.inner.lock();
        if std::mem::take(&mut inner.is_mute) {
            inner.framing.reject(violation, head);
            return true;
        }
        false
    }

    /// Whether what hyper writes now belongs to no request: it has refused a head, and its own response would not say
    /// why.
    pub(super) fn drops_writes(&self) -> bool {
        let mut inner = self.inner.lock();
        let unasked = matches!(inner.phase, Phase::Head(_) | Phase::Idle(_)) && inner.is_flushed;
        inner.is_mute |= unasked;
        unasked
    }

    pub(super) fn is_mute(&self) -> bool {
        self.inner.lock().is_mute
    }

    /// Method of the request that was refused, before hyper had anything of it: HEAD or GET.
    pub(super) fn stand_in_method(&self) -> Option<&'static str> {
        let inner = self.inner.lock();
        let refused = inner.framing.refused().filter(|_| !inner.framing.is_within_body())?;
        Some(if refused.method == Some(Method::HEAD) { "HEAD" } else { "GET" })
    }

    pub(super) fn is_refused(&self) -> bool {
        self.inner.lock().framing.refused().is_some()
    }

    /// Whether no request has been served yet.
    pub(super) fn is_first(&self) -> bool {
        self.inner.lock().request == 0
    }

    /// Its response begins. Whether the connection must end behind it: the rest of the request will not be read.
    pub(super) fn begin_response(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.phase = Phase::Answering;
        inner.abandoned && inner.framing.is_within_body()
    }

    /// Its response is through.
    pub(super) fn finish_response(&self) {
        let mut inner = self.inner.lock();
        let now = Instant::now();
        inner.phase = if inner.framing.is_within_head() { Phase::Head(now) } else { Phase::Idle(now) };
    }

    /// Nothing of what the client may send now will be served, and nothing is lost by that.
    pub(super) fn expect_no_more(&self) {
        self.inner.lock().last = true;
    }

    /// The connection is closed, in stages if the client may still send something: true.
    pub(super) fn begin_closing(&self, is_all_read: bool) -> bool {
        let mut inner = self.inner.lock();
        if inner.last && is_all_read && inner.framing.is_between_messages() {
            return false;
        }
        inner.phase = Phase::Closing(Instant::now());
        true
    }

    /// There was no place to linger.
    pub(super) fn set_crowded(&self) {
        self.inner.lock().crowded = true;
    }

    /// Whether there was none.
    pub(super) fn is_crowded(&self) -> bool {
        self.inner.lock().crowded
    }

    /// Whether the client is there for its response.
    pub(super) fn presence(&self) -> ClientPresence {
        let inner = self.inner.lock();
        match inner.presence {
            ClientPresence::Silent if self.limits.half_close => ClientPresence::There,
            presence if inner.phase.is_busy() => presence,
            _ => ClientPresence::There,
        }
    }

    pub(super) fn set_presence(&self, presence: ClientPresence) {
        self.inner.lock().presence = presence;
    }

    /// All that was written has gone on. What is known of a client that has to be looked for: it has not got all of its
    /// response, and hyper does not read on.
    pub(super) fn awaited_client(&self) -> Option<ClientPresence> {
        let mut inner = self.inner.lock();
        inner.is_flushed |= matches!(inner.phase, Phase::Head(_) | Phase::Idle(_));
        let is_read = matches!(inner.body, BodyProgress::Held(_) | BodyProgress::Wanted(_));
        let awaits = match inner.presence {
            ClientPresence::There => true,
            ClientPresence::Silent => self.limits.half_close,
            ClientPresence::Gone => false,
        };
        (inner.phase.is_busy() && awaits && !is_read).then_some(inner.presence)
    }

    /// When patience ends, as things stand, and with what.
    pub(super) fn due(&self) -> Option<(Instant, Overdue)> {
        let inner = self.inner.lock();
        let limits = &self.limits;
        let (since, patience, what) = match (inner.phase, inner.blocked, inner.body) {
            (Phase::Closing(since), ..) => (since, limits.linger, Overdue::Closing),
            (_, Some(since), _) => (since, limits.idle_timeout, Overdue::Reader),
            (Phase::Head(since), ..) => (since, limits.head_timeout, Overdue::Head),
            (Phase::Idle(since), ..) => (since, limits.idle_timeout, Overdue::Idle),
            (Phase::Awaiting, None, BodyProgress::Wanted(since)) if !inner.stalled => {
                (since, limits.body_timeout, Overdue::Body)
            }
            (Phase::Awaiting, None, BodyProgress::Held(since)) => (since, LOOK, Overdue::Look),
            (Phase::Awaiting | Phase::Answering, ..) => return None,
        };
        Some((since + patience, what))
    }

    /// The client takes nothing, and is waited for no longer.
    pub(super) fn give_up(&self) {
        self.inner.lock().given_up = true;
    }

    /// Whether it is not waited for any longer.
    pub(super) fn is_given_up(&self) -> bool {
        self.inner.lock().given_up
    }

    /// Whether the client has sent anything yet.
    pub(super) fn is_touched(&self) -> bool {
        self.inner.lock().touched
    }

    /// Whether the last request has been served and the next has not begun.
    pub(super) fn is_between_requests(&self) -> bool {
        matches!(self.inner.lock().phase, Phase::Idle(_))
    }

    /// Takes note of how a write went. A response may be handed over whole and still be on its way for long.
    pub(super) fn note_write(&self, result: &Poll<io::Result<usize>>) {
        let mut inner = self.inner.lock();
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

    /// Looks at bytes that came, and says which of them go on.
    pub(super) fn pass(&self, bytes: &[u8]) -> Passed {
        let mut inner = self.inner.lock();
        inner.touched = true;
        let passed = inner.framing.pass(bytes);
        if matches!(inner.phase, Phase::Idle(_)) {
            // A head has begun, or a body goes on behind its response: neither is idle.
            if inner.framing.is_within_head() {
                inner.phase = Phase::Head(Instant::now());
            } else if !inner.framing.is_between_messages() {
                inner.phase = Phase::Idle(Instant::now());
            }
        }
        passed
    }
}

/// What the body of a request reports, and asks. One that outlives its request says nothing about the next.
impl ConnectionState {
    /// The handler waits for it.
    pub(super) fn await_body(&self, request: u32, cx: &Context<'_>) {
        let mut inner = self.inner.lock();
        if inner.request != request {
            return;
        }
        if !matches!(inner.body, BodyProgress::Wanted(_)) {
            inner.body = BodyProgress::Wanted(Instant::now());
        }
        if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            inner.waker = Some(cx.waker().clone());
        }
    }

    /// A piece of it has been taken.
    pub(super) fn note_body(&self, request: u32) {
        let mut inner = self.inner.lock();
        if inner.request == request {
            inner.body = BodyProgress::Held(Instant::now());
        }
    }

    /// It is through, or given up before its end.
    pub(super) fn end_body(&self, request: u32, is_whole: bool) {
        let mut inner = self.inner.lock();
        if inner.request == request {
            inner.body = BodyProgress::Through;
            inner.abandoned = !is_whole;
            inner.waker = None;
        }
    }

    /// Whether nothing of it came in time.
    pub(super) fn is_stalled(&self, request: u32) -> bool {
        let inner = self.inner.lock();
        inner.request == request && inner.stalled
    }

    /// Lets it fail: nothing of it came in time.
    pub(super) fn stall(&self) {
        let waker = {
            let mut inner = self.inner.lock();
            inner.stalled = true;
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The connection has to look for the client: its body has not been taken for a while.
    pub(super) fn set_stuck(&self) {
        self.inner.lock().body = BodyProgress::Stuck;
    }
}
