//! A websocket that the gateway pings while it is quiet: the Pongs that answer stay here.
//!
//! ```text
//! source ─▶ frames ─┬─ begins like the Pong that is awaited ─▶ held, byte by byte ─┬─ it is: taken out
//!                   └─ anything else ─▶ passes                  differs: passes ◀──┘
//! ```

use std::borrow::Cow;

use super::frames::FrameBoundaries;
use super::inspector::{CloseMessages, Inspector};

/// Bytes of application data in a Ping of the gateway's: enough for no other to have the same by chance.
const PAYLOAD: usize = 8;

/// A masked Pong: two bytes, the mask, the payload.
const LONGEST_PONG: usize = 2 + 4 + PAYLOAD;

const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const MASKED: u8 = 0x80;

/// What a Ping carries, and the Pong that answers it (RFC 6455 §5.5.3). The same for all of one direction: a late Pong is
/// known as well.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PingPayload([u8; PAYLOAD]);

impl PingPayload {
    /// One that cannot be guessed.
    pub(super) fn new(random: u64) -> Self {
        Self(random.to_be_bytes())
    }

    /// A Ping to a client: from a server, unmasked (§5.1).
    pub(super) fn to_client(self) -> Vec<u8> {
        [&[PING, 8][..], &self.0].concat()
    }

    /// A Ping to an endpoint: from a client, masked with a `mask` that cannot be guessed (§5.3).
    pub(super) fn to_endpoint(self, mask: [u8; 4]) -> Vec<u8> {
        let masked = self.0.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [PING, MASKED | 8].into_iter().chain(mask).chain(masked).collect()
    }
}

/// Follows the frames of one direction, and takes the Pongs out that answer the gateway.
#[derive(Debug, Default)]
pub struct PingedFrames {
    /// Those of the bytes that pass: a boundary is one of what the destination gets.
    frames: FrameBoundaries,
    payload: PingPayload,
    /// Whether the source masks its frames: it is the client.
    is_masked: bool,
    /// The begin of what may become the Pong, not passed on yet.
    held: [u8; LONGEST_PONG],
    held_length: u8,
    /// Something came since it was last asked.
    has_heard: bool,
}

impl PingedFrames {
    /// Takes Pongs with `payload` out from now on.
    pub(super) fn expect_from_client(&mut self, payload: PingPayload) {
        (self.payload, self.is_masked) = (payload, true);
    }

    /// The same for the other direction.
    pub(super) fn expect_from_endpoint(&mut self, payload: PingPayload) {
        (self.payload, self.is_masked) = (payload, false);
    }

    /// Lets bytes pass up to where a frame begins that may be the Pong, and returns how many those are.
    fn pass_to_pong(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while let Some((first, _)) = bytes.split_at(passed).1.split_first() {
            if *first == PONG && self.frames.at_boundary() {
                break;
            }
            passed += self.frames.pass_to_boundary(bytes.split_at(passed).1);
        }
        passed
    }

    /// Whether `byte`, behind those that are held, is that of the awaited Pong.
    fn is_next(&self, byte: u8) -> bool {
        let at = usize::from(self.held_length);
        match (at, self.is_masked) {
            (0, _) => byte == PONG,
            (1, true) => byte == MASKED | 8,
            (1, false) => byte == 8,
            (2..6, true) => true,
            (_, true) => self.payload.0.get(at - 6) == self.held.get(2 + (at - 6) % 4).map(|mask| byte ^ mask).as_ref(),
            (_, false) => self.payload.0.get(at - 2) == Some(&byte),
        }
    }

    /// Holds one more byte. True if the Pong is whole; false if more is to come.
    fn hold(&mut self, byte: u8) -> bool {
        if let Some(slot) = self.held.get_mut(usize::from(self.held_length)) {
            *slot = byte;
            self.held_length += 1;
        }
        let whole = if self.is_masked { LONGEST_PONG } else { 2 + PAYLOAD };
        usize::from(self.held_length) == whole
    }
}

impl Inspector for PingedFrames {
    const CLOSE: Option<CloseMessages> = FrameBoundaries::CLOSE;
    const SIFTS: bool = true;

    fn pass(&mut self, bytes: &[u8]) {
        self.frames.pass(bytes);
    }

    fn pass_to_boundary(&mut self, bytes: &[u8]) -> usize {
        self.frames.pass_to_boundary(bytes)
    }

