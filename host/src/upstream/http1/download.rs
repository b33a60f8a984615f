//! An answer's body on its way in, and what becomes of the connection behind it.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::super::Progress;
use super::coding::Coding;
use super::connection::{Connection, Home};
use super::error::Broken;
use super::upload::{Upload, UploadError};
use crate::net::Stream;

/// What comes behind the head of an answer.
#[derive(Debug)]
pub enum Content {
    /// A body that is all there; it may be empty. The connection is free.
    Whole(Bytes),
    /// A body that is still coming.
    Stream(Box<Download>),
    /// A 101: the stream, and bytes of the new protocol that were read with the head.
    Switched(Box<Stream>, Bytes),
}

/// A body that is still coming. Its connection waits for work again when all of it has been read; dropped before, it
/// closes.
#[derive(Debug)]
pub struct Download {
    link: Option<Link>,
    coding: Coding,
    /// Read with the head.
    first: Option<Result<Bytes, Broken>>,
    patience: Duration,
    /// Nothing is there, and the clock runs.
    waits: bool,
    /// Where the connection goes, unless the endpoint closes it.
    home: Option<Arc<dyn Home>>,
}

/// Who has the connection.
#[derive(Debug)]
pub(super) enum Link {
    /// The answer alone.
    Own(Connection),
    /// The rest of the request as well, which goes out whether anybody reads the answer or not: its sender may not begin
    /// to read before it has sent everything.
    Shared(Arc<Mutex<Connection>>, Sending),
}

/// The rest of a request, in a task of its own. Dropping this ends it.
#[derive(Debug)]
pub(super) struct Sending {
    task: AbortOnDropHandle<Result<(), UploadError>>,
    progress: Progress,
}

impl Link {
    /// Lets `upload` go on beside the answer.
    pub(super) fn share(connection: Connection, mut upload: Upload) -> Self {
        let shared = Arc::new(Mutex::new(connection));
        let sending = Arc::clone(&shared);
        let progress = upload.progress().cloned().unwrap_or_default();
        let task = async move { poll_fn(|cx| upload.poll(cx, &mut sending.lock().stream)).await };
        let task = AbortOnDropHandle::new(tokio::spawn(task));
        Self::Shared(shared, Sending { task, progress })
    }

    /// The answer is through and the request is not: an endpoint that answers early may still want all of it. It gets it,
    /// as long as something moves every `patience`.
    pub(super) fn leave(self, patience: Duration) {
        let Self::Shared(_, Sending { mut task, progress }) = self else { return };
        crate::lifecycle::spawn(async move {
            let mut seen = None;
            while tokio::time::timeout(patience, &mut task).await.is_err() && seen != Some(progress.bytes()) {
                seen = Some(progress.bytes());
            }
        });
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> T) -> T {
        match self {
            Self::Own(connection) => work(connection),
            Self::Shared(shared, _) => work(&mut shared.lock()),
        }
    }
}

impl Download {
    pub(super) fn new(
        link: Link,
        coding: Coding,
        first: Result<Option<Bytes>, Broken>,
        patience: Duration,
        home: Option<Arc<dyn Home>>,
    ) -> Self {
        Self { link: Some(link), coding, first: first.transpose(), patience, waits: false, home }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(first.map(Some));
        }
        let Some(link) = &mut self.link else { return Poll::Ready(Ok(None)) };
        if let Link::Shared(shared, sending) = link
            && let Poll::Ready(ended) = Pin::new(&mut sending.task).poll(cx)
        {
            // If the endpoint takes no more of the request, its answer goes on.
            if let Ok(Err(UploadError::Body(error))) = ended {
                return Poll::Ready(Err(Broken::Upload(error)));
            }
            // The task is over, and its share with it.
            let shared = Arc::clone(shared);
            self.link = None;
            let Some(connection) = Arc::into_inner(shared) else { return Poll::Ready(Err(Broken::Cut)) };
            self.link = Some(Link::Own(connection.into_inner()));
        }
        let Some(link) = &mut self.link else { return Poll::Ready(Ok(None)) };
        if let Poll::Ready(piece) = link.with(|connection| self.coding.poll_piece(cx, connection)) {
            self.waits = false;
            return Poll::Ready(piece);
        }
        let (waits, patience) = (std::mem::replace(&mut self.waits, true), self.patience);
        ready!(link.with(|connection| {
            if !waits {
                connection.clock.allow(patience);
            }
            connection.clock.poll(cx)
        }));
        Poll::Ready(Err(Broken::Stalled(patience)))
    }

    /// The body is through: gives the connection back, if it can be used again.
    fn finish(&mut self) {
        match (self.link.take(), self.home.take()) {
            (Some(Link::Own(connection)), Some(home)) if connection.unread.is_empty() => home.keep(connection),
            (Some(link @ Link::Shared(..)), _) => link.leave(self.patience),
            _ => {}
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        let piece = ready!(this.poll_piece(cx));
        match &piece {
            Err(_) => this.link = None,
            Ok(_) if this.is_end_stream() => this.finish(),
            Ok(_) => {}
        }
        Poll::Ready(piece.transpose().map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.coding.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let first = match &self.first {
            Some(Ok(piece)) => piece.len() as u64,
            _ => 0,
        };
        self.coding.left().map_or_else(SizeHint::default, |left| SizeHint::with_exact(left + first))
    }
}
