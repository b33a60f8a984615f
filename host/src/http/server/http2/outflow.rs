//! The connection below the library, as far as its end and its client's patience with what is written are concerned.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::http::http2::WatchedStream;
use crate::http::server::linger::Linger;

/// What a connection is at whose library writes to it.
#[derive(Debug, Default)]
pub(super) struct Outflow(Mutex<OutflowState>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OutflowState {
    /// The client takes nothing, since then.
    pub(super) blocked: Option<Instant>,
    /// Everything has been said, then; what the client still sends is dropped.
    pub(super) lingering: Option<Instant>,
    /// Closed at once, for want of a place to linger.
    pub(super) is_crowded: bool,
}

impl Outflow {
    pub(super) fn state(&self) -> OutflowState {
        *self.0.lock()
    }

    fn note<T>(&self, written: &Poll<T>) {
        let mut state = self.0.lock();
        match written {
            Poll::Pending => _ = state.blocked.get_or_insert_with(Instant::now),
            Poll::Ready(_) => state.blocked = None,
        }
    }
}

/// A client's connection that is closed in stages (RFC 9112 §9.6, which is about TCP and not about HTTP/1.1): a reset would
/// take the GOAWAY away that says why.
#[derive(Debug)]
pub(super) struct ClientStream {
    stream: WatchedStream,
    outflow: Arc<Outflow>,
    linger_bytes: u64,
    linger: Option<Box<Linger>>,
}

impl ClientStream {
    pub(super) fn new(stream: WatchedStream, linger_bytes: u64) -> (Self, Arc<Outflow>) {
        let outflow = Arc::new(Outflow::default());
        (Self { stream, outflow: outflow.clone(), linger_bytes, linger: None }, outflow)
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.outflow.note(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// The caller has the clock.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            let linger = Linger::begin(this.linger_bytes);
            let mut state = this.outflow.0.lock();
            state.lingering.get_or_insert_with(Instant::now);
            state.is_crowded = linger.is_none();
            this.linger = linger.map(Box::new);
        }
        match &mut this.linger {
            Some(linger) => {
                ready!(linger.poll(cx, this.stream.below()));
                Poll::Ready(Ok(()))
            }
            None => Pin::new(&mut this.stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.outflow.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
