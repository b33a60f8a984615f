//! One frame.

/// Types of frames (RFC 9113 §6).
pub mod kind {
    #![allow(missing_docs, reason = "names of the RFC")]
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

/// Flags of frames (RFC 9113 §6).
pub mod flag {
    #![allow(missing_docs, reason = "names of the RFC")]
    pub const ACK: u8 = 1;
    pub const END_STREAM: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
    pub const PRIORITY: u8 = 0x20;
}

/// Error codes (RFC 9113 §7).
pub mod code {
    #![allow(missing_docs, reason = "names of the RFC")]
    pub const NO_ERROR: u32 = 0;
    pub const PROTOCOL_ERROR: u32 = 1;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    pub const SETTINGS_TIMEOUT: u32 = 4;
    pub const STREAM_CLOSED: u32 = 5;
    pub const FRAME_SIZE_ERROR: u32 = 6;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const COMPRESSION_ERROR: u32 = 9;
    pub const CONNECT_ERROR: u32 = 10;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
    pub const INADEQUATE_SECURITY: u32 = 12;
    pub const HTTP_1_1_REQUIRED: u32 = 13;
}

/// Settings (RFC 9113 §6.5.2, RFC 8441 §3).
pub mod setting {
    #![allow(missing_docs, reason = "names of the RFC")]
    pub const HEADER_TABLE_SIZE: u16 = 1;
    pub const ENABLE_PUSH: u16 = 2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    pub const MAX_FRAME_SIZE: u16 = 5;
    pub const MAX_HEADER_LIST_SIZE: u16 = 6;
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type, one of [`kind`] or another.
    pub kind: u8,
    /// Its flags, of [`flag`].
    pub flags: u8,
    /// Its stream, with the reserved bit.
    pub stream: u32,
    /// What it carries, padding and all.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Any frame.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// SETTINGS with these.
    #[must_use]
    pub fn settings(settings: &[(u16, u32)]) -> Self {
        let each = settings.iter().flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat());
        Self::new(kind::SETTINGS, 0, 0, each.collect::<Vec<_>>())
    }

    /// Acknowledges the other side's SETTINGS.
    #[must_use]
    pub fn settings_ack() -> Self {
        Self::new(kind::SETTINGS, flag::ACK, 0, [])
    }

    /// DATA, the last of its stream or not.
    pub fn data(stream: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(kind::DATA, 0, stream, bytes)
    }

    /// HEADERS with a whole header block.
    pub fn headers(stream: u32, block: impl Into<Vec<u8>>) -> Self {
        Self::new(kind::HEADERS, flag::END_HEADERS, stream, block)
    }

    /// CONTINUATION that ends a header block.
    pub fn continuation(stream: u32, block: impl Into<Vec<u8>>) -> Self {
        Self::new(kind::CONTINUATION, flag::END_HEADERS, stream, block)
    }

    /// RST_STREAM.
    #[must_use]
    pub fn reset(stream: u32, code: u32) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, code.to_be_bytes())
    }

    /// PRIORITY: not exclusive, of weight 256.
    #[must_use]
    pub fn priority(stream: u32, on: u32) -> Self {
        Self::new(kind::PRIORITY, 0, stream, [&on.to_be_bytes()[..], &[255]].concat())
    }

    /// PING.
    #[must_use]
    pub fn ping(opaque: [u8; 8]) -> Self {
        Self::new(kind::PING, 0, 0, opaque)
    }

    /// GOAWAY.
    #[must_use]
    pub fn goaway(last: u32, code: u32) -> Self {
        Self::new(kind::GOAWAY, 0, 0, [last.to_be_bytes(), code.to_be_bytes()].concat())
    }

    /// WINDOW_UPDATE.
    #[must_use]
    pub fn window_update(stream: u32, by: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, by.to_be_bytes())
    }

    /// The same, as the last of its stream.
    #[must_use]
    pub fn ending(self) -> Self {
        self.with(flag::END_STREAM)
    }

    /// The same with further flags.
    #[must_use]
    pub fn with(self, flags: u8) -> Self {
        Self { flags: self.flags | flags, ..self }
    }

    /// The same without these flags.
    #[must_use]
    pub fn without(self, flags: u8) -> Self {
        Self { flags: self.flags & !flags, ..self }
    }

    /// Whether all of these flags are set.
    #[must_use]
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The error code of a RST_STREAM or GOAWAY; none of others.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        let at = match self.kind {
            kind::RST_STREAM => 0,
            kind::GOAWAY => 4,
            _ => return None,
        };
        let bytes = self.payload.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().unwrap()))
    }

    /// Name and value of each setting, of a SETTINGS frame.
    #[must_use]
    pub fn each_setting(&self) -> Vec<(u16, u32)> {
        let settings = self.payload.chunks_exact(6).filter(|_| self.kind == kind::SETTINGS);
        let pair = |bytes: &[u8]| {
            let name = u16::from_be_bytes(bytes[..2].try_into().unwrap());
            (name, u32::from_be_bytes(bytes[2..].try_into().unwrap()))
        };
        settings.map(pair).collect()
    }

    /// As bytes, whether or not it is right.
    ///
    /// # Panics
    /// If it is longer than a frame can say.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let [zero, a, b, c] = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        assert_eq!(zero, 0, "no frame carries {} bytes", self.payload.len());
        [&[a, b, c, self.kind, self.flags][..], &self.stream.to_be_bytes(), &self.payload].concat()
    }
}
