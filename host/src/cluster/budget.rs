//! How many requests may be sent again, so that a failing cluster is not hit twice as hard.

use std::time::Duration;

use tokio::time::Instant;

/// Seconds that are looked back on.
const WINDOW: usize = 10;
/// Repetitions in one second that are always allowed: a share of few requests is none.
const MINIMUM: u64 = 10;

/// A share of the requests of the last ten seconds, in steps of one second; ten in a second are always allowed (finagle
/// and linkerd allow the same).
///
/// The budget is asked only when something failed, and is given then how many requests there have been so far: requests
/// that go well cost nothing here. What came before the first question of a window is not known, and not counted.
#[derive(Debug)]
pub(super) struct Budget {
    share: f64,
    /// The oldest second first; only those in which a repetition was asked for.
    seconds: Vec<Second>,
}

#[derive(Debug)]
struct Second {
    begin: Instant,
    /// Attempts ever made, when it began.
    attempts: u64,
    /// Of those since, repetitions.
    spent: u64,
    /// And those that were given up after the choice.
    in_vain: u64,
}

impl Budget {
    /// `share` is 0 to 1.
    #[must_use]
    pub(super) fn new(share: f64) -> Self {
        Self { share, seconds: Vec::new() }
    }

    /// Whether one more request may be sent again at `now`, of `attempts` ever made, repetitions included.
    pub(super) fn allows(&mut self, now: Instant, attempts: u64) -> bool {
        let window = Duration::from_secs(WINDOW as u64);
        self.seconds.retain(|second| now.saturating_duration_since(second.begin) < window);
        let current = self.seconds.last();
        if current.is_none_or(|second| now.saturating_duration_since(second.begin) >= Duration::from_secs(1)) {
            self.seconds.push(Second { begin: now, attempts, spent: 0, in_vain: 0 });
        }
        let spent: u64 = self.seconds.iter().map(|second| second.spent).sum();
        let in_vain: u64 = self.seconds.iter().map(|second| second.in_vain).sum();
        let before = self.seconds.first().map_or(attempts, |second| second.attempts);
        let requests = attempts.saturating_sub(before).saturating_sub(spent + in_vain);
        #[expect(clippy::cast_precision_loss, reason = "a window has fewer than 2^53 requests")]
        let within = (spent + 1) as f64 <= requests as f64 * self.share;
        within || self.seconds.last().is_some_and(|second| second.spent < MINIMUM)
    }

    /// The same for a repetition whose endpoint is chosen, which is among `attempts` already; counts it.
    pub(super) fn spend(&mut self, now: Instant, attempts: u64) -> bool {
        let allowed = self.allows(now, attempts.saturating_sub(1));
        if let Some(current) = self.seconds.last_mut() {
            if allowed {
                current.spent += 1;
            } else {
                current.in_vain += 1;
            }
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a repetition of every request; how many are allowed in each second.
    fn storm(budget: &mut Budget, rates: &[u64]) -> Vec<u64> {
        let begin = Instant::now();
        let mut attempts = 0;
        let mut allowed = Vec::new();
        for (second, rate) in (0_u64..).zip(rates) {
            let mut now = 0;
            for request in 0..*rate {
                // The request, and the choice of another endpoint.
                attempts += 2;
                let at = begin + Duration::from_secs(second) + Duration::from_micros(request * 1_000_000 / rate);
                now += u64::from(budget.spend(at, attempts));
            }
            allowed.push(now);
        }
        allowed
    }

    #[test]
    fn a_storm_is_repeated_up_to_its_share() {
        let allowed = storm(&mut Budget::new(0.2), &[1000; 30]);

        let total: u64 = allowed.iter().sum();
        assert!((5_900..=6_300).contains(&total), "a fifth of 30,000, not {total}: {allowed:?}");
        assert!(allowed.iter().all(|second| *second <= 400), "no second is hit much harder: {allowed:?}");
    }

    #[test]
    fn few_requests_are_always_repeated_and_ten_in_a_second_too() {
        assert_eq!(storm(&mut Budget::new(0.0), &[3, 10, 100, 0, 1000]), [3, 10, 10, 0, 10]);
    }

    #[test]
    fn requests_that_went_well_make_room() {
        let mut budget = Budget::new(0.2);
        let now = Instant::now();
        for _ in 0..MINIMUM {
            assert!(budget.spend(now, 101));
        }
        assert!(!budget.allows(now, 110), "nothing is known of earlier requests");
        assert!(!budget.allows(now, 110), "asking costs nothing");

        let more = now + Duration::from_millis(500);
        let allowed = (1..=400).filter(|choices| budget.spend(more, 1110 + choices)).count();

        assert!((185..=195).contains(&allowed), "a fifth of a thousand, less what was spent: {allowed}");
    }

    #[test]
    fn what_was_spent_is_forgotten_after_the_window_and_nothing_grows() {
        let mut budget = Budget::new(1.0);
        let begin = Instant::now();
        for second in 0..1000 {
            budget.spend(begin + Duration::from_secs(second), second);
            assert!(budget.seconds.len() <= WINDOW);
        }
    }
}
