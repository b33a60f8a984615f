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
use super::judged::FrameJudge;
use super::scanner::{FrameHead, FramePart, FrameScanner, FrameType};
use super::trailers::TrailerWatch;
use super::unanswered::UnansweredRequests;
use crate::telemetry::FloodKind;

/// Streams that are remembered for their trailers: as many as may be open. Some may be closed already, and never asked
/// for; who fills it up with those has its trailers read by the library alone.
const MALFORMED: usize = 1000;

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

/// What is known of a connection from below the library, shared with the task that drives it.
#[derive(Debug)]
pub struct Wire {
    state: Mutex<WireState>,
    /// GOAWAY frames that have come.
    goaways: AtomicU64,
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
    /// How often all has gone out that could, and who waits for the next time.
    flushes: u64,
    flushing: Vec<Waker>,
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
            flushes: 0,
            flushing: Vec::new(),
            trailers,
            malformed,
            unanswered: None,
        };
        Arc::new(Self { state: Mutex::new(state), goaways: AtomicU64::new(0) })
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

    /// Has GOAWAY with `code` written when the library reads next, if no frame is half written, and the connection end
    /// there. For the library's side of clients, which has no word for it.
    pub fn leave(&self, code: Reason) {
        self.state.lock().leaving = Some(code);
    }

    /// The code that [`Self::leave`] was called with.
    pub(super) fn leaving(&self) -> Option<Reason> {
        self.state.lock().leaving
    }

    /// Whether the last GOAWAY was written in the middle of a head, or right behind a long one.
    #[must_use]
    pub fn is_closing_head(&self) -> bool {
        self.state.lock().is_closing_head
    }

    /// Ready once all has gone out that the library holds now and that windows have room for. `since` is none at first.
    pub fn poll_flushed(&self, cx: &mut Context<'_>, since: &mut Option<u64>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.flushes > *since.get_or_insert(state.flushes) {
            return Poll::Ready(());
        }
        state.flushing.push(cx.waker().clone());
        // It may have nothing else to do.
        state.wake();
        Poll::Pending
    }

    /// All has gone out that could: the task says so that drives the connection.
    pub fn flushed(&self) {
        let mut state = self.state.lock();
        if !state.flushing.is_empty() {
            state.flushes += 1;
            state.flushing.drain(..).for_each(Waker::wake);
        }
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
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;
    use std::time::Duration;

    use super::super::first_frame::{SHOWN, TYPE_AT};
    use super::super::scanner::WireSide;
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// A wire and what follows it.
    struct Followed {
        wire: Arc<Wire>,
        scanner: FrameScanner,
        budget: FrameBudget,
    }

    impl Followed {
        fn new(side: WireSide) -> Self {
            let (scanner, now) = (FrameScanner::new(side), Instant::now());
            Self { wire: Wire::new(now, &scanner), scanner, budget: FrameBudget::new(now) }
        }

        fn read(&mut self, bytes: &[u8]) -> bool {
            self.wire.read(bytes, &mut self.scanner, &mut self.budget)
        }
    }

    impl std::ops::Deref for Followed {
        type Target = Wire;

        fn deref(&self) -> &Wire {
            &self.wire
        }
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_client_begins_with_preface_and_settings() {
        let mut wire = Followed::new(WireSide::Client);
        assert!(matches!(wire.unfinished(), Some((Unfinished::Preface, _))));
        for (at, byte) in PREFACE.iter().chain(EMPTY_SETTINGS).enumerate() {
            assert!(!wire.has_settings() || at > PREFACE.len() + TYPE_AT, "byte {at}");
            assert!(wire.read(&[*byte]));
        }
        assert!(wire.has_settings() && wire.first_bytes().is_empty());
        assert_eq!((wire.unfinished(), wire.frames_read()), (None, 1));
    }

    #[test]
    fn what_is_no_settings_frame_is_kept_to_be_shown_and_wakes() {
        let mut wire = Followed::new(WireSide::Endpoint);
        let count = Arc::new(Count::default());
        wire.register(&Waker::from(Arc::clone(&count)));

        assert!(wire.read(b"HTTP/1.1 400 Bad Request\r\n"));

        assert_eq!((&wire.first_bytes()[..], wire.has_settings()), (&b"HTTP/1.1 400 Bad Request\r\n"[..], false));
        assert_eq!(count.0.load(Relaxed), 1);
        assert!(wire.read(&[b'x'; 1000]));
        assert_eq!(wire.first_bytes().len(), SHOWN);
    }

    #[test]
    fn the_little_that_came_before_an_end_is_shown() {
        let mut wire = Followed::new(WireSide::Endpoint);
        assert!(wire.read(b"no"));
        assert!(wire.first_bytes().is_empty());
        wire.ended();
        assert_eq!(&wire.first_bytes()[..], b"no");
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_block_is_unfinished_from_its_begin_to_its_last_byte() {
        let mut wire = Followed::new(WireSide::Endpoint);
        let began = Instant::now();
        assert!(wire.read(&[0, 0, 1, 1, 0, 0, 0, 0, 1]));
        for bytes in [&[0x88][..], &[0, 0, 1, 9, 0, 0, 0, 0, 1, 0], &[0, 0, 2, 9, 4, 0, 0, 0, 1], &[0]] {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(wire.read(bytes));
            assert_eq!(wire.unfinished(), Some((Unfinished::HeaderBlock, began)), "behind {bytes:?}");
        }
        assert!(wire.read(&[0]));
        assert_eq!(wire.unfinished(), None);

        let again = Instant::now();
        assert!(wire.read(&[0, 0, 0, 1, 4, 0, 0, 0, 3, 0, 0, 1, 1, 4, 0, 0, 0, 5]));
        assert_eq!(wire.unfinished(), Some((Unfinished::HeaderBlock, again)), "another block has a time of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_frame_is_unfinished_since_its_last_byte() {
        let mut wire = Followed::new(WireSide::Endpoint);
        for bytes in [&[0, 0, 8, 6][..], &[0, 0, 0, 0, 0, 1]] {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(wire.read(bytes));
            assert_eq!(wire.unfinished(), Some((Unfinished::Frame, Instant::now())));
        }
        assert!(wire.read(&[0; 7]));
        assert_eq!(wire.unfinished(), None);
    }

    #[test]
    fn a_flood_stops_the_reading_wakes_and_stays() {
        let mut wire = Followed::new(WireSide::Endpoint);
        let count = Arc::new(Count::default());
        let pings = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(500);
        assert!(wire.read(&pings) && wire.read(&pings));
        wire.register(&Waker::from(Arc::clone(&count)));

        assert!(!wire.read(&pings));

        assert_eq!(count.0.load(Relaxed), 1);
        let fault = wire.fault().unwrap();
        assert_eq!((fault, fault.reason()), (WireFault::Flood(FloodKind::Ping), Reason::ENHANCE_YOUR_CALM));
        assert!(!wire.read(EMPTY_SETTINGS), "there is no way back");
        assert_eq!(wire.fault(), Some(fault));
    }
}
