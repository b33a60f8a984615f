//! What is wrong with frames, where the library has another code for it than the RFC, or none.

use h2::Reason;

use super::scanner::{FrameHead, FramePart, FrameType};

/// Bytes of a setting: its identifier and its value (RFC 9113 §6.5.1).
const SETTING: usize = 6;

/// SETTINGS_INITIAL_WINDOW_SIZE, and the first value that is too large for a window (RFC 9113 §6.5.2).
const INITIAL_WINDOW_SIZE: u16 = 4;
const TOO_LARGE: u32 = 1 << 31;

/// Judges the frames of a connection, one after the other.
#[derive(Debug)]
pub(super) struct FrameJudge {
    /// The first frame is to come, and must be SETTINGS.
    awaits_settings: bool,
    /// SETTINGS come now.
    in_settings: bool,
    /// The beginning of a setting.
    setting: [u8; SETTING],
    read: usize,
}

impl FrameJudge {
    /// A client begins with SETTINGS (RFC 9113 §3.4). The library takes its requests all the same.
    pub(super) fn of_client() -> Self {
        Self { awaits_settings: true, ..Self::of_endpoint() }
    }

    /// What else an endpoint begins with is shown, and not judged.
    pub(super) fn of_endpoint() -> Self {
        Self { awaits_settings: false, in_settings: false, setting: [0; SETTING], read: 0 }
    }

    /// The code of the connection error that this part is.
    pub(super) fn judge(&mut self, part: &FramePart<'_>) -> Result<(), Reason> {
        match part {
            FramePart::Head(frame) => {
                self.in_settings = frame.kind == FrameType::Settings;
                self.read = 0;
                let has_begun_wrong = std::mem::take(&mut self.awaits_settings) && !self.in_settings;
                match has_right_length(frame) {
                    false => Err(Reason::FRAME_SIZE_ERROR),
                    true if has_begun_wrong => Err(Reason::PROTOCOL_ERROR),
                    true => Ok(()),
                }
            }
            FramePart::Payload(bytes) if self.in_settings => self.judge_settings(bytes),
            FramePart::Payload(_) => Ok(()),
        }
    }

    fn judge_settings(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        for byte in bytes {
            if let Some(place) = self.setting.get_mut(self.read) {
                *place = *byte;
            }
            self.read += 1;
            if self.read == SETTING {
                self.read = 0;
                let [i1, i2, v1, v2, v3, v4] = self.setting;
                if u16::from_be_bytes([i1, i2]) == INITIAL_WINDOW_SIZE
                    && u32::from_be_bytes([v1, v2, v3, v4]) >= TOO_LARGE
                {
                    return Err(Reason::FLOW_CONTROL_ERROR);
                }
            }
        }
        Ok(())
    }
}

/// Whether a frame of fixed length has it, or of a least one (RFC 9113 §6.3 to §6.9). That a frame is longer than was
/// agreed on is seen by the library, and so is a stream that its type must not have.
fn has_right_length(frame: &FrameHead) -> bool {
    match frame.kind {
        FrameType::Priority => frame.length == 5,
        FrameType::Reset | FrameType::WindowUpdate => frame.length == 4,
        FrameType::Ping => frame.length == 8 || frame.stream != 0,
        FrameType::Settings if frame.is_reply() => frame.length == 0,
        FrameType::Settings => (frame.length as usize).is_multiple_of(SETTING),
        // Behind what is fixed there may be a text.
        FrameType::GoAway => frame.length >= 8 || frame.stream != 0,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scanner::{FrameScanner, WireSide};
    use super::*;

    fn judged(bytes: &[u8], piece: usize) -> Result<(), Reason> {
        let (mut scanner, mut judge) = (FrameScanner::new(WireSide::Endpoint), FrameJudge::of_endpoint());
        let mut found = Ok(());
        for piece in bytes.chunks(piece) {
            scanner.follow(piece, |part| {
                let now = judge.judge(&part);
                found = found.and(now);
            });
        }
        found
    }

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        [&[0, 0, u8::try_from(payload.len()).unwrap(), kind, flags, 0, 0, 0, 0], payload].concat()
    }

    #[test]
    fn lengths_that_are_fixed_are_a_matter_of_frame_size() {
        for (kind, flags, length, fits) in [
            (2, 0, 5, true),
            (2, 0, 4, false),
            (3, 0, 4, true),
            (3, 0, 5, false),
            (4, 0, 0, true),
            (4, 0, 12, true),
            (4, 0, 7, false),
            (4, 1, 0, true),
            (4, 1, 6, false),
            (6, 0, 8, true),
            (6, 1, 7, false),
            (7, 0, 7, false),
            (7, 0, 8, true),
            (7, 0, 9, true),
            (8, 0, 4, true),
            (8, 0, 3, false),
            (0, 0, 3, true),
            (0xaa, 0, 3, true),
        ] {
            let expected = if fits { Ok(()) } else { Err(Reason::FRAME_SIZE_ERROR) };
            assert_eq!(judged(&frame(kind, flags, &vec![0; length]), 4), expected, "{kind} {flags} {length}");
        }
    }

    #[test]
    fn a_window_that_is_too_large_is_a_matter_of_flow_control_however_it_is_cut() {
        let good = [0, 1, 0xff, 0xff, 0xff, 0xff, 0, 4, 0x7f, 0xff, 0xff, 0xff];
        let bad = [0, 3, 0, 0, 0, 9, 0, 4, 0x80, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        for piece in 1..=27 {
            assert_eq!(judged(&frame(4, 0, &good), piece), Ok(()));
            assert_eq!(judged(&frame(4, 0, &bad), piece), Err(Reason::FLOW_CONTROL_ERROR));
            assert_eq!(judged(&frame(9, 0, &bad), piece), Ok(()), "no settings");
        }
    }
}
