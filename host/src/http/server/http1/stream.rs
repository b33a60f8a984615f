//! What goes between a client's stream and hyper: every byte is followed, and the end is said in stages.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::Passed;
use super::state::{ClientPresence, ConnectionState};
use crate::http::server::linger::Linger;
use crate::net::{Ended, Hangup, Stream};

/// A client's stream on its way into hyper. Every byte that is read goes past [`Framing`](super::Framing), one message
/// at a time: what follows the request that is being served stays as it came, for it is not known yet whether it is
/// HTTP.
#[derive(Debug)]
pub(super) struct GuardedStream {
    stream: Stream,
    state: Arc<ConnectionState>,
    /// Read, and not looked at: behind the request that is being served. As much as one read brings, 64 KiB at the most
    /// unless heads may be longer.
    unread: BytesMut,
    /// On its way to hyper.
    ready: Bytes,
    /// hyper has been given the request that stands for one that is refused.
    has_stand_in: bool,
    /// Looks for a client behind bytes that are not read now.
    hangup: Option<Box<Hangup>>,
    linger: Option<Box<Linger>>,
}

/// What hyper gets in place of a request that is refused. Its method decides whether the response has a body, and
/// nothing else.
const STAND_IN: &str = " / HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n";

/// Bytes that are read ahead at most. Only a client that sends its next request before it has its response has any.
const AHEAD: usize = 64;

impl GuardedStream {
    pub(super) fn new(stream: Stream, state: Arc<ConnectionState>) -> Self {
        Self {
            stream,
            state,
            unread: BytesMut::new(),
            ready: Bytes::new(),
            has_stand_in: false,
            hangup: None,
            linger: None,
        }
    }

    /// The stream below.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The stream itself, once hyper is done with it, and bytes of it that hyper did not get.
    pub(super) fn into_parts(self) -> (Stream, BytesMut) {
        (self.stream, self.unread)
    }

    /// Looks whether the client is still there, and has `cx` woken when that changes. Costs no system call while
    /// nothing comes, and no memory: hyper's own reading ahead would take a buffer for each request.
    fn poll_client_gone(&mut self, cx: &mut Context<'_>) {
        let Some(seen) = self.state.awaited_client() else { return };
        if seen == ClientPresence::There && self.unread.is_empty() {
            let mut bytes = [0; AHEAD];
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Pending => return,
                Poll::Ready(Err(_reset)) => return self.state.set_presence(ClientPresence::Gone),
                Poll::Ready(Ok(())) if buf.filled().is_empty() => self.state.set_presence(ClientPresence::Silent),
                Poll::Ready(Ok(())) => self.unread.extend_from_slice(buf.filled()),
            }
        }
        self.poll_hangup(cx);
    }

    /// Looks for a client whose bytes cannot be read now, or that may only break off any more.
    fn poll_hangup(&mut self, cx: &mut Context<'_>) {
        while let Some(seen) = self.state.awaited_client() {
            if self.hangup.is_none() {
                // Without a descriptor there is no look: then the endpoint's own time is the limit.
                self.hangup = Hangup::of(&self.stream).ok().map(Box::new);
            }
            let known = (seen == ClientPresence::Silent).then_some(Ended::Sending);
            match self.hangup.as_ref().map(|hangup| hangup.poll(cx, known)) {
                None | Some(Poll::Pending) => return,
                Some(Poll::Ready(Ended::Both)) => self.state.set_presence(ClientPresence::Gone),
                Some(Poll::Ready(Ended::Sending)) => self.state.set_presence(ClientPresence::Silent),
            }
        }
    }

    /// What hyper gets once a request is refused. Where it has been given the head of it already, the body breaks off.
    fn poll_refused(&mut self, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.state.stand_in_method() {
            None => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            Some(method) if !self.has_stand_in => {
                self.has_stand_in = true;
                self.ready = [method, STAND_IN].concat().into();
                self.give(buf);
            }
            Some(_method) => {}
        }
        Poll::Ready(Ok(()))
    }

    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        buf.put_slice(&self.ready.split_to(self.ready.len().min(buf.remaining())));
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.ready.is_empty() {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
            if !this.unread.is_empty() {
                let Passed { taken, instead } = this.state.pass(&this.unread);
                let passed = this.unread.split_to(taken);
                this.ready = instead.map_or_else(|| passed.freeze(), Bytes::from);
            } else if this.has_stand_in || this.state.is_refused() {
                return this.poll_refused(buf);
            } else {
                let before = buf.filled().len();
                ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
                let fresh = buf.filled().split_at(before).1;
                if fresh.is_empty() {
                    // Nothing comes behind its end.
                    this.state.expect_no_more();
                    return Poll::Ready(Ok(()));
                }
                let Passed { taken, instead } = this.state.pass(fresh);
                this.unread.extend_from_slice(fresh.split_at(taken).1);
                match instead {
                    None => {
                        buf.set_filled(before + taken);
                        return Poll::Ready(Ok(()));
                    }
                    Some(instead) => {
                        buf.set_filled(before);
                        this.ready = instead.into();
                    }
                }
            }
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.state.drops_writes() {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.state.note_write(&result);
        result
    }

    /// hyper flushes each time it is polled, after it has given the response a chance: the place to look for the
    /// client.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.poll_client_gone(cx);
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    /// hyper shuts a connection before it drops it. Where the client sends no more, the drop says all of it: a plain
    /// socket costs one system call less that way. Else it is closed in stages.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.state.is_mute() {
            // Not the end: a response comes.
            return Poll::Ready(Ok(()));
        }
        if this.linger.is_none() {
            if this.state.begin_closing(this.unread.is_empty()) {
                this.linger = Linger::begin(this.state.limits().linger_bytes).map(Box::new);
                if this.linger.is_none() {
                    this.state.set_crowded();
                }
            } else if let Stream::Plain(_) = this.stream {
                return Poll::Ready(Ok(()));
            }
        }
        match &mut this.linger {
            Some(linger) => {
                ready!(linger.poll(cx, &mut this.stream));
                Poll::Ready(Ok(()))
            }
            None => Pin::new(&mut this.stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.state.drops_writes() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.state.note_write(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
