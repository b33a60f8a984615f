//! Passive outlier detection: an endpoint whose responses are bad is left out for a while, longer each time.

use std::time::Duration;

use tokio::time::Instant;

use super::window::Window;
use crate::config::OutlierConfig;

/// Doublings after which an ejection is the longest in any case.
const MOST_DOUBLINGS: u32 = 20;

/// How an endpoint's work has gone.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    failures_in_a_row: u32,
    window: Option<Window>,
    /// Ejections before, less those that good time has outweighed: how often the next is doubled.
    level: u32,
    ejection: Option<Ejection>,
    pub(super) ejections: u64,
}

/// A time out, over or not.
#[derive(Clone, Debug)]
pub(super) struct Ejection {
    pub(super) since: Instant,
    pub(super) until: Instant,
    pub(super) reason: String,
}

impl Conduct {
    /// Takes how one request or tunnel went, and returns why it should be ejected, if it should.
    ///
    /// What ends during an ejection began before it, or had no other choice: it says nothing new.
    pub(super) fn record(&mut self, failed: bool, rules: &OutlierConfig, now: Instant) -> Option<String> {
        if self.ejected(now).is_some() {
            return None;
        }
        self.failures_in_a_row = if failed { self.failures_in_a_row.saturating_add(1) } else { 0 };
        let window = self.window.get_or_insert_with(|| Window::new(now));
        let (all, bad) = window.count(failed, rules.window, now);
        if !failed {
            return None;
        }
        if self.failures_in_a_row >= rules.consecutive {
            return Some(format!("{} failures in a row", self.failures_in_a_row));
        }
        (all >= rules.minimum && f64::from(bad) >= rules.rate * f64::from(all))
            .then(|| format!("{bad} of {all} failed within the window"))
    }

    /// Leaves it out from now. Returns for how long: twice as long as after the ejection before, and each stretch as
    /// long as the last ejection without another takes one doubling back.
    pub(super) fn eject(&mut self, reason: String, rules: &OutlierConfig, now: Instant) -> Duration {
        if let Some(last) = &self.ejection {
            let good = now.saturating_duration_since(last.until).as_nanos();
            let length = last.until.saturating_duration_since(last.since).as_nanos().max(1);
            self.level = self.level.saturating_sub(u32::try_from(good / length).unwrap_or(u32::MAX));
        }
        let doublings = self.level.min(MOST_DOUBLINGS);
        let length = rules.ejection.saturating_mul(2_u32.saturating_pow(doublings)).min(rules.longest);
        // Beyond the longest, more doublings would only take longer to outweigh.
        if length < rules.longest {
            self.level = doublings + 1;
        }
        self.ejection = Some(Ejection { since: now, until: now + length, reason });
        self.ejections += 1;
        self.failures_in_a_row = 0;
        self.window = None;
        length
    }

    /// The ejection that lasts, if one does.
    pub(super) fn ejected(&self, now: Instant) -> Option<&Ejection> {
        self.ejection.as_ref().filter(|ejection| ejection.until > now)
    }

    /// Forgets all but how often it was ejected.
    pub(super) fn clear(&mut self) {
        *self = Self { ejections: self.ejections, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: OutlierConfig = OutlierConfig {
        consecutive: 3,
        rate: 0.5,
        window: Duration::from_secs(10),
        minimum: 8,
        ejection: Duration::from_secs(10),
        longest: Duration::from_secs(60),
        share: 0.5,
    };

    /// `+` went well, `-` failed; the last letter's reason for an ejection.
    fn verdict(work: &str) -> Option<String> {
        let (mut conduct, now) = (Conduct::default(), Instant::now());
        let mut verdicts: Vec<_> = work.chars().map(|one| conduct.record(one == '-', &RULES, now)).collect();
        let last = verdicts.pop().flatten();
        assert!(verdicts.iter().all(Option::is_none), "too early in {work}: {verdicts:?}");
        last
    }

    #[test]
    fn failures_in_a_row_or_too_large_a_share_eject() {
        for (work, expected) in [
            ("---", Some("3 failures in a row")),
            ("--+--", None),
            ("++++++++++---", Some("3 failures in a row")),
            ("-+-+-+-", None),
            ("+-+-+-+-", Some("4 of 8 failed within the window")),
            ("++-+-+--", Some("4 of 8 failed within the window")),
            ("++++++-+--", None),
            ("-+--+-++", None),
        ] {
            assert_eq!(verdict(work).as_deref(), expected, "{work}");
        }
    }

    #[test]
    fn failures_long_ago_do_not_count() {
        let (mut conduct, mut now) = (Conduct::default(), Instant::now());

        for turn in 0..100 {
            assert_eq!(conduct.record(turn % 2 == 0, &RULES, now), None, "seven in ten seconds are too few");
            now += Duration::from_millis(1500);
        }
    }

    #[test]
    fn ejections_grow_and_shrink_back() {
        let (mut conduct, mut now) = (Conduct::default(), Instant::now());
        let steps = [(0, 10), (0, 20), (0, 40), (0, 60), (59, 60), (60, 40), (39, 60), (60, 40), (80, 20), (1000, 10)];
        let lengths = steps.map(|(good, expected)| {
            now += Duration::from_secs(good);
            let length = conduct.eject("bad".to_owned(), &RULES, now);
            now += length;
            (length.as_secs(), expected)
        });

        for (step, (length, expected)) in lengths.into_iter().enumerate() {
            assert_eq!(length, expected, "step {step} of {lengths:?}");
        }
        assert_eq!(conduct.ejections, 10);
    }

    #[test]
    fn what_ends_during_an_ejection_says_nothing() {
        let (mut conduct, now) = (Conduct::default(), Instant::now());
        conduct.eject("bad".to_owned(), &RULES, now);

        for _ in 0..100 {
            assert_eq!(conduct.record(true, &RULES, now), None);
        }

        let after = now + RULES.ejection;
        assert!(conduct.ejected(after).is_none());
        assert_eq!(conduct.record(true, &RULES, after), None, "and the count begins anew");
    }
}
