//! What is kept of a request's body while it is sent.
//!
//! ```text
//! client ──▶ ReplayStore: kept bytes (up to a limit) ──▶ Replay: these again, then what the client goes on to send
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

use crate::http::{RequestBody, RequestBodyError};

/// A client's body, and what has come of it so far.
#[derive(Debug)]
struct ReplayStore {
    body: RequestBody,
    /// Copied: a piece as it comes would hold on to the whole buffer that it was read into.
    kept: Vec<u8>,
    trailers: Option<HeaderMap>,
    limit: usize,
    /// Whether all that came is in `kept`.
    whole: bool,
    ended: bool,
    /// Length of the body, if its head has one.
    length: Option<u64>,
    /// Counts the times that it is sent: only the last may go on reading.
    turn: u32,
}

/// The body as it is sent one time.
#[derive(Debug)]
pub(super) struct Replay {
    store: Arc<Mutex<ReplayStore>>,
    /// Which time this is; none once its rest has been taken out.
    turn: Option<u32>,
    /// What came before, to be sent again.
    again: Bytes,
    trailers: Option<HeaderMap>,
    passed: u64,
}

impl Replay {
    /// Keeps up to `limit` bytes of `body`; none if its head says that it is longer.
    ///
    /// # Errors
    /// The body itself, if it is longer.
    pub(super) fn new(body: RequestBody, limit: usize) -> Result<Self, RequestBody> {
        if body.size_hint().lower() > limit as u64 {
            return Err(body);
        }
        let length = body.size_hint().exact();
        let (kept, trailers) = (Vec::new(), None);
        let store = ReplayStore { body, kept, trailers, limit, whole: true, ended: false, length, turn: 0 };
        let store = Arc::new(Mutex::new(store));
        Ok(Self { store, turn: Some(0), again: Bytes::new(), trailers: None, passed: 0 })
    }

    /// Goes back to the beginning. Whoever has taken the rest of the time before fails.
    pub(super) fn rewind(&mut self) {
        let mut store = self.store.lock();
        store.turn += 1;
        self.turn = Some(store.turn);
        self.again = Bytes::copy_from_slice(&store.kept);
        self.trailers.clone_from(&store.trailers);
        self.passed = 0;
    }

    /// Takes out what has not been sent this time. This sends nothing more until it is rewound.
    pub(super) fn take_rest(&mut self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            turn: self.turn.take(),
            again: std::mem::take(&mut self.again),
            trailers: self.trailers.take(),
            passed: self.passed,
        }
    }

    /// Puts `trailers` back, which were its last frame.
    pub(super) fn put_back_trailers(&mut self, trailers: HeaderMap) {
        self.trailers = Some(trailers);
    }

    /// Whether it can be sent from its beginning.
    pub(super) fn can_rewind(&self) -> bool {
        self.store.lock().whole
    }
}

impl ReplayStore {
    fn keep(&mut self, frame: &Frame<Bytes>) {
        if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
            self.ended = true;
        }
        let Some(data) = frame.data_ref().filter(|_| self.whole) else { return };
        if self.kept.len() + data.len() > self.limit {
            self.whole = false;
            self.kept = Vec::new();
        } else {
            self.kept.extend_from_slice(data);
        }
    }
}

impl Body for Replay {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        let frame = if this.again.is_empty() {
            let mut store = this.store.lock();
            if Some(store.turn) != this.turn {
                return Poll::Ready(Some(Err(RequestBodyError::SentAgain)));
            }
            match this.trailers.take() {
                Some(trailers) => Some(Ok(Frame::trailers(trailers))),
                None if store.ended => None,
                None => {
                    let frame = ready!(Pin::new(&mut store.body).poll_frame(cx));
                    match &frame {
                        Some(Ok(frame)) => store.keep(frame),
                        Some(Err(_)) => store.whole = false,
                        None => store.ended = true,
                    }
                    frame
                }
            }
        } else {
            Some(Ok(Frame::data(std::mem::take(&mut this.again))))
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.passed += data.len() as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        if !self.again.is_empty() || self.trailers.is_some() {
            return false;
        }
        let store = self.store.lock();
        Some(store.turn) == self.turn && (store.ended || store.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.store.lock().length;
        length.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length.saturating_sub(self.passed)))
    }
}
