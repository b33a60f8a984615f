//! A request's body on its way to an endpoint, and perhaps to the next.
//!
//! ```text
//! client ──▶ RequestBody ──▶ ResendableBody ── frames ──▶ endpoint
//!                             │  put_back: a piece that was taken, and not sent
//!                             │  rewind: from its beginning, if it is kept
//!                             └─ take_rest: goes on in the background
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::replay::Replay;
use crate::http::{RequestBody, RequestBodyError, strip_request_trailers};

/// How far a request body has come. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct UploadProgress(Arc<AtomicU64>);

impl UploadProgress {
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

    /// Whether it has come further since this was asked with the same `seen`; not the first time.
    pub(super) fn has_moved(&self, seen: &mut Option<u64>) -> bool {
        let now = self.bytes();
        seen.replace(now).is_some_and(|before| now > before)
    }

    /// What `upload`, whose progress this is, comes to; none once nothing has moved for `patience`.
    pub(super) async fn while_moving<T>(
        &self,
        patience: Duration,
        mut upload: impl Future<Output = T> + Unpin,
    ) -> Option<T> {
        let mut seen = Some(self.bytes());
        loop {
            if let Ok(ended) = tokio::time::timeout(patience, &mut upload).await {
                return Some(ended);
            }
            let now = Some(self.bytes());
            if std::mem::replace(&mut seen, now) == now {
                return None;
            }
        }
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Relaxed);
    }
}

/// The body of a request that may be sent more than once. An exchange borrows it and takes frames from it; what it
/// could not send at all it puts back. What must not be in trailers is taken out of them.
#[derive(Debug)]
pub struct ResendableBody {
    source: BodySource,
    /// A piece that has been taken out, and put back: nothing of it was sent.
    put_back: Bytes,
    /// None without a body.
    progress: Option<UploadProgress>,
    /// Names that its trailers must not have, in no spelling. Nearly always nothing.
    withheld: Option<Arc<[HeaderName]>>,
}

#[derive(Debug)]
enum BodySource {
    /// No bytes, or none any more.
    Empty,
    /// What is sent of it is gone.
    Once(RequestBody),
    /// Trailers that have been taken out of that, and put back. Boxed: see below.
    Trailers(Box<HeaderMap>),
    /// It was that, and its rest was taken out.
    Gone,
    /// It is kept while it is sent. Boxed: it is rare, and bodies are moved a lot.
    Kept(Box<Replay>),
}

impl ResendableBody {
    /// `body`, of which up to `keep` bytes are kept, so that it can be sent again. None keeps nothing; so does a body
    /// that says that it is longer.
    #[must_use]
    pub fn new(body: RequestBody, keep: Option<usize>) -> Self {
        if body.is_end_stream() {
            return Self::of(BodySource::Empty, None);
        }
        let kept = match keep {
            Some(limit) => Replay::new(body, limit),
            None => Err(body),
        };
        let source = match kept {
            Ok(replay) => BodySource::Kept(Box::new(replay)),
            Err(body) => BodySource::Once(body),
        };
        Self::of(source, Some(UploadProgress::default()))
    }

    fn of(source: BodySource, progress: Option<UploadProgress>) -> Self {
        Self { source, put_back: Bytes::new(), progress, withheld: None }
    }

    /// The same, but that nothing by one of these names, in whatever spelling, is in its trailers.
    #[must_use]
    pub fn withholding(mut self, names: Option<&Arc<[HeaderName]>>) -> Self {
        self.withheld = names.cloned();
        self
    }

    /// Puts `first` back, which was taken from its front.
    pub(super) fn put_back(&mut self, first: Bytes) {
        self.put_back = match (first, std::mem::take(&mut self.put_back)) {
            (first, behind) if behind.is_empty() => first,
            (first, behind) => [first, behind].concat().into(),
        };
    }

    /// Puts `trailers` back, which were its last frame.
    pub(super) fn put_back_trailers(&mut self, trailers: Box<HeaderMap>) {
        match &mut self.source {
            BodySource::Kept(replay) => replay.put_back_trailers(*trailers),
            source => *source = BodySource::Trailers(trailers),
        }
    }

