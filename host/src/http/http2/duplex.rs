//! A stream of HTTP/2 as one side of a tunnel.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::inbox::StreamInbox;
use super::reset::{reset_code, reset_word};
use super::room::poll_room;
use super::wire::Wire;
use crate::net::{DuplexStream, PeerGone, ResetReason};

/// A stream of HTTP/2 as bytes both ways: END_STREAM is the end of a direction, RST_STREAM and the end of the connection
/// below it are [`ConnectionReset`](io::ErrorKind::ConnectionReset) (RFC 9113 §8.5).
///
/// The peer may send what has been read, and no more: who does not read holds one window. What is written waits in the
/// library for its turn, up to the library's limit for a stream; an idle stream owns no memory for bytes.
#[derive(Debug)]
pub struct Http2Duplex {
    send: SendStream<Bytes>,
    inbox: StreamInbox,
    wire: Arc<Wire>,
    /// Since which of the connection's flushes what was written is waited for; none while it is not.
    flush: Option<u64>,
    /// The rest of a frame, for the next read.
    unread: Bytes,
    /// The peer has ended its direction, and all of it was read.
    has_read_end: bool,
    /// This side's direction has had its end.
    is_shut: bool,
}

impl Http2Duplex {
    /// Both directions of a stream, of the connection above `wire`.
    pub fn new(send: SendStream<Bytes>, recv: RecvStream, wire: Arc<Wire>) -> Self {
        let inbox = StreamInbox::new(recv);
        Self { send, inbox, wire, flush: None, unread: Bytes::new(), has_read_end: false, is_shut: false }
    }

    /// Why nothing can be written on a stream that takes nothing any longer.
    fn closed(&mut self, cx: &mut Context<'_>) -> io::Error {
        match self.send.poll_reset(cx) {
            // The peer has said all that it wants to say, and reads no more (RFC 9113 §8.1).
            Poll::Ready(Ok(Reason::NO_ERROR)) if self.inbox.is_end() => io::ErrorKind::BrokenPipe.into(),
            Poll::Ready(Ok(code)) => broken(&code.into()),
            Poll::Ready(Err(error)) => broken(&error),
            Poll::Pending => io::ErrorKind::BrokenPipe.into(),
        }
    }
}

/// What a stream is for its user that has ended before its time, for whatever reason.
fn broken(error: &h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, reset_word(error))
}

impl DuplexStream for Http2Duplex {
    fn reset(&mut self, reason: ResetReason) {
        self.send.send_reset(reset_code(reason));
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wire.poll_flushed(cx, &mut self.flush)
    }

    /// Whether the end of a direction came before a reset is seen behind all that came of it alone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<PeerGone> {
        match ready!(self.inbox.gather(cx)) {
            Err(error) if error.is_reset() => Poll::Ready(PeerGone::Reset(broken(&error))),
            Err(error) => Poll::Ready(PeerGone::Lost(broken(&error))),
            Ok(()) => self.send.poll_reset(cx).map(|reset| {
                let error = reset.map_or_else(|error| error, h2::Error::from);
                PeerGone::Ended(broken(&error))
            }),
        }
    }
}

impl Drop for Http2Duplex {
    fn drop(&mut self) {
        // What was written before the end must arrive, and a reset now would overtake it. The library resets the other
        // direction itself, behind the end of this one: a client's with NO_ERROR (RFC 9113 §8.1), an endpoint's with
        // CANCEL.
        if !self.is_shut {
            self.reset(ResetReason::Cancelled);
        }
    }
}

impl AsyncRead for Http2Duplex {
    /// Takes what has come in as many frames as there are: small ones go on as one piece. An endpoint may count small
    /// frames that it has not come to yet, over all of its connection, and close that for all tunnels on it.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        while buf.remaining() > 0 && !this.has_read_end {
            if this.unread.is_empty() {
                match this.inbox.poll_data(cx) {
                    Poll::Ready(Some(Ok(data))) => this.unread = data,
                    // A tunnel has none (RFC 9113 §8.5). The next round finds the stream reset.
                    Poll::Ready(None) if this.inbox.has_trailers(cx) => {
                        this.send.send_reset(Reason::PROTOCOL_ERROR);
                        continue;
                    }
                    Poll::Ready(None) => this.has_read_end = true,
                    // Found again by the next read.
                    _ if buf.filled().len() > before => break,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(broken(&error))),
                    Poll::Pending => return Poll::Pending,
                }
            }
            let taken = this.unread.len().min(buf.remaining());
            buf.put_slice(this.unread.get(..taken).unwrap_or_default());
            this.unread.advance(taken);
            if this.unread.is_empty() {
                // The bytes are a part of the connection's buffer, which they would keep.
                this.unread = Bytes::new();
            }
        }
        match buf.filled().len() - before {
            0 => Poll::Ready(Ok(())),
            taken => Poll::Ready(this.inbox.release(taken).map_err(|error| broken(&error))),
        }
    }
}

impl AsyncWrite for Http2Duplex {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let room = match ready!(poll_room(&mut this.send, cx, buf.len())) {
            Some(Ok(room)) => room,
            Some(Err(error)) => return Poll::Ready(Err(broken(&error))),
            None => return Poll::Ready(Err(this.closed(cx))),
        };
        let now = buf.get(..room).unwrap_or(buf);
        match this.send.send_data(Bytes::copy_from_slice(now), false) {
            Ok(()) => Poll::Ready(Ok(now.len())),
            Err(_) => Poll::Ready(Err(this.closed(cx))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The task of the connection writes what is there.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_shut {
            return Poll::Ready(Ok(()));
        }
        if this.send.send_data(Bytes::new(), true).is_err() {
            return Poll::Ready(Err(this.closed(cx)));
        }
        this.is_shut = true;
        Poll::Ready(Ok(()))
    }
}
