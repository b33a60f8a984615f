//! What frames that bring nothing may cost.

use std::time::Duration;

use tokio::time::Instant;

use super::scanner::{FrameHead, FrameType};
use crate::telemetry::FloodKind;

/// What a connection begins with, and has again after ten quiet seconds. A client that begins with settings, windows,
/// priorities and a hundred cancelled requests spends a third of it.
const BURST: u32 = 1000;

/// What time brings back in a second, up to [`BURST`]. A client that pings every second spends one.
const PER_SECOND: u32 = 100;

/// What content earns at most. A receiver that opens its windows for every 512 bytes it reads does so late, and then for
/// all that was on the way: 4,096 frames for a mebibyte.
const EARNED_MOST: u32 = 16_384;

/// What a message earns that is sent, however short: two windows and a ping may follow each, as gRPC's measuring of the
/// line has it. Whoever causes such messages has spent more on each than four small frames cost.
const PER_MESSAGE: u32 = 4;

/// Bytes of content that earn one, either way.
const BYTES_PER_ONE: u32 = 256;

/// A frame that costs work and no more.
const SMALL: u32 = 1;

/// A stream that was given up. Requests that a client gives up have an account of their own beside this, in which
/// nothing but responses earns.
const RESET: u32 = 3;

/// A frame for which all streams are gone through.
const GREAT: u32 = 10;

/// What is left for frames that bring nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM, unknown types, and
/// others that are empty. Each is right by itself and costs its sender little (RFC 9113 §10.5).
///
/// Frames that bring something earn: HEADERS and DATA that are sent, and DATA that comes by its bytes alone, for a frame
/// with one byte is as cheap to make as any of these. Frames that only reply, PING and
/// SETTINGS with ACK, do not, so that nobody earns by what must be replied to. HEADERS that come earn nothing either: a
/// request that is reset again has brought nothing.
#[derive(Clone, Debug)]
pub struct FrameBudget {
    left: u32,
    /// Up to when time has been paid for.
    paid: Instant,
}

