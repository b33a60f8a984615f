//! A stream of HTTP/2 as bytes in and out, and what both ends of the measurement set for their connections.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::{RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that may be under way on a stream: a message of 16 KiB, several times.
pub(crate) const WINDOW: u32 = 64 << 10;

/// Bytes that may be under way on a connection: no stream waits for another.
pub(crate) const CONNECTION_WINDOW: u32 = 100 * WINDOW;

/// Both directions of a stream.
#[derive(Debug)]
pub(crate) struct Http2Stream {
    send: SendStream<Bytes>,
    receive: RecvStream,
    /// Received, and not read yet.
    rest: Bytes,
}

impl Http2Stream {
    pub(crate) fn new(send: SendStream<Bytes>, receive: RecvStream) -> Self {
        Self { send, receive, rest: Bytes::new() }
    }
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.receive.poll_data(context)) {
                None => return Poll::Ready(Ok(())),
                Some(data) => self.rest = data.map_err(io::Error::other)?,
            }
        }
        let count = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.split_to(count));
        self.receive.flow_control().release_capacity(count).map_err(io::Error::other)?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(poll_room(&mut self.send, bytes.len(), context)).map_err(io::Error::other)?;
        let data = Bytes::copy_from_slice(bytes.get(..count).unwrap_or(bytes));
        self.send.send_data(data, false).map_err(io::Error::other)?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.send.send_data(Bytes::new(), true).map_err(io::Error::other))
    }
}

/// Sends all of `data` as the window of the other side lets it, and ends the stream behind it if it is the `last`.
pub(crate) async fn send(send: &mut SendStream<Bytes>, mut data: Bytes, last: bool) -> Result<(), h2::Error> {
    while data.has_remaining() {
        let room = poll_fn(|context| poll_room(send, data.len(), context)).await?;
        let part = data.split_to(room);
        send.send_data(part, last && data.is_empty())?;
    }
    Ok(())
}

/// How much of `wanted` bytes may be sent now; at least one if any are wanted.
fn poll_room(send: &mut SendStream<Bytes>, wanted: usize, context: &mut Context<'_>) -> Poll<Result<usize, h2::Error>> {
    send.reserve_capacity(wanted);
    loop {
        // What was assigned before does not make `poll_capacity` ready.
        let room = send.capacity().min(wanted);
        if room > 0 || wanted == 0 {
            return Poll::Ready(Ok(room));
        }
        match ready!(send.poll_capacity(context)) {
            Some(room) => room?,
            None => return Poll::Ready(Err(h2::Error::from(h2::Reason::STREAM_CLOSED))),
        };
    }
}
