//! Request bodies on their way to an endpoint.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use super::Kept;
use crate::http::{self, RequestBodyError};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How far a request body has come, for those who wait for the answer.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Bytes handed to the connection so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Whether it has come further than `seen`, which is then where it is.
    pub(super) fn has_passed(&self, seen: &mut u64) -> bool {
        let before = std::mem::replace(seen, self.bytes());
        *seen > before
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Relaxed);
    }
}

/// The body of a request: none, or what the client sends.
#[derive(Debug)]
pub enum RequestBody {
    /// No bytes.
    Empty,
    /// The client's, passed on as it comes.
    Client(http::RequestBody, Progress),
    /// The client's, kept while it is passed on. Boxed: it is rare, and bodies are moved a lot.
    Kept(Box<Kept>),
    /// One whose first piece has been taken out, and put back: nothing of it was sent.
    PutBack(Bytes, Box<Self>),
}

impl RequestBody {
    /// This body with `first`, which was taken from it, put back before it.
    pub(super) fn preceded_by(self, first: Bytes) -> Self {
        match self {
            body if first.is_empty() => body,
            Self::PutBack(rest, body) if rest.is_empty() => Self::PutBack(first, body),
            body => Self::PutBack(first, Box::new(body)),
        }
    }

    /// How far it has come; none without a body.
    #[must_use]
    pub fn progress(&self) -> Option<&Progress> {
        match self {
            Self::Empty => None,
            Self::Client(_, progress) => Some(progress),
            Self::Kept(kept) => Some(&kept.progress),
            Self::PutBack(_, rest) => rest.progress(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Client(incoming, progress) => {
                let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
                if let Some(Ok(frame)) = &frame
                    && let Some(data) = frame.data_ref()
                {
                    progress.add(data.len());
                }
                Poll::Ready(frame)
            }
            Self::Kept(kept) => Pin::new(kept.as_mut()).poll_frame(cx),
            Self::PutBack(first, rest) if first.is_empty() => Pin::new(rest.as_mut()).poll_frame(cx),
            // It was counted when it was taken.
            Self::PutBack(first, _) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(first))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(incoming, _) => incoming.is_end_stream(),
            Self::Kept(kept) => kept.is_end_stream(),
            Self::PutBack(first, rest) => first.is_empty() && rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(incoming, _) => incoming.size_hint(),
            Self::Kept(kept) => kept.size_hint(),
            Self::PutBack(first, rest) => {
                let rest = rest.size_hint().exact();
                rest.map_or_else(SizeHint::default, |rest| SizeHint::with_exact(rest + first.len() as u64))
            }
        }
    }
}
