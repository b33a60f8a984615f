//! Bodies on their way to the client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use crate::http::server::http1::State;

/// Why a body stopped before its end. hyper cuts the connection, which is how HTTP/1.1 says it.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Hears what becomes of a body. Dropped with it, early or late.
pub trait Watch: Send {
    /// This much went by.
    fn data(&mut self, bytes: usize);
    /// The body came to its end.
    fn complete(&mut self);
    /// It broke, for this reason.
    fn broken(&mut self, error: &BodyError);
    /// The client took nothing of it for too long. Nothing follows.
    fn stalled(&mut self);
}

/// The body of a response.
pub struct Body {
    content: Content,
    watch: Option<Box<dyn Watch>>,
    busy: Option<Busy>,
}

enum Content {
    Whole(Option<Bytes>),
    Stream(UnsyncBoxBody<Bytes, BodyError>),
}

/// Tells the connection that its response is through, whenever and however that is.
pub(in crate::http) struct Busy(pub(in crate::http) Arc<State>);

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

    /// What comes by and by.
    #[must_use]
    pub fn stream<S>(stream: S) -> Self
    where
        S: http_body::Body<Data = Bytes> + Send + 'static,
        S::Error: std::error::Error + Send + Sync + 'static,
    {
        let stream = stream.map_err(Into::into).boxed_unsync();
        Self { content: Content::Stream(stream), watch: None, busy: None }
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

    pub(in crate::http) fn keeps_busy(&mut self, busy: Busy) {
        self.busy = Some(busy);
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let (Some(watch), Some(busy)) = (&mut self.watch, &self.busy)
            && busy.0.is_given_up()
        {
            watch.stalled();
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Content::Stream(stream) => ready!(Pin::new(stream).poll_frame(cx)),
        };
        let ended = this.is_end_stream();
        if let Some(watch) = &mut this.watch {
            match &frame {
                Some(Ok(frame)) => watch.data(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(error)) => watch.broken(error),
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
            Content::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Stream(stream) => stream.size_hint(),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
