//! Bodies on their way to the client.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::guard::State;

/// Why a body stopped before its end. hyper cuts the connection, which is how HTTP/1.1 says it.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The endpoint broke off.
    #[error("the endpoint broke off in the middle of a body")]
    Broken(#[source] hyper::Error),
    /// Nothing came for too long.
    #[error("the endpoint sent nothing for {0:?}")]
    Stalled(Duration),
}

/// Hears what becomes of a body. Dropped with it, early or late.
pub trait Watch: Send {
    /// This much went by.
    fn data(&mut self, bytes: usize);
    /// The body came to its end.
    fn complete(&mut self);
    /// It broke.
    fn broken(&mut self);
}

/// The body of a response.
pub struct Body {
    content: Content,
    watch: Option<Box<dyn Watch>>,
    busy: Option<Busy>,
}

enum Content {
    Whole(Option<Bytes>),
    Stream { incoming: Incoming, patience: Duration, stalled: Option<Pin<Box<Sleep>>> },
}

/// Tells the connection that its response is through, whenever and however that is.
pub(super) struct Busy(pub(super) Arc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Body {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self { content: Content::Whole(None), watch: None, busy: None }
    }

    /// These bytes.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { content: Content::Whole((!bytes.is_empty()).then_some(bytes)), watch: None, busy: None }
    }

    /// What an endpoint sends; it fails when nothing comes for `patience`.
    #[must_use]
    pub fn stream(incoming: Incoming, patience: Duration) -> Self {
        Self { content: Content::Stream { incoming, patience, stalled: None }, watch: None, busy: None }
    }

    /// Lets `watch` hear of it. It hears of the end at once if the body is empty.
    #[must_use]
    pub fn watched(mut self, mut watch: Box<dyn Watch>) -> Self {
        if self.is_end_stream() {
            watch.complete();
        }
        self.watch = Some(watch);
        self
    }

    pub(super) fn keeps_busy(&mut self, busy: Busy) {
        self.busy = Some(busy);
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Content::Stream { incoming, patience, stalled } => ready!(poll_stream(incoming, *patience, stalled, cx)),
        };
        let ended = this.is_end_stream();
        if let Some(watch) = &mut this.watch {
            match &frame {
                Some(Ok(frame)) => watch.data(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(_)) => watch.broken(),
                None => {}
            }
            // Nothing follows trailers, and nobody asks again.
            let trailers = matches!(&frame, Some(Ok(frame)) if frame.is_trailers());
            if frame.is_none() || trailers || (ended && matches!(frame, Some(Ok(_)))) {
                watch.complete();
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_none(),
            Content::Stream { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Stream { incoming, .. } => incoming.size_hint(),
        }
    }
}

/// The next frame, or an error once nothing has come for `patience`. A timer exists only while something is awaited.
fn poll_stream(
    incoming: &mut Incoming,
    patience: Duration,
    stalled: &mut Option<Pin<Box<Sleep>>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
    if let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) {
        *stalled = None;
        return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
    }
    let timer = stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
    ready!(timer.as_mut().poll(cx));
    Poll::Ready(Some(Err(BodyError::Stalled(patience))))
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
