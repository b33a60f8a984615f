//! A request body that is kept while it is sent, so that it can be sent once more.
//!
//! ```text
//! client ──▶ Replay: kept bytes (up to a limit) ──▶ Kept: bytes again, then what the client goes on to send
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;

use super::Progress;
use crate::http::{RequestBody, RequestBodyError};

/// A client's body, and what has come of it so far.
#[derive(Clone, Debug)]
pub struct Replay(Arc<Mutex<Store>>);

#[derive(Debug)]
struct Store {
    incoming: RequestBody,
    /// Copied: a piece as it comes would hold on to the whole buffer that it was read into.
    kept: Vec<u8>,
    trailers: Option<HeaderMap>,
    limit: usize,
    /// Whether all that came is in `kept`.
    whole: bool,
    ended: bool,
    /// Length of the body, if the client said it.
    length: Option<u64>,
    /// Counts the times that it is sent: only the last may go on reading.
    turn: u32,
}

/// The body of one of these times.
#[derive(Debug)]
pub struct Kept {
    store: Arc<Mutex<Store>>,
    turn: u32,
    /// What came before, to be sent again.
    again: Bytes,
    trailers: Option<HeaderMap>,
    passed: u64,
    pub(super) progress: Progress,
}

impl Replay {
    /// Keeps up to `limit` bytes of `incoming`; none if it says that it has more.
    ///
    /// # Errors
    /// The body itself, if it is longer.
    pub fn new(incoming: RequestBody, limit: usize) -> Result<Self, RequestBody> {
        if incoming.size_hint().lower() > limit as u64 {
            return Err(incoming);
        }
        let length = incoming.size_hint().exact();
        let (kept, trailers) = (Vec::new(), None);
        let store = Store { incoming, kept, trailers, limit, whole: true, ended: false, length, turn: 0 };
        Ok(Self(Arc::new(Mutex::new(store))))
    }

    /// Whether it can be sent from its beginning.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.lock().whole
    }

    /// The body from its beginning. The one of the time before, if anybody still has it, fails.
    #[must_use]
    pub fn body(&self) -> Box<Kept> {
        let mut store = self.0.lock();
        store.turn += 1;
        Box::new(Kept {
            store: self.0.clone(),
            turn: store.turn,
            again: Bytes::copy_from_slice(&store.kept),
            trailers: store.trailers.clone(),
            passed: 0,
            progress: Progress::default(),
        })
    }
}

impl Store {
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

impl Body for Kept {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        let frame = if this.again.is_empty() {
            let mut store = this.store.lock();
            if store.turn != this.turn {
                return Poll::Ready(Some(Err(RequestBodyError::SentAgain)));
            }
            match this.trailers.take() {
                Some(trailers) => Some(Ok(Frame::trailers(trailers))),
                None if store.ended => None,
                None => {
                    let frame = ready!(Pin::new(&mut store.incoming).poll_frame(cx));
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
            this.progress.add(data.len());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        if !self.again.is_empty() || self.trailers.is_some() {
            return false;
        }
        let store = self.store.lock();
        store.turn == self.turn && (store.ended || store.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.store.lock().length;
        length.map_or_else(SizeHint::default, |length| SizeHint::with_exact(length.saturating_sub(self.passed)))
    }
}
