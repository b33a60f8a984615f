//! With what code a connection is closed, seen where it is written.

use h2::Reason;

use super::scanner::{FramePart, FrameType};

/// Bytes of a GOAWAY before its code: the last stream (RFC 9113 §6.8).
const BEFORE_CODE: usize = 4;

/// A GOAWAY frame of who has taken no stream of the other side (RFC 9113 §6.8).
pub(super) fn goaway(code: Reason) -> [u8; 17] {
    let [a, b, c, d] = u32::from(code).to_be_bytes();
    [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
}

/// Reads the codes of the GOAWAY frames that are sent.
#[derive(Debug, Default)]
pub(super) struct GoawayReader {
    /// Bytes of the payload that have gone by; none in other frames.
    passed: Option<usize>,
    code: [u8; 4],
}

impl GoawayReader {
    /// The code of a GOAWAY, as soon as it is complete.
    pub(super) fn read(&mut self, part: &FramePart<'_>) -> Option<Reason> {
        match part {
            FramePart::Head(frame) => {
                self.passed = (frame.kind == FrameType::GoAway).then_some(0);
                None
            }
            FramePart::Payload(bytes) => {
                let passed = self.passed.as_mut()?;
                let mut complete = None;
                for byte in *bytes {
                    if let Some(place) = passed.checked_sub(BEFORE_CODE).and_then(|at| self.code.get_mut(at)) {
                        *place = *byte;
                    }
                    *passed += 1;
                    if *passed == BEFORE_CODE + self.code.len() {
                        complete = Some(Reason::from(u32::from_be_bytes(self.code)));
                    }
                }
                complete
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scanner::{FrameScanner, WireSide};
    use super::*;

    #[test]
    fn the_code_is_read_however_it_is_cut_and_of_goaway_alone() {
        let goaway = [0, 0, 10, 7, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 11, b'h', b'i'];
        let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5];
        let bytes = [&ping[..], &goaway, &ping].concat();
        for piece in 1..=bytes.len() {
            let (mut scanner, mut reader) = (FrameScanner::new(WireSide::Endpoint), GoawayReader::default());
            let mut codes = Vec::new();
            for piece in bytes.chunks(piece) {
                scanner.follow(piece, |part| codes.extend(reader.read(&part)));
            }
            assert_eq!(codes, [Reason::ENHANCE_YOUR_CALM], "cut into {piece}");
        }
    }
}
