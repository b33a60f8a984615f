//! Where one websocket frame ends and the next begins (RFC 6455 §5.2).
//!
//! Payload is never looked at: a gateway that ends a tunnel only has to know when it may put a Close frame in.

use super::inspector::{CloseMessages, Inspector};

/// Longest frame head: 2 bytes, 8 of extended length, 4 of mask.
const LONGEST_HEAD: usize = 14;

/// What the gateway sends to a side of a websocket that it ends: 1001, this side leaves (RFC 6455 §7.4.1).
const GOING_AWAY: CloseMessages = CloseMessages {
    to_client: &[0x88, 2, 0x03, 0xe9],
    // The mask is zero: it protects intermediaries from chosen payload (§10.3), and this payload is fixed.
    to_endpoint: &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9],
};

/// Follows the frames of one direction of a websocket.
#[derive(Debug, Default)]
pub struct FrameBoundaries {
    /// Payload bytes of the current frame still to come.
    payload: u64,
    /// Head bytes of the next frame seen so far. Its first ten suffice for the length.
    head: [u8; LONGEST_HEAD],
    seen: u8,
    /// A Close frame has gone by: nothing may follow it (§5.5.1).
    closed: bool,
}

impl Inspector for FrameBoundaries {
    const CLOSE: Option<CloseMessages> = Some(GOING_AWAY);

    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let passed = self.pass_to_boundary(bytes);
            bytes = bytes.split_at(passed).1;
        }
    }

    fn pass_to_boundary(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.payload > 0 {
                let skip = usize::try_from(self.payload).map_or(rest.len(), |left| left.min(rest.len()));
                self.payload -= skip as u64;
                rest = rest.split_at(skip).1;
            } else {
                rest = self.pass_head(rest);
            }
            if self.payload == 0 && self.seen == 0 {
                break;
            }
        }
        bytes.len() - rest.len()
    }

    fn at_boundary(&self) -> bool {
        self.payload == 0 && self.seen == 0 && !self.closed
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn is_over(&self) -> bool {
        self.closed && self.payload == 0 && self.seen == 0
    }
}

impl FrameBoundaries {
    /// Collects head bytes until the frame's length is known, and returns what follows them.
    fn pass_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            if let Some(slot) = self.head.get_mut(usize::from(self.seen)) {
                *slot = *byte;
            }
            self.seen += 1;
            rest = after;
            if let Some((length, head)) = length_of(&self.head)
                && self.seen >= 2
                && self.seen >= head
            {
                self.closed |= self.head[0] & 0x0f == 0x8;
                self.payload = length;
                self.seen = 0;
                break;
            }
        }
        rest
    }
}

/// Payload length and head length that a head announces; valid once that many head bytes are there.
fn length_of(head: &[u8; LONGEST_HEAD]) -> Option<(u64, u8)> {
    let [_, second, a, b, c, d, e, f, g, h, ..] = *head;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    Some(match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes([a, b])), 4 + mask),
        127 => (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10 + mask),
        short => (u64::from(short), 2 + mask),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with `length` bytes of payload.
    fn frame(opcode: u8, length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | opcode];
        match length {
            0..=125 => bytes.push(mask | u8::try_from(length).unwrap()),
            126..=0xffff => {
                bytes.push(mask | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0xaa; if masked { 4 } else { 0 } + length]);
        bytes
    }

    #[test]
    fn boundary_is_found_however_the_bytes_are_cut() {
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];
        for masked in [false, true] {
            let whole: Vec<u8> = lengths.iter().flat_map(|length| frame(2, *length, masked)).collect();
            for step in [1, 2, 3, 7, 64, 4096, whole.len()] {
                let mut frames = FrameBoundaries::default();
                let mut ends = 0;
                for (at, piece) in whole.chunks(step).enumerate() {
                    frames.pass(piece);
                    ends += usize::from(frames.at_boundary());
                    let last = (at + 1) * step >= whole.len();
                    assert!(!last || frames.at_boundary(), "all frames passed, step {step}, masked {masked}");
                }
                assert!(step > 1 || ends == lengths.len(), "one boundary after each frame, found {ends}");
            }
        }
    }

    #[test]
    fn inside_a_frame_is_no_boundary() {
        let whole = frame(1, 300, true);
        for cut in 1..whole.len() {
            let mut frames = FrameBoundaries::default();
            frames.pass(&whole[..cut]);
            assert!(!frames.at_boundary(), "after {cut} of {} bytes", whole.len());
        }
    }

    #[test]
    fn the_next_boundary_is_found_in_the_middle_of_a_read() {
        let whole = [frame(1, 300, true), frame(2, 0, true), frame(2, 70_000, true)].concat();
        let ends = [308, 314, 314 + 70_014];
        for cut in 1..320 {
            let mut frames = FrameBoundaries::default();
            frames.pass(&whole[..cut]);
            let next = ends.into_iter().find(|end| *end > cut).unwrap();

            assert_eq!(frames.pass_to_boundary(&whole[cut..]), next - cut, "after {cut} bytes");
            assert!(frames.at_boundary());
        }
        assert_eq!(FrameBoundaries::default().pass_to_boundary(&whole[..200]), 200, "it is further on");
    }

    #[test]
    fn nothing_may_follow_a_close_frame() {
        let mut frames = FrameBoundaries::default();

        frames.pass(&frame(8, 2, false));

        assert!(frames.is_closed());
        assert!(!frames.at_boundary());
    }

    #[test]
    fn our_close_frames_are_whole_frames() {
        for bytes in [GOING_AWAY.to_client, GOING_AWAY.to_endpoint] {
            assert!(bytes.ends_with(&1001_u16.to_be_bytes()));
            let mut frames = FrameBoundaries::default();
            frames.pass(bytes);
            assert!(frames.is_closed() && frames.payload == 0 && frames.seen == 0);
        }
    }
}
