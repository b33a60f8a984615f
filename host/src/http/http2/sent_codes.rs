//! With what codes streams and connections are ended, seen where it is written.

use h2::Reason;

use super::scanner::{FramePart, FrameType};

/// Bytes of a GOAWAY before its code: the last stream (RFC 9113 §6.8). RST_STREAM is its code (§6.4).
const BEFORE_CODE: usize = 4;

/// A GOAWAY frame of who has taken no stream of the other side (RFC 9113 §6.8).
pub(super) fn goaway(code: Reason) -> [u8; 17] {
    let [a, b, c, d] = u32::from(code).to_be_bytes();
    [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
}

/// An end that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SentCode {
    /// Of the connection, by GOAWAY.
    Connection(Reason),
    /// Of a stream, by RST_STREAM.
    Stream(Reason),
}

/// Reads the codes of the GOAWAY and RST_STREAM frames that are sent.
#[derive(Debug, Default)]
pub(super) struct CodeReader {
    /// The frame that the code is of, and bytes of it still to come up to its end; none in other frames.
    open: Option<(FrameType, usize)>,
    code: [u8; 4],
}

impl CodeReader {
    /// The code of such a frame, as soon as it is complete.
    pub(super) fn read(&mut self, part: &FramePart<'_>) -> Option<SentCode> {
        match part {
            FramePart::Head(frame) => {
                self.open = match frame.kind {
                    FrameType::GoAway => Some((frame.kind, BEFORE_CODE + self.code.len())),
                    FrameType::Reset => Some((frame.kind, self.code.len())),
                    _ => None,
                };
                None
            }
            FramePart::Payload(bytes) => {
                let (kind, left) = self.open.as_mut()?;
                for byte in *bytes {
                    // Its last four bytes are what stays.
                    self.code.rotate_left(1);
                    let [.., last] = &mut self.code;
                    *last = *byte;
                    *left -= 1;
                    if *left == 0 {
                        let code = Reason::from(u32::from_be_bytes(self.code));
                        let sent = if *kind == FrameType::Reset { SentCode::Stream } else { SentCode::Connection };
                        self.open = None;
                        return Some(sent(code));
                    }
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scanner::{FrameScanner, WireSide};
    use super::*;

    #[test]
    fn codes_are_read_however_they_are_cut_and_of_ends_alone() {
        let goaway = [0, 0, 10, 7, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 11, b'h', b'i'];
        let reset = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 7];
        let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5];
        let bytes = [&ping[..], &goaway, &reset, &ping].concat();
        for piece in 1..=bytes.len() {
            let (mut scanner, mut reader) = (FrameScanner::new(WireSide::Endpoint), CodeReader::default());
            let mut codes = Vec::new();
            for piece in bytes.chunks(piece) {
                scanner.follow(piece, |part| codes.extend(reader.read(&part)));
            }
            let expected = [SentCode::Connection(Reason::ENHANCE_YOUR_CALM), SentCode::Stream(Reason::REFUSED_STREAM)];
            assert_eq!(codes, expected, "cut into {piece}");
        }
    }
}
