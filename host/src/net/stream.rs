//! One type for every byte stream: TCP or unix, plain or under TLS.
//!
//! ```text
//! Socket (tcp | unix) ──▶ Stream (plain | tls) ──▶ http, tunnel
//! ```

use std::future::{Future as _, poll_fn};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

use super::scratch::with_scratch;

/// Pieces with no more bytes than this together are copied into one: a plain write costs the kernel less than a
/// vectored one, some 0.3 µs.
const JOINED: usize = 4 * 1024;

/// A connected kernel socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A unix stream socket.
    Unix(UnixStream),
}

/// A connection as the layers above see it.
#[derive(Debug)]
pub enum Stream {
    /// Bytes as they are.
    Plain(Socket),
    /// Under TLS, either side. Boxed: the plain case is the common one and must stay small.
    Tls(Box<TlsStream<Socket>>),
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<Socket> for Stream {
    fn from(socket: Socket) -> Self {
        Self::Plain(socket)
    }
}

impl From<UnixStream> for Socket {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

/// Hands a poll on to whichever variant is there.
macro_rules! delegate {
    ($self:ident, { $($variant:ident),+ }, $method:ident $arguments:tt) => {
        match $self.get_mut() {
            $(Self::$variant(inner) => Pin::new(inner).$method $arguments,)+
        }
    };
}

impl Socket {
    /// Whether nothing has come: no byte, no end, no error. No system call while that is so.
    fn is_reusable(&self) -> bool {
        let nothing = match self {
            Self::Tcp(stream) => stream.try_read(&mut [0]),
            Self::Unix(stream) => stream.try_read(&mut [0]),
        };
        nothing.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Socket {
    /// Has the peer see that the connection broke, not that it ended, when this is dropped: a segment with RST, and what
    /// has not gone out is lost. A unix socket has none.
    pub(super) fn reset_when_dropped(&self) {
        self.linger(Some(Duration::ZERO));
    }

    /// Has the peer see an end all the same.
    pub fn end_when_dropped(&self) {
        self.linger(None);
    }

    fn linger(&self, limit: Option<Duration>) {
        if let Self::Tcp(stream) = self {
            // One that is broken already sends neither.
            let _broken = SockRef::from(stream).set_linger(limit);
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Stream {
    /// Whether the other side has been silent and is there, as far as is known here. A byte that came is lost: this is
    /// for a stream on which any would be one too many. Records of TLS that carry none are taken in.
    pub fn is_reusable(&mut self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_reusable(),
            Self::Tls(stream) => {
                // Unconstrained: a task that has used up its turn would find that nothing came.
                let look = poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut [0])));
                pin!(tokio::task::unconstrained(look)).poll(&mut Context::from_waker(Waker::noop())).is_pending()
            }
        }
    }

    /// The kernel socket below.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Reads up to `most` bytes of the kernel socket and drops them: how many, 0 at its end. What comes under TLS is
    /// not decrypted; the stream cannot be read after this.
    pub fn poll_discard(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_mut().0,
        };
        with_scratch(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            let mut buf = buf.take(most);
            Pin::new(socket).poll_read(cx, &mut buf).map_ok(|()| buf.filled().len())
        })
    }

    /// The protocol that both sides have agreed on in the TLS handshake (ALPN, RFC 7301); none where they have not.
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }

    /// Whether what is written goes out under TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Says to the other side that nothing follows, where there is a message for it (close_notify, RFC 8446 §6.1), as
    /// far as it takes it at once. To be dropped next. Not for a stream that breaks off: that would look like an end.
    pub fn close_notify(&mut self) {
        let Self::Tls(stream) = self else { return };
        let shutdown = poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx));
        let at_once = pin!(tokio::task::unconstrained(shutdown)).poll(&mut Context::from_waker(Waker::noop()));
        // A side that is gone already needs no message.
        drop(at_once);
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, { Tcp, Unix }, poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, { Tcp, Unix }, poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, { Tcp, Unix }, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, { Tcp, Unix }, poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, { Tcp, Unix }, poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, { Plain, Tls }, poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, { Plain, Tls }, poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, { Plain, Tls }, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, { Plain, Tls }, poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total: usize = bufs.iter().map(|buf| buf.len()).sum();
        if total > JOINED {
            return delegate!(self, { Plain, Tls }, poll_write_vectored(cx, bufs));
        }
        with_scratch(|scratch| {
            let mut joined = io::Cursor::new(scratch);
            for buf in bufs {
                joined.write_all(buf)?;
            }
            let length = usize::try_from(joined.position()).unwrap_or_default();
            self.poll_write(cx, joined.get_ref().get(..length).unwrap_or_default())
        })
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
