//! What comes on a stream, before anybody reads it.
//!
//! ```text
//! h2 ──▶ StreamInbox ──▶ Http2Duplex            gathered by the tunnel itself
//!                   └──▶ SharedInbox ──▶ Http2Body
//!                          └── Inboxes, of the Wire: gathered by the task of the connection
//! ```
//!
//! The library counts small pieces of DATA that nobody has read, for all streams of a connection together, and closes it
//! when there are too many. A stream whose reader is slow must not do that to the others: what comes on it is taken out of
//! the library, and becomes one piece. Its window stays shut meanwhile, so that is no more than a window.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use http::HeaderMap;
use parking_lot::Mutex;

/// Inboxes of a connection of which none is looked for that has gone.
const FEW: usize = 16;

/// DATA of one stream, in order.
#[derive(Debug)]
pub(super) struct StreamInbox {
    recv: RecvStream,
    /// Taken out of the library.
    ahead: BytesMut,
}

impl StreamInbox {
    pub(super) fn new(recv: RecvStream) -> Self {
        Self { recv, ahead: BytesMut::new() }
    }

    /// The next piece; none at the end of DATA. The peer may send as much anew once it is [released](Self::release).
    pub(super) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.ahead).freeze())));
        }
        self.recv.poll_data(cx)
    }

    /// Takes out of the library what has come. Ready with how DATA has ended behind it; what was taken is read first all
    /// the same, and then that end is found again.
    pub(super) fn gather(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        loop {
            match self.recv.poll_data(cx) {
                Poll::Ready(Some(Ok(data))) => self.ahead.extend_from_slice(&data),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Whether trailers came behind DATA, which have their end.
    pub(super) fn has_trailers(&mut self, cx: &mut Context<'_>) -> bool {
        matches!(self.recv.poll_trailers(cx), Poll::Ready(Ok(Some(_))))
    }

    /// Lets the peer send `count` bytes more.
    pub(super) fn release(&mut self, count: usize) -> Result<(), h2::Error> {
        self.recv.flow_control().release_capacity(count)
    }

    /// Whether the peer has ended its direction, and all of it was read.
    pub(super) fn is_end(&self) -> bool {
        self.ahead.is_empty() && self.recv.is_end_stream()
    }
}

/// The inbox of a body, which the task of its connection can gather for it.
#[derive(Debug)]
pub(super) struct SharedInbox(Arc<Mutex<BodyInbox>>);

#[derive(Debug)]
struct BodyInbox {
    inbox: StreamInbox,
    /// Who waits for the next piece. The library knows one waker for a stream, that of the last poll.
    waiting: Option<Waker>,
}

impl SharedInbox {
    /// One that `inboxes` gathers.
    pub(super) fn new(recv: RecvStream, inboxes: &Inboxes) -> Self {
        let shared = Arc::new(Mutex::new(BodyInbox { inbox: StreamInbox::new(recv), waiting: None }));
        inboxes.add(&shared);
        Self(shared)
    }

    /// The next piece, for which the peer may send as much anew; none at the end of DATA.
    pub(super) fn poll_data(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let mut body = self.0.lock();
        let next = body.inbox.poll_data(cx);
        if next.is_pending() {
            match &mut body.waiting {
                Some(there) => there.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        if let Poll::Ready(Some(Ok(data))) = &next {
            body.inbox.release(data.len())?;
        }
        next
    }

    pub(super) fn poll_trailers(&self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, h2::Error>> {
        self.0.lock().inbox.recv.poll_trailers(cx)
    }

    pub(super) fn is_end(&self) -> bool {
        self.0.lock().inbox.is_end()
    }
}

impl BodyInbox {
    fn gather(&mut self) {
        let waker = self.waiting.as_ref().unwrap_or(Waker::noop());
        // How it ends is found by who reads it.
        let _end = self.inbox.gather(&mut Context::from_waker(waker));
    }
}

/// The inboxes of all bodies of a connection.
#[derive(Debug, Default)]
pub(super) struct Inboxes(Mutex<InboxList>);

#[derive(Debug, Default)]
struct InboxList {
    all: Vec<Weak<Mutex<BodyInbox>>>,
    /// How many there may be until those that have gone are dropped.
    room: usize,
}

impl Inboxes {
    fn add(&self, inbox: &Arc<Mutex<BodyInbox>>) {
        let mut list = self.0.lock();
        if list.all.len() >= list.room {
            list.all.retain(|there| there.strong_count() > 0);
            list.room = (2 * list.all.len()).max(FEW);
        }
        list.all.push(Arc::downgrade(inbox));
    }

    /// Takes what has come out of the library, for all of them.
    pub(super) fn gather(&self) {
        // Not under the lock of the list: a body that has just gone is dropped here, with its stream.
        let all: Vec<_> = self.0.lock().all.iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(|inbox| inbox.lock().gather());
    }
}
