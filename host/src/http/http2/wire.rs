//! What is known of an HTTP/2 connection from below the library.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::Reason;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::budget::FrameBudget;
use super::first_frame::FirstFrame;
use super::flushes::Flushes;
use super::inbox::Inboxes;
use super::judged::FrameJudge;
use super::scanner::{FrameHead, FramePart, FrameScanner, FrameType};
use super::trailers::TrailerWatch;
use super::unanswered::UnansweredRequests;
use crate::telemetry::FloodKind;

/// Streams that are remembered for their trailers: as many as may be open. Some may be closed already, and never asked
/// for; who fills it up with those has its trailers read by the library alone.
const MALFORMED: usize = 1000;

/// Small pieces of DATA that are read at most before the task of the connection looks after those that nobody takes. The
/// library has room for eight times as many.
const SMALL_AT_ONCE: u32 = 4096;

/// DATA with less is small: the library counts what is missing.
const SMALL: u32 = 256;

/// Why nothing more is read from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// There were too many frames that bring nothing, of this kind at last.
    #[error("too many frames that bring nothing, the last of them {0}")]
    Flood(FloodKind),
    /// A frame is wrong, with this code.
    #[error("a frame that is wrong: {0}")]
    Wrong(Reason),
}

impl WireFault {
    /// What the connection is closed with.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Flood(_) => Reason::ENHANCE_YOUR_CALM,
            Self::Wrong(code) => *code,
        }
    }
}

/// What has begun and is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// The preface. Its time is that of the connection's begin.
    Preface,
    /// A frame. Its time is that of the last byte which came.
    Frame,
    /// A header block: no frame with END_HEADERS has come. Its time is that of its begin.
    HeaderBlock,
}

/// What stands before the next read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadGate {
    Open,
    /// [`Wire::leave`] was called.
    Leaving(Reason),
    /// There is a [`Wire::fault`].
    Fault,
    /// Many small pieces have come: those which nobody takes have to be [taken](Wire::polled).
    Small,
}

/// What is known of a connection from below the library, shared with the task that drives it.
#[derive(Debug)]
pub struct Wire {
    state: Mutex<WireState>,
    /// GOAWAY frames that have come.
    goaways: AtomicU64,
    inboxes: Inboxes,
}

#[derive(Debug)]
struct WireState {
    fault: Option<WireFault>,
    unfinished: Option<(Unfinished, Instant)>,
    first: FirstFrame,
    frames: u64,
    closing: Option<Reason>,
    leaving: Option<Reason>,
    /// What was written last behind CONTINUATION closed the connection: its head is too long.
    is_closing_head: bool,
    /// Somebody wants the peer to leave.
    asks_to_leave: bool,
    judge: FrameJudge,
    /// The head that was seen last.
    last: Option<FrameHead>,
    waker: Option<Waker>,
    flushes: Flushes,
    is_blocked: bool,
    /// Small pieces of DATA that came since somebody looked after those that nobody takes.
    small: u32,
    /// What looks at trailers; none for those of endpoints.
    trailers: Option<TrailerWatch>,
    /// Streams whose trailers are malformed.
    malformed: Vec<u32>,
    /// The account of a client; none for endpoints.
    unanswered: Option<UnansweredRequests>,
}

impl Wire {
    pub(super) fn new(now: Instant, scanner: &FrameScanner) -> Arc<Self> {
        let unfinished = (scanner.preface_left() > 0).then_some((Unfinished::Preface, now));
        let first = FirstFrame::default();
        // Clients alone begin with a preface.
        let judge = unfinished.map_or_else(FrameJudge::of_endpoint, |_preface| FrameJudge::of_client());
        let trailers = unfinished.map(|_preface| TrailerWatch::default());
        let malformed = Vec::new();
        let state = WireState {
            fault: None,
            unfinished,
            first,
            frames: 0,
            closing: None,
            leaving: None,
            is_closing_head: false,
            asks_to_leave: false,
            judge,
            last: None,
            waker: None,
            flushes: Flushes::default(),
            is_blocked: false,
            small: 0,
            trailers,
            malformed,
            unanswered: None,
        };
        Arc::new(Self { state: Mutex::new(state), goaways: AtomicU64::new(0), inboxes: Inboxes::default() })
    }

