//! Putting a plugin aside that fails again and again.

use std::time::{Duration, Instant};

/// Faults in a row that put a plugin aside.
const STREAK: u32 = 5;

/// How long the first time; doubles with each failed probe.
const FIRST: Duration = Duration::from_millis(100);

/// And no longer than this.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts faults in a row. One for each instance's seat, for each kind of feedback to it, and for what made it fail.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    streak: u32,
    aside: Option<Aside>,
}

#[derive(Clone, Copy, Debug)]
struct Aside {
    until: Instant,
    pause: Duration,
}

/// What a fault or success changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It is put aside now, for this long.
    Opened(Duration),
    /// It was aside, and a probe succeeded.
    Closed,
}

impl Breaker {
    /// Whether a call may be made: always, unless it is aside and the pause is not over. Reads no clock otherwise.
    #[inline]
    pub(super) fn admits(&self, now: impl FnOnce() -> Instant) -> bool {
        self.aside.is_none_or(|aside| now() >= aside.until)
    }

    /// A call succeeded.
    #[inline]
    pub(super) fn succeeded(&mut self) -> Change {
        if self.streak == 0 {
            return Change::None;
        }
        self.streak = 0;
        self.aside.take().map_or(Change::None, |_| Change::Closed)
    }

    /// A call failed.
    pub(super) fn failed(&mut self, now: Instant) -> Change {
        if self.strike() { self.open(now) } else { Change::None }
    }

    /// A call failed, which may have been the call's fault. Whether that is once too often in a row.
    pub(super) fn strike(&mut self) -> bool {
        self.streak = self.streak.saturating_add(1);
        self.streak >= STREAK
    }

    /// Puts it aside, or lets it be so for longer.
    pub(super) fn open(&mut self, now: Instant) -> Change {
        let pause = self.aside.map_or(FIRST, |aside| (aside.pause * 2).min(LONGEST));
        self.put_aside(now, pause)
    }

    /// A call failed, and took so long that four more like it would be too many.
    pub(super) fn failed_slowly(&mut self, now: Instant) -> Change {
        self.streak = self.streak.saturating_add(STREAK);
        self.failed(now)
    }

    /// A call failed in a way that nothing could end, and another may as well: aside at once, and for long.
    pub(super) fn gave_out(&mut self, now: Instant) -> Change {
        self.streak = self.streak.saturating_add(STREAK);
        self.put_aside(now, LONGEST)
    }

    fn put_aside(&mut self, now: Instant, pause: Duration) -> Change {
        let opened = self.aside.replace(Aside { until: now + pause, pause }).is_none();
        if opened { Change::Opened(pause) } else { Change::None }
    }

    /// Whether it is aside.
    pub(super) fn is_aside(&self) -> bool {
        self.aside.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_faults_in_a_row_open_it_and_a_probe_after_the_pause_closes_it() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(breaker.failed(start), Change::None);
        }

        assert_eq!(breaker.failed(start), Change::Opened(FIRST));

        assert!(!breaker.admits(|| start + FIRST / 2), "aside");
        assert!(breaker.admits(|| start + FIRST), "the probe");
        assert_eq!(breaker.succeeded(), Change::Closed);
        assert!(breaker.admits(|| start), "back for good");
    }

    #[test]
    fn failed_probes_double_the_pause_up_to_a_limit() {
        let (mut breaker, mut now) = (Breaker::default(), Instant::now());
        for _ in 0..5 {
            breaker.failed(now);
        }
        for pause in [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000].map(Duration::from_millis) {
            now += LONGEST;
            breaker.failed(now);

            assert!(!breaker.admits(|| now + pause - Duration::from_millis(1)), "still aside before {pause:?}");
            assert!(breaker.admits(|| now + pause), "a probe after {pause:?}");
        }
    }

    #[test]
    fn what_took_too_long_is_put_aside_at_once() {
        let (mut slow, mut endless, now) = (Breaker::default(), Breaker::default(), Instant::now());

        assert_eq!(slow.failed_slowly(now), Change::Opened(FIRST));
        assert_eq!(endless.gave_out(now), Change::Opened(LONGEST));

        assert!(!slow.admits(|| now + FIRST / 2) && slow.admits(|| now + FIRST));
        assert!(!endless.admits(|| now + LONGEST / 2) && endless.admits(|| now + LONGEST));
        assert_eq!(endless.gave_out(now + LONGEST), Change::None, "it was aside before");
        assert_eq!(endless.succeeded(), Change::Closed);
    }

    #[test]
    fn a_success_between_faults_starts_the_count_anew() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker.failed(Instant::now());
            assert_eq!(breaker.succeeded(), Change::None);
        }

        assert!(!breaker.is_aside());
    }
}
