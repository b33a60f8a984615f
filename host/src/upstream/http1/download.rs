//! An answer's body on its way in, and what becomes of the connection behind it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::super::Broken;
use super::coding::Coding;
use super::connection::Home;
use super::link::{Link, Rest};
use super::upload::UploadError;
use crate::http::RequestBodyError;
use crate::net::Stream;

/// What comes behind the head of an answer.
#[derive(Debug)]
pub enum Content {
    /// A body that is all there; it may be empty. The connection is free, unless more of the request has to go out.
    Whole(Bytes, Option<Unsent>),
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
    /// How much of the request had gone by when patience was last asked for.
    seen: u64,
    /// Where the connection goes, unless the endpoint closes it.
    home: Option<Arc<dyn Home>>,
    /// What it broke off with, to be told next.
    broken: Option<Broken>,
}

/// What an endpoint that answered early has not been sent yet. Dropped, it is not sent, and the connection closes.
#[derive(Debug)]
pub struct Unsent {
    pub(super) rest: Rest,
    pub(super) patience: Duration,
    pub(super) home: Option<Arc<dyn Home>>,
}

impl Unsent {
    /// Sends it, whoever sees the answer.
    pub fn go_on(self) {
        self.rest.go_on(self.patience, self.home);
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
        Self { link: Some(link), coding, first: first.transpose(), patience, waits: false, seen: 0, home, broken: None }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(first.map(Some));
        }
        if let Some(Link::Shared(rest)) = &mut self.link
            && let Poll::Ready(ended) = rest.poll_end(cx)
        {
            match ended {
                Ok(()) => {}
                Err(UploadError::Body(error)) => return Poll::Ready(Err(Broken::Upload(error))),
                // The endpoint takes no more of the request. Its answer goes on, and then nothing.
                Err(UploadError::Io(_)) => self.home = None,
            }
            self.take_over();
        }
        let Some(link) = &mut self.link else {
            return Poll::Ready(if self.coding.is_done() { Ok(None) } else { Err(Broken::Cut) });
        };
        if let Poll::Ready(piece) = link.with(|connection| self.coding.poll_piece(cx, connection)) {
            self.waits = false;
            return Poll::Ready(piece);
        }
        let patience = self.patience;
        if !std::mem::replace(&mut self.waits, true) {
            link.with(|connection| connection.timer.allow(patience));
        }
        loop {
            ready!(link.with(|connection| connection.timer.poll(cx)));
            match link {
                // An endpoint may want the whole request before it goes on.
                Link::Shared(rest) if rest.progress().has_passed(&mut self.seen) => {
                    rest.with(|connection| connection.timer.allow(patience));
                }
                Link::Shared(rest) if rest.is_starved() => {
                    return Poll::Ready(Err(Broken::Upload(RequestBodyError::Stalled)));
                }
                _ => return Poll::Ready(Err(Broken::Stalled(patience))),
            }
        }
    }

    /// The request is through: the answer has the connection alone from now on.
    fn take_over(&mut self) {
        self.link = match self.link.take() {
            Some(Link::Shared(rest)) => rest.into_connection().map(Link::Own),
            link => link,
        };
    }

    /// The body is through: gives the connection back, if it can be used again.
    fn finish(&mut self) {
        match (self.link.take(), self.home.take()) {
            (Some(Link::Own(connection)), Some(home)) if connection.is_free() => home.keep(connection),
            (Some(Link::Shared(rest)), home) => rest.go_on(self.patience, home),
            _ => {}
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if let Some(broken) = this.broken.take() {
            return Poll::Ready(Some(Err(broken)));
        }
        match ready!(this.poll_piece(cx)) {
            Ok(piece) => {
                if this.is_end_stream() {
                    this.finish();
                }
                Poll::Ready(piece.map(Frame::data).map(Ok))
            }
            Err(broken) => {
                this.link = None;
                this.broken = Some(broken);
                // hyper drops what it has not written yet when a body fails, the head among it. A turn, and it is written.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
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
