//! A response's body on its way in, and what becomes of the connection behind it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::super::Broken;
use super::access::ConnectionAccess;
use super::connection::ReturnTo;
use super::decoder::BodyDecoder;
use super::upload::UploadError;
use crate::http::RequestBodyError;

/// A body that is still coming. Its connection waits for work again when all of it has been read; dropped before, it
/// closes.
#[derive(Debug)]
pub(super) struct Download {
    access: Option<ConnectionAccess>,
    decoder: BodyDecoder,
    /// Read with the head.
    first: Option<Result<Bytes, Broken>>,
    patience: Duration,
    /// Nothing is there, and the clock runs.
    waits: bool,
    /// How much of the request had gone by when patience was last asked for.
    seen: u64,
    /// Where the connection goes, unless the endpoint closes it.
    return_to: Option<Arc<dyn ReturnTo>>,
}

impl Download {
    pub(super) fn new(
        access: ConnectionAccess,
        decoder: BodyDecoder,
        first: Result<Option<Bytes>, Broken>,
        patience: Duration,
        return_to: Option<Arc<dyn ReturnTo>>,
    ) -> Self {
        Self { access: Some(access), decoder, first: first.transpose(), patience, waits: false, seen: 0, return_to }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Broken>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(first.map(Frame::data).map(Some));
        }
        if let Some(ConnectionAccess::Shared(rest)) = &mut self.access
            && let Poll::Ready(ended) = rest.poll_end(cx)
        {
            match ended {
                Ok(()) => {}
                Err(UploadError::Body(error)) => return Poll::Ready(Err(Broken::Upload(error))),
                // The endpoint takes no more of the request. Its response goes on, and then nothing.
                Err(UploadError::Io(_)) => self.return_to = None,
            }
            self.take_over();
        }
        let Some(access) = &mut self.access else {
            return Poll::Ready(if self.decoder.is_done() { Ok(None) } else { Err(Broken::Cut) });
        };
        if let Poll::Ready(piece) = access.with(|connection| self.decoder.poll_piece(cx, connection)) {
            self.waits = false;
            return Poll::Ready(piece);
        }
        let patience = self.patience;
        if !std::mem::replace(&mut self.waits, true) {
            access.with(|connection| connection.timer.allow(patience));
            if let ConnectionAccess::Shared(rest) = access {
                self.seen = rest.progress().bytes();
            }
        }
        loop {
            ready!(access.with(|connection| connection.timer.poll(cx)));
            match access {
                // An endpoint may want the whole request before it goes on.
                ConnectionAccess::Shared(rest) if rest.progress().has_passed(&mut self.seen) => {
                    rest.with(|connection| connection.timer.allow(patience));
                }
                ConnectionAccess::Shared(rest) if rest.is_starved() => {
                    return Poll::Ready(Err(Broken::Upload(RequestBodyError::Stalled)));
                }
                _ => return Poll::Ready(Err(Broken::Stalled(patience))),
            }
        }
    }

    /// The request is through: the response has the connection alone from now on.
    fn take_over(&mut self) {
        self.access = match self.access.take() {
            Some(ConnectionAccess::Shared(rest)) => rest.into_connection().map(ConnectionAccess::Own),
            access => access,
        };
    }

    /// The body is through: gives the connection back, if it can be used again.
    fn finish(&mut self) {
        match (self.access.take(), self.return_to.take()) {
            (Some(ConnectionAccess::Own(connection)), Some(return_to)) if connection.is_free() => {
                return_to.put_back(connection)
            }
            (Some(ConnectionAccess::Shared(rest)), return_to) => rest.finish_in_background(self.patience, return_to),
            _ => {}
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        match ready!(this.poll_piece(cx)) {
            Ok(piece) => {
                if this.is_end_stream() {
                    this.finish();
                }
                Poll::Ready(piece.map(Ok))
            }
            Err(broken) => {
                this.access = None;
                Poll::Ready(Some(Err(broken)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.decoder.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let first = match &self.first {
            Some(Ok(piece)) => piece.len() as u64,
            _ => 0,
        };
        self.decoder.left().map_or_else(SizeHint::default, |left| SizeHint::with_exact(left + first))
    }
}
