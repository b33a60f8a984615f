//! A connection below the HTTP/2 library.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::scanner::{FrameScanner, WireSide};
use super::wire::Wire;
use crate::net::Stream;

/// A connection that the HTTP/2 library reads and writes, and what it reads seen on the way.
#[derive(Debug)]
pub struct WatchedStream {
    stream: Stream,
    /// Read before the library existed.
    ahead: Bytes,
    scanner: FrameScanner,
    wire: Arc<Wire>,
}

impl WatchedStream {
    /// One whose first bytes are `ahead`, which were read from `stream` already.
    #[must_use]
    pub fn new(stream: Stream, ahead: Bytes, sender: WireSide) -> (Self, Arc<Wire>) {
        let scanner = FrameScanner::new(sender);
        let wire = Wire::new(Instant::now(), &scanner);
        (Self { stream, ahead, scanner, wire: Arc::clone(&wire) }, wire)
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if this.ahead.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let taken = this.ahead.len().min(buf.remaining());
            buf.put_slice(this.ahead.get(..taken).unwrap_or_default());
            this.ahead.advance(taken);
        }
        match buf.filled().get(before..) {
            Some(bytes) if !bytes.is_empty() => this.wire.read(bytes, &mut this.scanner),
            _ => this.wire.ended(),
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
