//! HTTP/2 as frames, written and read by hand: for either end of a connection, right or wrong (RFC 9113 §4, §6).
//!
//! ```text
//! Frame              one frame: made here, or as it came
//! block(fields)      a header block without compression (RFC 7541 §6.2.2, no Huffman code)
//! Frames             a connection that is read frame by frame
//! ```

mod frame;
mod hpack;

use crate::{BoxedIo, Raw};

pub use frame::{Frame, code, flag, kind, setting};
pub use hpack::{block, literal, request, status};

/// What a client sends first (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection as frames.
#[derive(Debug)]
pub struct Frames {
    raw: Raw,
}

impl Frames {
    /// Over `io`; nothing is sent.
    #[must_use]
    pub fn new(io: BoxedIo) -> Self {
        Self { raw: Raw::new(io) }
    }

    /// Over a connection that has been read from.
    #[must_use]
    pub fn over(raw: Raw) -> Self {
        Self { raw }
    }

    /// A client's connection over which both sides have sent and acknowledged SETTINGS: its own say that the dynamic table
    /// is not to be used, so that [`status`] can read header blocks, and `more`.
    ///
    /// # Panics
    /// If the other side does not do the same.
    pub async fn client(io: BoxedIo, more: &[(u16, u32)]) -> Self {
        let mut frames = Self::new(io);
        frames.write(PREFACE).await;
        let settings = [&[(setting::HEADER_TABLE_SIZE, 0)], more].concat();
        frames.send(&Frame::settings(&settings)).await;
        let (mut settings, mut acknowledged) = (false, false);
        while !(settings && acknowledged) {
            let frame = frames.next().await.expect("SETTINGS and their acknowledgement");
            match frame.kind {
                kind::SETTINGS if frame.has(flag::ACK) => acknowledged = true,
                kind::SETTINGS => {
                    settings = true;
                    frames.send(&Frame::settings_ack()).await;
                }
                _ => {}
            }
        }
        frames
    }

    /// Sends a frame. That the other side may be gone already is for what is read next to tell.
    pub async fn send(&mut self, frame: &Frame) {
        self.raw.write(&frame.bytes()).await;
    }

    /// Sends bytes.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.raw.write(bytes).await;
    }

    /// Sends bytes; whether the other side was still there.
    pub async fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.raw.try_write(bytes).await
    }

    /// Ends the direction away from us.
    pub async fn finish(&mut self) {
        self.raw.finish().await;
    }

    /// The next frame; none at the end of the connection, however it came.
    pub async fn next(&mut self) -> Option<Frame> {
        let head = self.raw.read(9).await;
        let [a, b, c, kind, flags, s0, s1, s2, s3] = head[..] else { return None };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = self.raw.read(length).await;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        (payload.len() == length).then_some(Frame { kind, flags, stream, payload })
    }

    /// Reads until a frame comes that `wanted` is true of; none at the end of the connection.
    pub async fn next_that(&mut self, wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut all = Vec::new();
        while let Some(frame) = self.next().await {
            all.push(frame);
        }
        all
    }

    /// Sends a PING, and reads what comes before its acknowledgement: everything that is caused by what was sent before,
    /// where the other side works on it at once. The second value is false if the connection ended instead.
    pub async fn until_pong(&mut self) -> (Vec<Frame>, bool) {
        const OPAQUE: [u8; 8] = *b"tidegate";
        self.send(&Frame::ping(OPAQUE)).await;
        let mut all = Vec::new();
        while let Some(frame) = self.next().await {
            if frame.kind == kind::PING && frame.has(flag::ACK) && frame.payload == OPAQUE {
                return (all, true);
            }
            all.push(frame);
        }
        (all, false)
    }

    /// The connection under it.
    #[must_use]
    pub fn into_raw(self) -> Raw {
        self.raw
    }
}