    /// The peer is to finish what is under way, and to leave. Wakes who is registered.
    pub fn ask_to_leave(&self) {
        let mut state = self.state.lock();
        state.asks_to_leave = true;
        state.wake();
    }

    /// Whether the peer is to leave.
    #[must_use]
    pub fn asks_to_leave(&self) -> bool {
        self.state.lock().asks_to_leave
    }

    /// What is wrong. Nothing more is read: the task closes the connection with [`WireFault::reason`].
    #[must_use]
    pub fn fault(&self) -> Option<WireFault> {
        self.state.lock().fault
    }

    /// What has begun and is not complete, and since when.
    #[must_use]
    pub fn unfinished(&self) -> Option<(Unfinished, Instant)> {
        self.state.lock().unfinished
    }

    /// Whether the first frame was SETTINGS.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        self.state.lock().first.is_settings()
    }

    /// What the peer sent instead of a first frame SETTINGS: up to 256 bytes, less than 4 only if it then ended. None
    /// while that is not known.
    #[must_use]
    pub fn first_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.state.lock().first.shown())
    }

    /// Whether the trailers of a client's `stream` begin with a pseudo-header field; to be asked once they are read.
    #[must_use]
    pub fn has_malformed_trailers(&self, stream: u32) -> bool {
        let mut state = self.state.lock();
        let found = state.malformed.iter().position(|there| *there == stream);
        found.map(|at| state.malformed.swap_remove(at)).is_some()
    }

    /// Counts the requests of a client that may have `streams` open, until they are [answered](Self::answered): too many
    /// that are not are a flood.
    pub fn count_unanswered(&self, streams: u32) {
        self.state.lock().unanswered = Some(UnansweredRequests::new(streams, Instant::now()));
    }

    /// The response to a request has begun.
    pub fn answered(&self) {
        if let Some(account) = &mut self.state.lock().unanswered {
            account.answered();
        }
    }

    /// The client has let a response come to its end that is not the gateway's own.
    pub fn served(&self) {
        if let Some(account) = &mut self.state.lock().unanswered {
            account.served();
        }
    }

    /// Frames that have begun to come.
    #[must_use]
    pub fn frames_read(&self) -> u64 {
        self.state.lock().frames
    }

    /// The code of the last GOAWAY that was written, ours or the library's. The library reports its own errors only when
    /// the connection is shut, and by then it may have been left.
    #[must_use]
    pub fn closing_code(&self) -> Option<Reason> {
        self.state.lock().closing
    }

    /// GOAWAY frames that have come.
    #[must_use]
    pub fn goaways(&self) -> u64 {
        self.goaways.load(Relaxed)
    }

    /// The inboxes of its bodies.
    pub(super) fn inboxes(&self) -> &Inboxes {
        &self.inboxes
    }

    /// To be called by the task that drives the connection, whenever it has polled that: what could be written is out, if
    /// the peer took it, and what nobody reads is taken out of the library if many small pieces have come, for before that
    /// no more is read.
    pub fn polled(&self) {
        let is_due = {
            let mut state = self.state.lock();
            if !state.is_blocked {
                state.flushes.done();
            }
            let is_due = state.has_many_small();
            if is_due {
                state.small = 0;
            }
            is_due
        };
        if is_due {
            self.inboxes.gather();
        }
    }

    /// Has GOAWAY with `code` written when the library reads next, if no frame is half written, and the connection end
    /// there. For the library's side of clients, which has no word for it.
    pub fn leave(&self, code: Reason) {
        self.state.lock().leaving = Some(code);
    }

    /// Whether more may be read.
    pub(super) fn gate(&self) -> ReadGate {
        let state = self.state.lock();
        match state.leaving {
            Some(code) => ReadGate::Leaving(code),
            None if state.fault.is_some() => ReadGate::Fault,
            None if state.has_many_small() => ReadGate::Small,
            None => ReadGate::Open,
        }
    }

    /// Whether the last GOAWAY was written in the middle of a head, or right behind a long one.
    #[must_use]
    pub fn is_closing_head(&self) -> bool {
        self.state.lock().is_closing_head
    }

    /// Ready once all has gone out that the library holds now and that windows have room for. `since` is none at first.
    pub fn poll_flushed(&self, cx: &mut Context<'_>, since: &mut Option<u64>) -> Poll<()> {
        let mut state = self.state.lock();
        let flushed = state.flushes.poll(cx, since);
        if flushed.is_pending() {
            // The task that flushes may have nothing else to do.
            state.wake();
        }
        flushed
    }

    /// Whether the peer takes nothing of what is written.
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        self.state.lock().is_blocked = is_blocked;
    }

    /// Wakes the task that drives the connection.
    pub fn wake(&self) {
        self.state.lock().wake();
    }

    /// Wakes `waker` when [`Self::fault`], [`Self::asks_to_leave`], [`Self::has_settings`] or [`Self::first_bytes`]
    /// change.
    pub fn register(&self, waker: &Waker) {
        let mut state = self.state.lock();
        match &mut state.waker {
            Some(there) => there.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// These bytes came, behind what `scanner` has seen. Whether they may go further: not once a fault has been found.
    #[must_use]
    pub(super) fn read(&self, bytes: &[u8], scanner: &mut FrameScanner, budget: &mut FrameBudget) -> bool {
        let mut state = self.state.lock();
        let state = &mut *state;
        let behind_preface = bytes.get(usize::from(scanner.preface_left())..).unwrap_or_default();
        let mut begins_block = false;
        scanner.follow(bytes, |part| {
            if let Err(code) = state.judge.judge(&part) {
                state.fault.get_or_insert(WireFault::Wrong(code));
            }
            if let Some(stream) = state.trailers.as_mut().and_then(|trailers| trailers.watch(&part))
                && state.malformed.len() < MALFORMED
            {
                state.malformed.push(stream);
            }
            let FramePart::Head(frame) = part else { return };
            state.frames += 1;
            state.small += u32::from(frame.kind == FrameType::Data && (1..SMALL).contains(&frame.content));
            if frame.kind == FrameType::GoAway {
                self.goaways.fetch_add(1, Relaxed);
            }
            if let Err(kind) = budget.received(&frame, Instant::now) {
                state.fault.get_or_insert(WireFault::Flood(kind));
            }
            if frame.kind == FrameType::Headers
                && let Some(account) = &mut state.unanswered
                && !account.begun(frame.stream, Instant::now)
            {
                state.fault.get_or_insert(WireFault::Flood(FloodKind::Reset));
            }
            begins_block |= matches!(frame.kind, FrameType::Headers | FrameType::PushPromise);
            state.last = Some(frame);
        });
        let is_in_block = match state.last.and_then(|frame| frame.ends_headers()) {
            // The frame that ends the block is part of it up to its last byte.
            Some(true) => scanner.is_in_payload(),
            Some(false) => true,
            None => false,
        };
        state.unfinished = match state.unfinished {
            block @ Some((Unfinished::HeaderBlock, _)) if is_in_block && !begins_block => block,
            _ if is_in_block => Some((Unfinished::HeaderBlock, Instant::now())),
            _ if scanner.is_in_frame() => Some((Unfinished::Frame, Instant::now())),
            preface if scanner.preface_left() > 0 => preface,
            _ => None,
        };
        if state.first.read(behind_preface) || state.fault.is_some() {
            state.wake();
        }
        state.fault.is_none()
    }

    /// A GOAWAY was written.
    pub(super) fn closing(&self, code: Reason) {
        let mut state = self.state.lock();
        state.closing = Some(code);
        state.is_closing_head = state.last.is_some_and(|frame| frame.kind == FrameType::Continuation);
    }

    /// The peer sends nothing more.
    pub(super) fn ended(&self) {
        let mut state = self.state.lock();
        if state.first.end() {
            state.wake();
        }
    }
}

impl WireState {
    fn has_many_small(&self) -> bool {
        self.small >= SMALL_AT_ONCE
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
