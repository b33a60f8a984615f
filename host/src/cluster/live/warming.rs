//! Slow start: an endpoint that has just come or come back is offered a share of the picks that grows in a straight
//! line.

use std::time::Duration;

use tokio::time::Instant;

/// An endpoint that has just come.
#[derive(Debug)]
pub(super) struct Warming {
    since: Instant,
    /// Picks that it has a right to; each that it is offered takes 1. No dice: the offers are spread as evenly as they
    /// can.
    credit: f64,
}

impl Warming {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, credit: 0.0 }
    }

    /// Whether it is offered this pick. None: it is warm, and need not be asked any more.
    pub(super) fn is_offered(&mut self, length: Duration, now: Instant) -> Option<bool> {
        let share = now.saturating_duration_since(self.since).as_secs_f64() / length.as_secs_f64();
        // Not `>=`: a length of zero makes a share of infinity, or none at all.
        if share.is_nan() || share >= 1.0 {
            return None;
        }
        self.credit += share;
        let is_offered = self.credit >= 1.0;
        if is_offered {
            self.credit -= 1.0;
        }
        Some(is_offered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers out of 1,000 picks at this second of a slow start of 100 s.
    fn offers(second: u64) -> usize {
        let begin = Instant::now();
        let mut warming = Warming::new(begin);
        let now = begin + Duration::from_secs(second);
        (0..1000).filter(|_| warming.is_offered(Duration::from_secs(100), now).unwrap_or(true)).count()
    }

    #[test]
    fn the_share_grows_in_a_straight_line() {
        for (second, expected) in
            [(0, 0), (1, 10), (10, 100), (25, 250), (50, 500), (99, 990), (100, 1000), (500, 1000)]
        {
            let offers = offers(second);
            assert!(offers.abs_diff(expected) <= 1, "{offers} of 1000 at {second} %, expected {expected}");
        }
    }

    #[test]
    fn offers_are_spread_evenly() {
        let begin = Instant::now();
        let mut warming = Warming::new(begin);
        let quarter = begin + Duration::from_secs(25);

        let offers: Vec<_> = (0..8).map(|_| warming.is_offered(Duration::from_secs(100), quarter)).collect();

        let (no, yes) = (Some(false), Some(true));
        assert_eq!(offers, [no, no, no, yes, no, no, no, yes]);
    }

    #[test]
    fn without_a_length_it_is_warm_at_once() {
        let begin = Instant::now();
        assert_eq!(Warming::new(begin).is_offered(Duration::ZERO, begin), None);
    }
}
