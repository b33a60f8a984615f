//! The circuit breaker: leaves a plugin out that fails again and again.

use std::time::{Duration, Instant};

/// Faults in a row that open the circuit.
const STREAK: u32 = 5;

/// How long it stays open the first time; doubles with each failed probe.
const FIRST: Duration = Duration::from_millis(100);

/// And no longer than this.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts faults in a row. One for each slot, for each kind of feedback in it, and for each input that made the plugin
/// fail.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    streak: u32,
    open: Option<OpenCircuit>,
}

#[derive(Clone, Copy, Debug)]
struct OpenCircuit {
    until: Instant,
    pause: Duration,
}

/// What a fault or success changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CircuitChange {
    /// Nothing.
    None,
    /// The circuit is open from now on, for this long.
    Opened(Duration),
    /// The circuit was open, and a probe succeeded.
    Closed,
}

impl CircuitBreaker {
    /// Whether a call may be made: always, unless the circuit is open and the pause not over. Reads no clock otherwise.
    #[inline]
    pub(super) fn admits(&self, now: impl FnOnce() -> Instant) -> bool {
        self.open.is_none_or(|open| now() >= open.until)
    }

    /// A call succeeded.
    #[inline]
    pub(super) fn succeeded(&mut self) -> CircuitChange {
        if self.streak == 0 {
            return CircuitChange::None;
        }
        self.streak = 0;
        self.open.take().map_or(CircuitChange::None, |_| CircuitChange::Closed)
    }

    /// A call failed.
    pub(super) fn failed(&mut self, now: Instant) -> CircuitChange {
        if self.count_fault() { self.open(now) } else { CircuitChange::None }
    }

    /// A call failed, which may be the fault of its input. Whether that is once too often in a row.
    pub(super) fn count_fault(&mut self) -> bool {
        self.streak = self.streak.saturating_add(1);
        self.streak >= STREAK
    }

    /// Opens the circuit, or lets it stay open for longer.
    pub(super) fn open(&mut self, now: Instant) -> CircuitChange {
        let pause = self.open.map_or(FIRST, |open| (open.pause * 2).min(LONGEST));
        self.open_for(now, pause)
    }

    /// A call failed, and took so long that four more like it would be too many.
    pub(super) fn failed_slowly(&mut self, now: Instant) -> CircuitChange {
        self.streak = self.streak.saturating_add(STREAK);
        self.failed(now)
    }

    /// A call failed in a way that nothing could end, and another may as well: open at once, and for long.
    pub(super) fn failed_endlessly(&mut self, now: Instant) -> CircuitChange {
        self.streak = self.streak.saturating_add(STREAK);
        self.open_for(now, LONGEST)
    }

    fn open_for(&mut self, now: Instant, pause: Duration) -> CircuitChange {
        let opened = self.open.replace(OpenCircuit { until: now + pause, pause }).is_none();
        if opened { CircuitChange::Opened(pause) } else { CircuitChange::None }
    }

    /// Whether the circuit is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_faults_in_a_row_open_it_and_a_probe_after_the_pause_closes_it() {
        let (mut breaker, start) = (CircuitBreaker::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(breaker.failed(start), CircuitChange::None);
        }

        assert_eq!(breaker.failed(start), CircuitChange::Opened(FIRST));

        assert!(!breaker.admits(|| start + FIRST / 2), "aside");
        assert!(breaker.admits(|| start + FIRST), "the probe");
        assert_eq!(breaker.succeeded(), CircuitChange::Closed);
        assert!(breaker.admits(|| start), "back for good");
    }

    #[test]
    fn failed_probes_double_the_pause_up_to_a_limit() {
        let (mut breaker, mut now) = (CircuitBreaker::default(), Instant::now());
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
    fn what_took_too_long_opens_the_circuit_at_once() {
        let (mut slow, mut endless, now) = (CircuitBreaker::default(), CircuitBreaker::default(), Instant::now());

        assert_eq!(slow.failed_slowly(now), CircuitChange::Opened(FIRST));
        assert_eq!(endless.failed_endlessly(now), CircuitChange::Opened(LONGEST));

        assert!(!slow.admits(|| now + FIRST / 2) && slow.admits(|| now + FIRST));
        assert!(!endless.admits(|| now + LONGEST / 2) && endless.admits(|| now + LONGEST));
        assert_eq!(endless.failed_endlessly(now + LONGEST), CircuitChange::None, "it was aside before");
        assert_eq!(endless.succeeded(), CircuitChange::Closed);
    }

    #[test]
    fn a_success_between_faults_starts_the_count_anew() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..100 {
            breaker.failed(Instant::now());
            assert_eq!(breaker.succeeded(), CircuitChange::None);
        }

        assert!(!breaker.is_open());
    }
}
