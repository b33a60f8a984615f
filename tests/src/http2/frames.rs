//! What is on the wire, seen below the library.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frames::{Frame, PREFACE, flag, kind};
use crate::{BoxedIo, eventually};

/// Longest part of a payload that is kept.
const KEPT: usize = 256;

/// The frames of one connection, oldest first, with the first 256 bytes of their payloads and without the reserved bit.
/// Clones show the same.
#[derive(Clone, Debug, Default)]
pub struct FrameLog(Arc<Mutex<Both>>);

#[derive(Debug, Default)]
struct Both {
    sent: Follower,
    received: Follower,
}

/// Reads frames out of bytes that come in any pieces.
#[derive(Debug, Default)]
struct Follower {
    /// Bytes that come before the first frame.
    skip: usize,
    head: Vec<u8>,
    /// Of the payload of the last of `frames`.
    missing: usize,
    frames: Vec<Frame>,
}

/// A connection whose frames are written down.
#[derive(Debug)]
pub(crate) struct Tap {
    io: BoxedIo,
    log: FrameLog,
}

impl FrameLog {
    /// What we sent.
    #[must_use]
    pub fn sent(&self) -> Vec<Frame> {
        self.0.lock().unwrap().sent.frames.clone()
    }

    /// What the other side sent.
    #[must_use]
    pub fn received(&self) -> Vec<Frame> {
        self.0.lock().unwrap().received.frames.clone()
    }

    /// Every GOAWAY of the other side: the last stream it means, and why.
    #[must_use]
    pub fn goaways(&self) -> Vec<(u32, Reason)> {
        let received = self.received();
        let goaways = received.iter().filter(|frame| frame.kind == kind::GOAWAY);
        let last = |frame: &Frame| u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) & !(1 << 31);
        goaways.filter_map(|frame| Some((last(frame), Reason::from(frame.code()?)))).collect()
    }

    /// Every RST_STREAM of the other side: the stream, and why.
    #[must_use]
    pub fn resets(&self) -> Vec<(u32, Reason)> {
        let received = self.received();
        let resets = received.iter().filter(|frame| frame.kind == kind::RST_STREAM);
        resets.filter_map(|frame| Some((frame.stream, Reason::from(frame.code()?)))).collect()
    }

    /// Settings that the other side has sent so far (RFC 9113 §6.5.1), the last value of each.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<u16, u32> {
        self.received().iter().flat_map(Frame::each_setting).collect()
    }

    /// Waits until the first settings of the other side are in force: until we have acknowledged them.
    pub async fn settled(&self) {
        let acknowledged = |frame: &Frame| frame.kind == kind::SETTINGS && frame.has(flag::ACK);
        eventually("settings to be acknowledged", || self.sent().iter().any(acknowledged)).await;
    }
}

impl Follower {
    fn follow(&mut self, mut bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        bytes = &bytes[skipped..];
        while !bytes.is_empty() {
            if self.missing > 0 {
                let (payload, rest) = bytes.split_at(self.missing.min(bytes.len()));
                self.missing -= payload.len();
                let kept = &mut self.frames.last_mut().unwrap().payload;
                kept.extend_from_slice(&payload[..payload.len().min(KEPT - kept.len())]);
                bytes = rest;
                continue;
            }
            let (head, rest) = bytes.split_at((9 - self.head.len()).min(bytes.len()));
            self.head.extend_from_slice(head);
            bytes = rest;
            if let [a, b, c, kind, flags, r, s, t, u] = self.head[..] {
                self.missing = u32::from_be_bytes([0, a, b, c]) as usize;
                let stream = u32::from_be_bytes([r & 0x7f, s, t, u]);
                self.frames.push(Frame { kind, flags, stream, payload: Vec::new() });
                self.head.clear();
            }
        }
    }
}

impl Tap {
    /// Of a connection that we opened.
    pub(crate) fn of_client(io: BoxedIo) -> (Self, FrameLog) {
        let log = FrameLog::default();
        log.0.lock().unwrap().sent.skip = PREFACE.len();
        (Self { io, log: log.clone() }, log)
    }

    /// Of a connection that we accepted.
    pub(crate) fn of_server(io: BoxedIo) -> (Self, FrameLog) {
        let log = FrameLog::default();
        log.0.lock().unwrap().received.skip = PREFACE.len();
        (Self { io, log: log.clone() }, log)
    }
}

impl AsyncRead for Tap {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.log.0.lock().unwrap().received.follow(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.log.0.lock().unwrap().sent.follow(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
