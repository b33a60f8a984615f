//! How often something went well and how often not, over the last while.

use std::time::Duration;

use tokio::time::Instant;

/// Slices of a window. The oldest leaves as a whole, so the window is exact to a tenth.
const SLICES: u32 = 10;

/// Counts over a sliding window.
#[derive(Debug)]
pub(super) struct Window {
    born: Instant,
    /// Slice of time that the newest counts belong to, from `born`.
    newest: u64,
    slices: [Slice; 10],
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    all: u32,
    failed: u32,
}

impl Window {
    pub(super) fn new(now: Instant) -> Self {
        Self { born: now, newest: 0, slices: Default::default() }
    }

    /// Counts one more, and returns how many there are and how many of them failed.
    pub(super) fn count(&mut self, failed: bool, length: Duration, now: Instant) -> (u32, u32) {
        let slice = (length / SLICES).as_nanos().max(1);
        let at = now.saturating_duration_since(self.born).as_nanos() / slice;
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        // A length that a reload made longer puts `at` back: what was counted before then stays a little longer.
        for passed in 0..at.saturating_sub(self.newest).min(u64::from(SLICES)) {
            self.slice(at - passed).clone_from(&Slice::default());
        }
        self.newest = at;
        let slice = self.slice(at);
        slice.all = slice.all.saturating_add(1);
        slice.failed = slice.failed.saturating_add(u32::from(failed));
        let sum = |number: fn(&Slice) -> u32| self.slices.iter().map(number).fold(0, u32::saturating_add);
        (sum(|slice| slice.all), sum(|slice| slice.failed))
    }

    fn slice(&mut self, at: u64) -> &mut Slice {
        let index = usize::try_from(at % u64::from(SLICES)).unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "reduced modulo the length")]
        &mut self.slices[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_no_longer_counts() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let length = Duration::from_secs(10);
        let mut window = Window::new(begin);
        for (second, failed, expected) in [
            (0, true, (1, 1)),
            (0, false, (2, 1)),
            (5, true, (3, 2)),
            (9, false, (4, 2)),
            (10, false, (3, 1)),
            (14, false, (4, 1)),
            (15, false, (4, 0)),
            (99, true, (1, 1)),
        ] {
            assert_eq!(window.count(failed, length, at(second)), expected, "after {second} s");
        }
    }

    #[test]
    fn the_shortest_window_counts_too() {
        let begin = Instant::now();
        let mut window = Window::new(begin);
        let length = Duration::from_nanos(1);

        assert_eq!(window.count(true, length, begin), (1, 1));
        assert_eq!(window.count(true, length, begin + Duration::from_secs(3600)), (1, 1));
    }
}
