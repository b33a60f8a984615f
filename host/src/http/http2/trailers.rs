//! Trailers that begin with a pseudo-header field.
//!
//! They make a request malformed (RFC 9113 §8.1), and the library drops such fields without a word. Behind other fields
//! it refuses them; so the first field of a block is all that has to be looked at, and nothing of it decoded but the
//! name (RFC 7541 §6). One that stands in the dynamic table is not found: it goes where the library has it go, nowhere.

use super::scanner::{FramePart, FrameType};

/// Looks at the begin of each header block of a client that is not the first of its stream.
#[derive(Clone, Debug, Default)]
pub(super) struct TrailerWatch {
    /// The latest stream that was opened.
    latest: u32,
    /// The stream whose block is looked at.
    stream: u32,
    stage: BlockStage,
}

/// What the next byte of a payload is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum BlockStage {
    /// Nothing that has to be looked at.
    #[default]
    Past,
    /// Length of padding, with priority behind it or not (RFC 9113 §6.2).
    Padding(bool),
    /// So many bytes of priority are to come.
    Priority(u8),
    /// The begin of a field, or of a change of the table's size.
    Field,
    /// The rest of such a change.
    Size,
    /// Length of a name, and whether that is in Huffman code once its rest comes.
    NameLength,
    NameLengthRest(bool),
    /// First byte of a name, in Huffman code or not.
    Name(bool),
}

const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
const PRIORITY_BYTES: u8 = 5;

/// What the names of pseudo-header fields are in the static table (RFC 7541, Appendix A).
const STATIC_PSEUDO: std::ops::RangeInclusive<u8> = 1..=14;

/// `:` in Huffman code, which has seven bits (RFC 7541, Appendix B).
const COLON: u8 = 0b101_1100;

impl TrailerWatch {
    /// Takes in what comes next. The stream whose trailers that makes malformed.
    pub(super) fn watch(&mut self, part: &FramePart<'_>) -> Option<u32> {
        match part {
            FramePart::Payload(bytes) => return self.payload(bytes),
            FramePart::Head(frame) => match frame.kind {
                FrameType::Headers => self.begin(frame.stream, frame.flags),
                // A block that goes on here has begun before.
                FrameType::Continuation => {}
                _ => self.stage = BlockStage::Past,
            },
        }
        None
    }

    /// HEADERS of `stream` begin, with these flags.
    fn begin(&mut self, stream: u32, flags: u8) {
        if stream > self.latest {
            (self.latest, self.stage) = (stream, BlockStage::Past);
            return;
        }
        self.stream = stream;
        let has_priority = flags & PRIORITY != 0;
        self.stage = match (flags & PADDED != 0, has_priority) {
            (true, _) => BlockStage::Padding(has_priority),
            (false, true) => BlockStage::Priority(PRIORITY_BYTES),
            (false, false) => BlockStage::Field,
        };
    }

    fn payload(&mut self, bytes: &[u8]) -> Option<u32> {
        for byte in bytes {
            if self.stage == BlockStage::Past {
                return None;
            }
            let (stage, is_pseudo) = self.stage.after(*byte);
            self.stage = stage;
            if is_pseudo {
                return Some(self.stream);
            }
        }
        None
    }
}

impl BlockStage {
    /// What comes behind this byte, and whether a pseudo-header field has been found.
    fn after(self, byte: u8) -> (Self, bool) {
        let next = match self {
            Self::Past => Self::Past,
            Self::Padding(true) => Self::Priority(PRIORITY_BYTES),
            Self::Padding(false) | Self::Priority(0 | 1) => Self::Field,
            Self::Priority(left) => Self::Priority(left - 1),
            Self::Field => {
                let index = match byte {
                    0x80.. => byte & 0x7f,
                    0x40.. => byte & 0x3f,
                    0x20.. => return (if byte == 0x3f { Self::Size } else { Self::Field }, false),
                    _ => byte & 0x0f,
                };
                let has_name = index == 0 && byte < 0x80;
                return (if has_name { Self::NameLength } else { Self::Past }, STATIC_PSEUDO.contains(&index));
            }
            Self::Size if byte >= 0x80 => Self::Size,
            Self::Size => Self::Field,
            Self::NameLength => match (byte & 0x7f, byte >= 0x80) {
                (0, _) => Self::Past,
                (0x7f, is_huffman) => Self::NameLengthRest(is_huffman),
                (_, is_huffman) => Self::Name(is_huffman),
            },
            Self::NameLengthRest(is_huffman) if byte >= 0x80 => Self::NameLengthRest(is_huffman),
            Self::NameLengthRest(is_huffman) => Self::Name(is_huffman),
            Self::Name(is_huffman) => {
                return (Self::Past, if is_huffman { byte >> 1 == COLON } else { byte == b':' });
            }
        };
        (next, false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scanner::{FrameScanner, WireSide};
    use super::TrailerWatch;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// The streams whose trailers are malformed, in bytes that come in pieces of `piece`.
    fn found(frames: &[Vec<u8>], piece: usize) -> Vec<u32> {
        let bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frames.concat()].concat();
        let (mut scanner, mut watch) = (FrameScanner::new(WireSide::Client), TrailerWatch::default());
        let mut found = Vec::new();
        for piece in bytes.chunks(piece) {
            scanner.follow(piece, |part| found.extend(watch.watch(&part)));
        }
        found
    }

    #[test]
    fn pseudo_header_fields_are_found_at_the_begin_of_trailers_alone() {
        const END: u8 = 0x5;
        let open = || frame(1, 0x4, 1, &[0x83, 0x86, 0x84]);
        for (flags, trailers, malformed) in [
            (END, &[0x83][..], true),
            (END, &[0x44, 1, b'/'], true),
            (END, &[0x02, 1, b'x'], true),
            (END, &[0x1e, 1, b'x'], true),
            (END, &[0x20, 0x3f, 0x81, 0x10, 0x83], true),
            (END, &[0x00, 5, b':', b'p', b'a', b't', b'h', 0], true),
            (END, &[0x40, 0x84, 0xb9, 0x58, 0xd3, 0x3f, 0], true),
            (END | 0x8, &[1, 0x83, 0], true),
            (END | 0x28, &[1, 0, 0, 0, 3, 9, 0x83, 0], true),
            (END, &[0x8f], false),
            (END, &[0x00, 1, b'x', 1, b':'], false),
            (END, &[0x00, 1, b'x', 0, 0x83], false),
            (END, &[0x0f, 0x0d, 1, b'x'], false),
            (END, &[0xbe], false),
            (END, &[], false),
        ] {
            let frames = [open(), frame(0, 0, 1, &[0x83]), frame(1, flags, 1, trailers)];
            for piece in [1, 2, 3, 1000] {
                let expected = if malformed { &[1][..] } else { &[] };
                assert_eq!(found(&frames, piece), expected, "{trailers:x?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_block_goes_on_in_further_frames() {
        let frames = [
            frame(1, 0x4, 1, &[0x83, 0x86, 0x84]),
            frame(1, 0x4, 3, &[0x83, 0x86, 0x84]),
            frame(1, 0x1, 1, &[0x00]),
            frame(9, 0x4, 1, &[1, b':', 0]),
            frame(1, 0x5, 3, &[0x84]),
        ];

        assert_eq!(found(&frames, 1000), [1, 3]);
    }
}