    /// Takes what has not been sent yet out of it, to be sent in the background. [`Self::rewind`] gives it up there.
    pub(super) fn take_rest(&mut self) -> Self {
        let source = match &mut self.source {
            BodySource::Empty => BodySource::Empty,
            BodySource::Once(_) | BodySource::Trailers(_) | BodySource::Gone => {
                std::mem::replace(&mut self.source, BodySource::Gone)
            }
            BodySource::Kept(replay) => BodySource::Kept(Box::new(replay.take_rest())),
        };
        Self {
            source,
            put_back: std::mem::take(&mut self.put_back),
            progress: self.progress.clone(),
            withheld: self.withheld.clone(),
        }
    }

    /// Goes back to the beginning of the body; to be asked for where [`Self::can_resend`]. Whoever still sends it
    /// fails.
    pub fn rewind(&mut self) {
        if let BodySource::Kept(replay) = &mut self.source {
            replay.rewind();
            self.put_back = Bytes::new();
            self.progress = Some(UploadProgress::default());
        }
    }

    /// Whether it can be sent from its beginning.
    #[must_use]
    pub fn can_resend(&self) -> bool {
        match &self.source {
            BodySource::Empty => true,
            BodySource::Once(_) | BodySource::Trailers(_) | BodySource::Gone => false,
            BodySource::Kept(replay) => replay.can_rewind(),
        }
    }

    /// How far it has come this time; none without a body.
    #[must_use]
    pub fn progress(&self) -> Option<&UploadProgress> {
        self.progress.as_ref()
    }
}

impl Body for ResendableBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        if !this.put_back.is_empty() {
            // It was counted when it was taken.
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.put_back)))));
        }
        let mut frame = ready!(match &mut this.source {
            BodySource::Empty => Poll::Ready(None),
            BodySource::Once(body) => Pin::new(body).poll_frame(cx),
            BodySource::Trailers(trailers) => {
                let trailers = std::mem::take(trailers.as_mut());
                this.source = BodySource::Empty;
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            BodySource::Gone => Poll::Ready(Some(Err(RequestBodyError::SentAgain))),
            BodySource::Kept(replay) => Pin::new(replay.as_mut()).poll_frame(cx),
        });
        if let Some(Ok(frame)) = &mut frame {
            match frame.data_ref() {
                Some(data) => {
                    if let Some(progress) = &this.progress {
                        progress.add(data.len());
                    }
                }
                None => {
                    if let Some(trailers) = frame.trailers_mut() {
                        strip_request_trailers(trailers, this.withheld.as_deref().unwrap_or_default());
                    }
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.put_back.is_empty()
            && match &self.source {
                BodySource::Empty => true,
                BodySource::Once(body) => body.is_end_stream(),
                BodySource::Trailers(_) | BodySource::Gone => false,
                BodySource::Kept(replay) => replay.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.source {
            BodySource::Empty => Some(0),
            BodySource::Once(body) => body.size_hint().exact(),
            BodySource::Trailers(_) | BodySource::Gone => None,
            BodySource::Kept(replay) => replay.size_hint().exact(),
        };
        let whole = rest.map(|rest| rest + self.put_back.len() as u64);
        whole.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn body(pieces: &[&'static str], keep: Option<usize>) -> ResendableBody {
        let frames: Vec<_> = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))).collect();
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
        ResendableBody::new(RequestBody::Boxed { body: Box::pin(body), expects_continue: false }, keep)
    }

    async fn all(body: impl Body<Data = Bytes, Error = RequestBodyError>) -> Result<Bytes, RequestBodyError> {
        body.collect().await.map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn what_was_put_back_comes_first_and_is_counted_once() {
        let mut body = body(&["ab", "cd"], None);
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();

        body.put_back(first);

        assert_eq!(all(&mut body).await.unwrap(), "abcd");
        assert_eq!(body.progress().unwrap().bytes(), 4);
        assert!(!body.can_resend(), "nothing of it is kept");
    }

    #[tokio::test]
    async fn a_body_that_is_kept_begins_anew_and_the_rest_of_the_time_before_fails() {
        let mut body = body(&["ab", "cd"], Some(10));
        drop(body.frame().await);

        let rest = body.take_rest();
        body.rewind();

        assert!(matches!(all(rest).await, Err(RequestBodyError::SentAgain)));
        assert!(body.can_resend());
        assert_eq!(all(&mut body).await.unwrap(), "abcd");
        assert_eq!(body.progress().unwrap().bytes(), 4);
    }

    #[tokio::test]
    async fn a_body_that_outgrows_what_is_kept_is_sent_once() {
        let mut body = body(&["ab", "cd"], Some(3));

        assert!(body.can_resend());
        assert_eq!(all(&mut body).await.unwrap(), "abcd");
        assert!(!body.can_resend());
    }
}