    fn sift<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.has_heard = true;
        let (mut rest, mut passing) = (bytes, Vec::new());
        while !rest.is_empty() {
            if self.held_length == 0 {
                let passed = self.pass_to_pong(rest);
                if passed == bytes.len() && passing.is_empty() {
                    return Cow::Borrowed(bytes);
                }
                let (passes, next) = rest.split_at(passed);
                passing.extend_from_slice(passes);
                rest = next;
            }
            while let Some((byte, next)) = rest.split_first() {
                if !self.is_next(*byte) {
                    // It is the byte's own frame or another's: those that are held decide nothing about it.
                    passing.extend(self.release());
                    break;
                }
                rest = next;
                if self.hold(*byte) {
                    self.held_length = 0;
                    break;
                }
            }
        }
        Cow::Owned(passing)
    }

    fn release(&mut self) -> Vec<u8> {
        let held = self.held.split_at(usize::from(self.held_length)).0.to_vec();
        self.held_length = 0;
        self.frames.pass(&held);
        held
    }

    fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.has_heard)
    }

    fn at_boundary(&self) -> bool {
        self.frames.at_boundary()
    }

    fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    fn is_over(&self) -> bool {
        self.frames.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: PingPayload = PingPayload([1, 2, 3, 4, 5, 6, 7, 8]);

    fn inspectors() -> [(PingedFrames, Vec<u8>); 2] {
        let (mut up, mut down) = (PingedFrames::default(), PingedFrames::default());
        up.expect_from_client(PAYLOAD);
        down.expect_from_endpoint(PAYLOAD);
        let [mut from_client, mut from_endpoint] = [PAYLOAD.to_endpoint([9, 80, 0, 255]), PAYLOAD.to_client()];
        (from_client[0], from_endpoint[0]) = (PONG, PONG);
        [(up, from_client), (down, from_endpoint)]
    }

    /// Frames of which none is the gateway's business.
    fn others(is_masked: bool) -> Vec<Vec<u8>> {
        let frame = |opcode: u8, payload: &[u8]| {
            let length = u8::try_from(payload.len()).unwrap();
            let mut frame = vec![opcode, if is_masked { MASKED | length } else { length }];
            if is_masked {
                frame.extend([0; 4]);
            }
            frame.extend(payload);
            frame
        };
        vec![
            frame(PONG, &[]),
            frame(PONG, &[PONG; 8]),
            frame(PONG, &[1, 2, 3, 4, 5, 6, 7, 9]),
            frame(PONG, &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
            frame(PING, &PAYLOAD.0),
            // The payload of a message may look like the Pong.
            frame(0x82, &[&[PONG, 8][..], &PAYLOAD.0].concat()),
            frame(0x02, &[PONG]),
            frame(0x80, &[PONG, MASKED | 8]),
        ]
    }

    #[test]
    fn a_pong_of_the_gateways_is_taken_out_and_nothing_else_however_the_bytes_are_cut() {
        for side in 0..2 {
            let pong = inspectors()[side].1.clone();
            let others = others(side == 0);
            let mixed: Vec<u8> = others.iter().flat_map(|other| [&pong[..], other].concat()).collect();
            for step in 1..=mixed.len() {
                let mut frames = std::mem::take(&mut inspectors()[side].0);
                let passed: Vec<u8> = mixed.chunks(step).flat_map(|piece| frames.sift(piece).into_owned()).collect();

                assert_eq!(passed, others.concat(), "side {side}, step {step}");
                assert!(frames.at_boundary() && frames.take_heard() && !frames.take_heard());
            }
        }
    }

    #[test]
    fn what_is_held_at_the_end_goes_on() {
        for (mut frames, pong) in inspectors() {
            for cut in 1..pong.len() {
                assert!(frames.sift(&pong[..cut]).is_empty());
                assert!(frames.at_boundary(), "the destination has got none of it");

                assert_eq!(frames.release(), &pong[..cut]);
                assert!(!frames.at_boundary(), "now it has");
                frames.pass(&pong[cut..]);
            }
        }
    }

    #[test]
    fn what_holds_no_pong_is_not_copied() {
        for (side, (mut frames, _)) in inspectors().into_iter().enumerate() {
            for frame in &others(side == 0)[4..] {
                assert!(matches!(frames.sift(frame), Cow::Borrowed(_)), "{frame:?}");
            }
        }
    }

    #[test]
    fn our_pings_are_whole_frames_and_masked_towards_endpoints() {
        let mask = [0xaa, 0xbb, 0xcc, 0xdd];
        let (to_client, to_endpoint) = (PAYLOAD.to_client(), PAYLOAD.to_endpoint(mask));
        for frame in [&to_client, &to_endpoint] {
            let mut frames = FrameBoundaries::default();
            assert_eq!(frames.pass_to_boundary(frame), frame.len());
            assert!(frames.at_boundary());
        }
        assert_eq!(to_client, [0x89, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(to_endpoint[..6], [0x89, 0x88, 0xaa, 0xbb, 0xcc, 0xdd]);
        let unmasked: Vec<u8> =
            to_endpoint[6..].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, PAYLOAD.0);
    }
}
