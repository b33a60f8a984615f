//! What a tunnel has on each of its sides: a connection of its own, or a stream beside others on one connection.
//!
//! ```text
//! Stream (plain | tls) ────────────────▶ Duplex::Socket ──────┐
//!                                                             ├──▶ tunnel
//! stream of a multiplexed protocol ────▶ Duplex::Multiplexed ─┘
//! ```

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Stream;

/// Bytes both ways, with one end for each direction (`poll_shutdown`), and one for both that says that something went
/// wrong ([`Duplex::reset`]).
pub enum Duplex {
    /// A connection of its own.
    Socket(Stream),
    /// One of many streams on a connection.
    Multiplexed(Box<dyn DuplexStream>),
}

/// A stream of a multiplexed protocol.
///
/// Dropped before both directions have ended, it is reset with [`ResetReason::Cancelled`]. A reset by the peer is an
/// error of reading and writing, of the kind [`ConnectionReset`](io::ErrorKind::ConnectionReset).
pub trait DuplexStream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Ends both directions at once, not as their ends: the peer sees that something is missing. To be dropped next.
    fn reset(&mut self, reason: ResetReason);

    /// Ready once all has gone out that was written and that the peer takes. A [reset](Self::reset) overtakes the rest.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Ready once the peer has reset the stream, or its connection is gone: for who does not read it, and would not see
    /// it otherwise. What it sent before that can be read all the same. Never after both directions have ended.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<PeerGone>;
}

/// How the peer of a stream of a multiplexed protocol has gone while nobody reads it.
#[derive(Debug)]
pub enum PeerGone {
    /// By a reset before it ended its direction: what it sent is not whole.
    Reset(io::Error),
    /// With its connection. Whether its direction had its end is not known.
    Lost(io::Error),
    /// By a reset behind the end of its direction: what it sent is whole, and it reads no more.
    Ended(io::Error),
}

/// Why a stream is ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// The other side of the tunnel broke off (RFC 9113 §8.5: CONNECT_ERROR).
    PeerBroke,
    /// What it was for is not wanted any longer (RFC 9113 §7: CANCEL).
    Cancelled,
}

impl Duplex {
    /// Ends both directions at once, not as their ends. To be dropped next: a TCP connection is reset then (RFC 9113
    /// §8.5), what has not gone out is lost, and there is no `close_notify`, which would look like an end.
    pub fn reset(&mut self, reason: ResetReason) {
        match self {
            Self::Socket(stream) => stream.socket().reset_when_dropped(),
            Self::Multiplexed(stream) => stream.reset(reason),
        }
    }

    /// Ready once all has gone out that was written to a stream of a multiplexed protocol and that its peer takes. What
    /// was written to a socket is with the system.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Socket(_) => Poll::Ready(()),
            Self::Multiplexed(stream) => stream.poll_sent(cx),
        }
    }

    /// Ready once the peer has left a stream of a multiplexed protocol that nobody reads at the moment. A socket says
    /// nothing of it: it counts as a connection of its client for as long as it is open, where a stream that was reset
    /// is free for the next.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<PeerGone> {
        match self {
            Self::Socket(_) => Poll::Pending,
            Self::Multiplexed(stream) => stream.poll_gone(cx),
        }
    }

    /// Says that nothing follows, where dropping does not say it, as far as the peer takes it at once. To be dropped
    /// next.
    pub fn close_notify(&mut self) {
        match self {
            Self::Socket(stream) => stream.close_notify(),
            // Dropped without its end, it would be reset, and the reset would overtake what was written last.
            Self::Multiplexed(stream) => {
                let mut nobody = Context::from_waker(std::task::Waker::noop());
                let _as_far_as_it_goes = Pin::new(stream).poll_shutdown(&mut nobody);
            }
        }
    }

    /// Whether dropping it ends both directions as an orderly shutdown of each would.
    #[must_use]
    pub fn ends_when_dropped(&self) -> bool {
        matches!(self, Self::Socket(Stream::Plain(_)))
    }
}

impl From<Stream> for Duplex {
    fn from(stream: Stream) -> Self {
        Self::Socket(stream)
    }
}

/// Hands a poll on to whichever variant is there.
macro_rules! delegate {
    ($self:ident, $method:ident $arguments:tt) => {
        match $self.get_mut() {
            Self::Socket(stream) => Pin::new(stream).$method $arguments,
            Self::Multiplexed(stream) => Pin::new(stream).$method $arguments,
        }
    };
}

impl AsyncRead for Duplex {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(cx))
    }
}

impl std::fmt::Debug for Duplex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(stream) => f.debug_tuple("Socket").field(stream).finish(),
            Self::Multiplexed(_) => f.write_str("Multiplexed"),
        }
    }
}
