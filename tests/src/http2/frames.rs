//! What is on the wire, seen below the library.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{BoxedIo, eventually};

/// Types of frames (RFC 9113 §6).
pub mod kind {
    #![allow(missing_docs, reason = "they are called what RFC 9113 calls them")]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Before the first frame of a client (RFC 9113 §3.4).
const PREFACE: usize = 24;

/// Longest part of a payload that is kept.
const KEPT: usize = 256;

const ACK: u8 = 1;

/// A frame that was sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// One of [`kind`].
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Stream; 0 is the connection.
    pub stream: u32,
    /// The first bytes of its payload, 256 at most.
    pub payload: Vec<u8>,
}

/// The frames of one connection, oldest first. Clones show the same.
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
        let goaways = received.iter().filter(|frame| frame.kind == kind::GOAWAY && frame.payload.len() >= 8);
        goaways.map(|frame| (frame.number(0) & !(1 << 31), Reason::from(frame.number(4)))).collect()
    }

    /// Every RST_STREAM of the other side: the stream, and why.
    #[must_use]
    pub fn resets(&self) -> Vec<(u32, Reason)> {
        let received = self.received();
        let resets = received.iter().filter(|frame| frame.kind == kind::RST_STREAM && frame.payload.len() >= 4);
        resets.map(|frame| (frame.stream, Reason::from(frame.number(0)))).collect()
    }

    /// Settings that the other side has sent so far (RFC 9113 §6.5.1), the last value of each.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<u16, u32> {
        let received = self.received();
        let all =
            received.iter().filter(|frame| frame.kind == kind::SETTINGS).flat_map(|frame| frame.payload.chunks(6));
        let whole = all.filter(|setting| setting.len() == 6);
        whole.map(|at| (u16::from_be_bytes([at[0], at[1]]), u32::from_be_bytes(at[2..].try_into().unwrap()))).collect()
    }

    /// Waits until the first settings of the other side are in force: until we have acknowledged them.
    pub async fn settled(&self) {
        let acknowledged = |frame: &Frame| frame.kind == kind::SETTINGS && frame.flags & ACK != 0;
        eventually("settings to be acknowledged", || self.sent().iter().any(acknowledged)).await;
    }
}

impl Frame {
    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
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
        log.0.lock().unwrap().sent.skip = PREFACE;
        (Self { io, log: log.clone() }, log)
    }

    /// Of a connection that we accepted.
    pub(crate) fn of_server(io: BoxedIo) -> (Self, FrameLog) {
        let log = FrameLog::default();
        log.0.lock().unwrap().received.skip = PREFACE;
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
