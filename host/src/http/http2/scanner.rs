//! Following the frames of HTTP/2 through a stream of bytes, however it is cut (RFC 9113 §4.1).
//!
//! The library parses frames and does what they say. This sees their heads alone, below it, for what the library does
//! not count.

/// Bytes of a frame's head.
const HEAD: u8 = 9;

/// Bytes of `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n` (RFC 9113 §3.4).
const PREFACE: u8 = 24;

/// Payload follows padding whose length stands first (RFC 9113 §6.1).
const PADDED: u8 = 0x8;
/// The header block ends with this frame (RFC 9113 §6.2), as the sender's part of the stream does with [`END_STREAM`].
const END_HEADERS: u8 = 0x4;
const END_STREAM: u8 = 0x1;
/// A reply to SETTINGS or PING (RFC 9113 §6.5, §6.7).
const ACK: u8 = 0x1;

/// Who sends the bytes that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireSide {
    /// A client, which begins with the preface.
    Client,
    /// An endpoint, which begins with a frame.
    Endpoint,
}

impl WireSide {
    /// Who reads them, and sends what is written.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Endpoint,
            Self::Endpoint => Self::Client,
        }
    }
}

/// Type of a frame (RFC 9113 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "names of the RFC")]
pub enum FrameType {
    Data,
    Headers,
    Priority,
    Reset,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// Of an extension, to be ignored (RFC 9113 §5.5).
    Unknown,
}

/// What the head of a frame says, and the length of its padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// Its type.
    pub kind: FrameType,
    /// Flags, whose meaning depends on the type.
    pub flags: u8,
    /// The stream that it belongs to; 0 for the connection.
    pub stream: u32,
    /// Bytes that follow the head: at most 2²⁴-1.
    pub length: u32,
    /// The same without padding, for DATA.
    pub content: u32,
}

impl FrameHead {
    /// Whether the sender's part of the stream ends with this frame.
    #[must_use]
    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, FrameType::Data | FrameType::Headers) && self.flags & END_STREAM != 0
    }

    /// Whether a header block ends with this frame; none if it is not part of one.
    #[must_use]
    pub fn ends_headers(&self) -> Option<bool> {
        let is_part = matches!(self.kind, FrameType::Headers | FrameType::PushPromise | FrameType::Continuation);
        is_part.then_some(self.flags & END_HEADERS != 0)
    }

    /// Whether it replies to a frame of its type.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        matches!(self.kind, FrameType::Settings | FrameType::Ping) && self.flags & ACK != 0
    }

    fn read(head: [u8; HEAD as usize]) -> Self {
        let [l1, l2, l3, kind, flags, s1, s2, s3, s4] = head;
        let length = u32::from_be_bytes([0, l1, l2, l3]);
        // The first bit is reserved.
        let stream = u32::from_be_bytes([s1, s2, s3, s4]) & 0x7fff_ffff;
        let kind = match kind {
            0 => FrameType::Data,
            1 => FrameType::Headers,
            2 => FrameType::Priority,
            3 => FrameType::Reset,
            4 => FrameType::Settings,
            5 => FrameType::PushPromise,
            6 => FrameType::Ping,
            7 => FrameType::GoAway,
            8 => FrameType::WindowUpdate,
            9 => FrameType::Continuation,
            _ => FrameType::Unknown,
        };
        Self { kind, flags, stream, length, content: length }
    }
}

/// What is found while bytes are followed.
pub(super) enum FramePart<'b> {
    /// A frame begins.
    Head(FrameHead),
    /// The next bytes of its payload.
    Payload(&'b [u8]),
}

/// Follows frames through bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct FrameScanner {
    /// Bytes of the preface that are still to come.
    preface: u8,
    head: [u8; HEAD as usize],
    /// Bytes of `head` that have come.
    read: u8,
    /// A frame of DATA, complete but for the length of its padding.
    padded: Option<FrameHead>,
    /// Bytes of the frame that are still to come.
    left: u32,
}

impl FrameScanner {
    /// One at the beginning of a connection.
    #[must_use]
    pub fn new(sender: WireSide) -> Self {
        let preface = match sender {
            WireSide::Client => PREFACE,
            WireSide::Endpoint => 0,
        };
        Self::behind(preface)
    }

    fn behind(preface: u8) -> Self {
        Self { preface, head: [0; HEAD as usize], read: 0, padded: None, left: 0 }
    }

    /// Goes through the next bytes. `seen` gets the head of each frame as soon as it is complete.
    pub fn scan(&mut self, bytes: &[u8], mut seen: impl FnMut(FrameHead)) {
        self.follow(bytes, |part| {
            if let FramePart::Head(frame) = part {
                seen(frame);
            }
        });
    }

