//! From the bytes of a connection to those of a body.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;

use super::super::Broken;
use super::super::unreadable::{Excerpt, Unreadable};
use super::connection::Connection;
use super::trailers::TrailerSection;
use crate::http::Chunks;

/// A body that is being read.
#[derive(Debug)]
pub(super) enum BodyDecoder {
    /// So many bytes are to come.
    Length(u64),
    /// Chunks, and the trailers that have come behind them. Boxed: they are rare.
    Chunked(Chunks, Option<Box<TrailerSection>>),
    /// Everything until the endpoint closes.
    UntilClose,
    /// It has closed.
    Closed,
}

impl BodyDecoder {
    /// Whether all of the body has been taken, its trailers included.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks, trailers) => chunks.is_at_end() && trailers.is_none(),
            Self::UntilClose => false,
            Self::Closed => true,
        }
    }

    /// Bytes that are to come, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(..) | Self::UntilClose => None,
            Self::Closed => Some(0),
        }
    }

    /// Whether all of the body is in `unread`, of which nothing is taken, or will never be known to be.
    ///
    /// # Errors
    /// [`Unreadable::Chunks`]
    pub(super) fn is_whole_in(&self, unread: &[u8]) -> Result<bool, Unreadable> {
        let mut chunks = match self {
            Self::Length(left) => return Ok(*left <= unread.len() as u64),
            Self::Chunked(chunks, _) => *chunks,
            Self::UntilClose | Self::Closed => return Ok(true),
        };
        let mut rest = unread;
        while !rest.is_empty() && !chunks.is_at_end() {
            let lines = chunks.pass_lines(rest).map_err(|_malformed| Unreadable::Chunks(Excerpt::of(rest)))?;
            let data = chunks.take_data(rest.len().saturating_sub(lines));
            rest = rest.get(lines + data..).unwrap_or_default();
        }
        Ok(chunks.is_at_end())
    }

    /// What it means that the endpoint closes before all of the body has been taken.
    pub(super) fn cut(&self) -> Broken {
        match self {
            Self::Length(left) => Broken::Short(*left),
            Self::Chunked(..) | Self::UntilClose | Self::Closed => Broken::Cut,
        }
    }

    /// The next piece of what has been read already; none if more must be read, or the body is done.
    ///
    /// # Errors
    /// [`Broken::Chunks`]
    pub(super) fn take(&mut self, unread: &mut Bytes) -> Result<Option<Bytes>, Broken> {
        let length = match self {
            Self::Length(left) => {
                let length = usize::try_from(*left).map_or(unread.len(), |left| left.min(unread.len()));
                *left -= length as u64;
                length
            }
            Self::Chunked(chunks, trailers) => {
                let before = *chunks;
                let lines = unread.split_to(chunks.pass_lines(unread)?);
                if chunks.has_trailers() {
                    keep_trailers(trailers, before, &lines);
                }
                chunks.take_data(unread.len())
            }
            Self::UntilClose => unread.len(),
            Self::Closed => 0,
        };
        if length == 0 {
            return Ok(None);
        }
        let piece = unread.split_to(length);
        if let Self::Chunked(chunks, trailers) = self {
            // Whether that was all. What is wrong with the lines is reported when the next piece is asked for.
            let mut after = *chunks;
            if let Ok(lines) = after.pass_lines(unread) {
                let before = std::mem::replace(chunks, after);
                let lines = unread.split_to(lines);
                if chunks.has_trailers() {
                    keep_trailers(trailers, before, &lines);
                }
            }
        }
        Ok(Some(piece))
    }

    /// The next piece, or the trailers; none at the end.
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
    ) -> Poll<Result<Option<Frame<Bytes>>, Broken>> {
        loop {
            if let Some(piece) = self.take(&mut connection.unread)? {
                return Poll::Ready(Ok(Some(Frame::data(piece))));
            }
            if let Self::Chunked(chunks, trailers) = self
                && chunks.is_at_end()
                && let Some(section) = trailers.take()
            {
                let fields = section.read(connection.limits.fields)?;
                return Poll::Ready(Ok(Some(Frame::trailers(fields))));
            }
            if self.is_done() {
                return Poll::Ready(Ok(None));
            }
            if ready!(connection.poll_fill(cx))? == 0 {
                let Self::UntilClose = self else { return Poll::Ready(Err(self.cut())) };
                *self = Self::Closed;
            }
        }
    }
}

/// Keeps what is of the trailer section in `lines`, which were passed over from `before` on.
#[cold]
fn keep_trailers(trailers: &mut Option<Box<TrailerSection>>, before: Chunks, lines: &[u8]) {
    let lines = before.trailers_in(lines);
    if !lines.is_empty() {
        trailers.get_or_insert_default().push(lines);
    }
}
