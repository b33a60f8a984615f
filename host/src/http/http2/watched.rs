//! A connection below the HTTP/2 library.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::budget::FrameBudget;
use super::scanner::{FramePart, FrameScanner, WireSide};
use super::sent_codes::{CodeReader, SentCode, goaway};
use super::wire::{ReadGate, Wire};
use crate::net::Stream;
use crate::telemetry::{Counter, Metrics};

/// A connection that the HTTP/2 library reads and writes, with its frames seen on the way. After a flood of frames that
/// bring nothing ([`Wire::fault`]) nothing more can be read.
#[derive(Debug)]
pub struct WatchedStream {
    stream: Stream,
    /// Read before the library existed.
    ahead: Bytes,
    received: FrameScanner,
    sent: FrameScanner,
    codes: CodeReader,
    budget: FrameBudget,
    wire: Arc<Wire>,
    /// Counts the streams that are reset here, if anybody does.
    metrics: Option<Arc<Metrics>>,
    /// The peer takes nothing of what is written.
    is_blocked: bool,
}

impl WatchedStream {
    /// One whose first bytes are `ahead`, which were read from `stream` already.
    #[must_use]
    pub fn new(stream: Stream, ahead: Bytes, sender: WireSide) -> (Self, Arc<Wire>) {
        let (received, sent) = (FrameScanner::new(sender), FrameScanner::new(sender.other()));
        let now = Instant::now();
        let (wire, budget) = (Wire::new(now, &received), FrameBudget::new(now));
        let codes = CodeReader::default();
        let shared = Arc::clone(&wire);
        let watched =
            Self { stream, ahead, received, sent, codes, budget, wire: shared, metrics: None, is_blocked: false };
        (watched, wire)
    }

    /// Has the streams counted that are reset here, whoever does it: the library resets what it does not show.
    #[must_use]
    pub fn counted_by(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// The connection below, for its end: what is read or written of it past this is not seen.
    pub fn below(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Writes GOAWAY with `code`, as far as that is possible at once: not in the middle of a frame.
    fn say_goaway(&mut self, cx: &mut Context<'_>, code: Reason) {
        if self.sent.is_in_frame() {
            return;
        }
        let stream = Pin::new(&mut self.stream);
        if let Poll::Ready(Ok(_)) = stream.poll_write(cx, &goaway(code)) {
            self.wire.closing(code);
            let _pending = Pin::new(&mut self.stream).poll_flush(cx);
        }
    }

    fn note_blocked(&mut self, is_blocked: bool) {
        if std::mem::replace(&mut self.is_blocked, is_blocked) != is_blocked {
            self.wire.set_blocked(is_blocked);
        }
    }

    /// Takes in the first `count` bytes of `bufs`, which went out.
    fn has_sent<'b>(&mut self, bufs: impl Iterator<Item = &'b [u8]>, mut count: usize) {
        for buf in bufs {
            let now = buf.get(..count).unwrap_or(buf);
            self.sent.follow(now, |part| {
                match self.codes.read(&part) {
                    Some(SentCode::Connection(code)) => self.wire.closing(code),
                    Some(SentCode::Stream(code)) => {
                        if let Some(metrics) = &self.metrics {
                            metrics.increment(Counter::for_reset(code.into()));
                        }
                    }
                    None => {}
                }
                if let FramePart::Head(frame) = part {
                    self.budget.sent(&frame);
                }
            });
            count -= now.len();
            if count == 0 {
                break;
            }
        }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.wire.gate() {
            ReadGate::Open => {}
            ReadGate::Leaving(code) => {
                this.say_goaway(cx, code);
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            // The task has been woken to close the connection; what else comes is not asked for.
            ReadGate::Fault => return Poll::Pending,
            ReadGate::Small => {
                // Who reads what has come runs before the task of the connection runs again, and that looks after the rest.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let before = buf.filled().len();
        if this.ahead.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let taken = this.ahead.len().min(buf.remaining());
            buf.put_slice(this.ahead.get(..taken).unwrap_or_default());
            this.ahead.advance(taken);
        }
        match buf.filled().get(before..) {
            Some(bytes) if !bytes.is_empty() => {
                if !this.wire.read(bytes, &mut this.received, &mut this.budget) {
                    buf.set_filled(before);
                    return Poll::Pending;
                }
            }
            _ => this.wire.ended(),
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.note_blocked(written.is_pending());
        let count = ready!(written)?;
        this.has_sent(std::iter::once(buf), count);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.note_blocked(flushed.is_pending());
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.note_blocked(written.is_pending());
        let count = ready!(written)?;
        this.has_sent(bufs.iter().map(|buf| &**buf), count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