    /// The same with payloads, as they come; the length of padding is no part of them.
    pub(super) fn follow(&mut self, mut bytes: &[u8], mut seen: impl FnMut(FramePart<'_>)) {
        while !bytes.is_empty() {
            if self.preface > 0 {
                let taken = usize::from(self.preface).min(bytes.len());
                bytes = bytes.get(taken..).unwrap_or_default();
                self.preface -= u8::try_from(taken).unwrap_or(self.preface);
            } else if let Some(mut frame) = self.padded.take() {
                let padding = bytes.first().copied().map_or(0, u32::from);
                frame.content = frame.length.saturating_sub(1 + padding);
                bytes = bytes.get(1..).unwrap_or_default();
                self.left = frame.length - 1;
                seen(FramePart::Head(frame));
            } else if self.left > 0 {
                let taken = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(self.left);
                let (payload, rest) = bytes.split_at(taken as usize);
                seen(FramePart::Payload(payload));
                bytes = rest;
                self.left -= taken;
            } else {
                bytes = self.take_head(bytes, &mut seen);
            }
        }
    }

    /// Bytes of the preface that are still to come.
    #[must_use]
    pub fn preface_left(&self) -> u8 {
        self.preface
    }

    /// Whether bytes are missing of the payload of a frame whose head has come.
    #[must_use]
    pub fn is_in_payload(&self) -> bool {
        self.left > 0
    }

    /// Whether bytes are missing of a frame that has begun.
    #[must_use]
    pub fn is_in_frame(&self) -> bool {
        self.read > 0 || self.left > 0 || self.padded.is_some()
    }

    /// Takes bytes of a head; the rest of them.
    fn take_head<'b>(&mut self, bytes: &'b [u8], seen: &mut impl FnMut(FramePart<'_>)) -> &'b [u8] {
        let room = self.head.get_mut(usize::from(self.read)..).unwrap_or_default();
        let taken = room.len().min(bytes.len());
        let (now, rest) = bytes.split_at(taken);
        for (to, from) in room.iter_mut().zip(now) {
            *to = *from;
        }
        self.read += u8::try_from(taken).unwrap_or(HEAD);
        if self.read < HEAD {
            return rest;
        }
        self.read = 0;
        let frame = FrameHead::read(self.head);
        if frame.kind == FrameType::Data && frame.flags & PADDED != 0 && frame.length > 0 {
            self.padded = Some(frame);
        } else {
            self.left = frame.length;
            seen(FramePart::Head(frame));
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn scanned(scanner: &mut FrameScanner, bytes: &[u8], piece: usize) -> Vec<FrameHead> {
        let mut frames = Vec::new();
        for piece in bytes.chunks(piece) {
            scanner.scan(piece, |frame| frames.push(frame));
        }
        frames
    }

    #[test]
    fn frames_are_followed_through_any_cut() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(4, 0, 0, &[0; 12]));
        bytes.extend(frame(1, 0x5, 1, b"block"));
        bytes.extend(frame(0, 0x8, 0x8000_0003, &[3, b'a', 0, 0, 0]));
        bytes.extend(frame(0, 0x8, 3, &[200, 1, 2]));
        bytes.extend(frame(0, 0x8, 3, &[]));
        bytes.extend(frame(8, 0, 0, &[0; 4]));
        bytes.extend(frame(0xfe, 0, 5, &[9; 300]));

        for piece in 1..=bytes.len() {
            let mut scanner = FrameScanner::new(WireSide::Client);
            let frames = scanned(&mut scanner, &bytes, piece);

            let seen: Vec<_> = frames.iter().map(|f| (f.kind, f.stream, f.length, f.content)).collect();
            assert_eq!(
                seen,
                [
                    (FrameType::Settings, 0, 12, 12),
                    (FrameType::Headers, 1, 5, 5),
                    (FrameType::Data, 3, 5, 1),
                    (FrameType::Data, 3, 3, 0),
                    (FrameType::Data, 3, 0, 0),
                    (FrameType::WindowUpdate, 0, 4, 4),
                    (FrameType::Unknown, 5, 300, 300),
                ],
                "cut into {piece}"
            );
            assert!(frames[1].ends_stream() && frames[1].ends_headers() == Some(true));
            assert!(!scanner.is_in_frame() && scanner.preface_left() == 0);
        }
    }

    #[test]
    fn what_is_missing_is_known_at_each_byte() {
        let mut scanner = FrameScanner::new(WireSide::Endpoint);
        assert!(scanner.preface_left() == 0 && !scanner.is_in_frame());

        let bytes = frame(0, 0x8, 1, &[1, b'a', 0]);
        for (at, byte) in bytes.iter().enumerate() {
            scanner.scan(&[*byte], |_| {});
            assert_eq!(scanner.is_in_frame(), at + 1 < bytes.len(), "byte {at}");
        }

        let mut scanner = FrameScanner::new(WireSide::Client);
        for (at, byte) in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".iter().enumerate() {
            assert!(scanner.preface_left() > 0, "byte {at}");
            scanner.scan(&[*byte], |_| {});
        }
        assert_eq!(scanner.preface_left(), 0);
    }
}