impl FrameBudget {
    /// The whole of it.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { left: BURST, paid: now }
    }

    /// A frame was sent.
    pub fn sent(&mut self, frame: &FrameHead) {
        match frame.kind {
            FrameType::Headers => self.earn(PER_MESSAGE),
            FrameType::Data if frame.content > 0 => self.earn(PER_MESSAGE + frame.content / BYTES_PER_ONE),
            _ => {}
        }
    }

    /// A frame has begun to come. `now` is asked only if what is left does not suffice.
    ///
    /// # Errors
    /// There were too many that bring nothing: the kind of this one.
    pub fn received(&mut self, frame: &FrameHead, now: impl FnOnce() -> Instant) -> Result<(), FloodKind> {
        let (price, kind) = match frame.kind {
            FrameType::Data if frame.content > 0 => {
                self.earn(frame.content / BYTES_PER_ONE);
                return Ok(());
            }
            // A stream has one end.
            FrameType::Data | FrameType::Headers if frame.ends_stream() => return Ok(()),
            FrameType::Headers if frame.length > 0 => return Ok(()),
            FrameType::Data | FrameType::Headers => (SMALL, FloodKind::Empty),
            FrameType::Continuation => (SMALL, FloodKind::Continuation),
            FrameType::Priority => (SMALL, FloodKind::Priority),
            FrameType::Ping => (SMALL, FloodKind::Ping),
            FrameType::WindowUpdate => (SMALL, FloodKind::WindowUpdate),
            FrameType::Unknown => (SMALL, FloodKind::Unknown),
            FrameType::Reset => (RESET, FloodKind::Reset),
            FrameType::Settings => (GREAT, FloodKind::Settings),
            FrameType::GoAway => (GREAT, FloodKind::Goaway),
            FrameType::PushPromise => (GREAT, FloodKind::PushPromise),
        };
        if self.left < price {
            self.refill(now());
        }
        self.left = self.left.checked_sub(price).ok_or(kind)?;
        Ok(())
    }

    fn earn(&mut self, more: u32) {
        self.left = self.left.saturating_add(more).min(EARNED_MOST);
    }

    /// Adds what time has brought. It is asked for only when little is left: what would have been above [`BURST`] in
    /// between was spent.
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.paid);
        let full = Duration::from_secs(u64::from(BURST / PER_SECOND));
        let brought = u32::try_from(passed.min(full).as_millis()).unwrap_or_default() * PER_SECOND / 1000;
        if brought > 0 {
            self.left = self.left.max((self.left + brought).min(BURST));
            self.paid = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: FrameType, length: u32) -> FrameHead {
        FrameHead { kind, flags: 0, stream: 1, length, content: length }
    }

    /// How many frames come through at once, up to `most`.
    fn at_once(budget: &mut FrameBudget, frame: FrameHead, now: Instant, most: usize) -> usize {
        (0..most).take_while(|_| budget.received(&frame, || now).is_ok()).count()
    }

    #[test]
    fn each_flood_runs_out_and_has_a_name() {
        let now = Instant::now();
        for (kind, length, expected, name) in [
            (FrameType::Ping, 8, 1000, "ping"),
            (FrameType::WindowUpdate, 4, 1000, "window-update"),
            (FrameType::Priority, 5, 1000, "priority"),
            (FrameType::Unknown, 100, 1000, "unknown"),
            (FrameType::Data, 0, 1000, "empty"),
            (FrameType::Headers, 0, 1000, "empty"),
            (FrameType::Continuation, 9, 1000, "continuation"),
            (FrameType::Reset, 4, 333, "reset"),
            (FrameType::Settings, 0, 100, "settings"),
            (FrameType::GoAway, 8, 100, "goaway"),
            (FrameType::PushPromise, 8, 100, "push-promise"),
        ] {
            let mut budget = FrameBudget::new(now);
            assert_eq!(at_once(&mut budget, frame(kind, length), now, 2000), expected, "{kind:?}");
            assert_eq!(budget.received(&frame(kind, length), || now).map_err(FloodKind::as_str), Err(name));
        }
    }

    #[test]
    fn replies_that_are_sent_earn_nothing() {
        let now = Instant::now();
        let mut budget = FrameBudget::new(now);
        let ping = frame(FrameType::Ping, 8);

        let through = (0..2000).take_while(|_| {
            budget.sent(&ping);
            budget.sent(&frame(FrameType::Settings, 0));
            budget.sent(&frame(FrameType::WindowUpdate, 4));
            budget.received(&ping, || now).is_ok()
        });
        assert_eq!(through.count(), 1000);
    }

    #[test]
    fn who_acknowledges_each_small_message_never_runs_out() {
        let now = Instant::now();
        let mut budget = FrameBudget::new(now);
        for message in 0..100_000 {
            budget.sent(&frame(FrameType::Data, 3));
            for kind in [FrameType::WindowUpdate, FrameType::WindowUpdate, FrameType::Ping] {
                assert_eq!(budget.received(&frame(kind, 8), || now), Ok(()), "message {message}");
            }
        }
    }

    #[test]
    fn small_pieces_that_come_earn_nothing_and_large_ones_what_they_cost() {
        let now = Instant::now();
        for (bytes, expected) in [(1, 1000), (255, 1000), (256, 2000), (100_000, 5000)] {
            let mut budget = FrameBudget::new(now);
            let through = (0..5000).take_while(|number| {
                let data = number % 2 == 0 || budget.received(&frame(FrameType::Data, bytes), || now).is_ok();
                data && budget.received(&frame(FrameType::Ping, 8), || now).is_ok()
            });
            assert_eq!(through.count(), expected, "{bytes}");
        }
    }

    #[test]
    fn a_slow_reader_of_a_mebibyte_may_open_its_windows_for_every_512_bytes() {
        let now = Instant::now();
        let mut budget = FrameBudget::new(now);
        for _ in 0..64 {
            budget.sent(&frame(FrameType::Data, 16_384));
        }
        assert_eq!(at_once(&mut budget, frame(FrameType::WindowUpdate, 4), now, 4096), 4096);
    }

    #[test]
    fn who_pings_every_second_never_runs_out_and_time_gives_no_more_than_the_burst() {
        let mut now = Instant::now();
        let mut budget = FrameBudget::new(now);
        for second in 0..100_000 {
            now += Duration::from_secs(1);
            assert_eq!(budget.received(&frame(FrameType::Ping, 8), || now), Ok(()), "second {second}");
        }
        now += Duration::from_secs(1_000_000);
        assert!(at_once(&mut budget, frame(FrameType::Ping, 8), now, 5000) <= 2000);
        assert_eq!(at_once(&mut budget, frame(FrameType::Ping, 8), now, 5000), 0);
    }

    #[test]
    fn time_is_paid_for_in_small_pieces_too() {
        let mut now = Instant::now();
        let mut budget = FrameBudget::new(now);
        at_once(&mut budget, frame(FrameType::Ping, 8), now, 1000);
        let through: usize = (0..1000)
            .map(|_| {
                now += Duration::from_millis(1);
                at_once(&mut budget, frame(FrameType::Ping, 8), now, 5)
            })
            .sum();
        assert_eq!(through, 100);
    }

    #[test]
    fn the_end_of_a_stream_costs_nothing_and_neither_does_a_request() {
        let now = Instant::now();
        let mut budget = FrameBudget::new(now);
        let end = FrameHead { flags: 1, ..frame(FrameType::Data, 0) };
        assert_eq!(at_once(&mut budget, end, now, 5000), 5000);
        assert_eq!(at_once(&mut budget, frame(FrameType::Headers, 30), now, 5000), 5000);
        assert_eq!(at_once(&mut budget, frame(FrameType::Ping, 8), now, 5000), 1000, "and they earn nothing");
    }
}
