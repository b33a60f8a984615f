//! The pause after a failure that kept work from an endpoint: it doubles with each one in a row.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::PauseConfig;

/// Doublings after which it is the longest pause in any case: 2^30 times the shortest possible is weeks.
const MOST_DOUBLINGS: u32 = 30;

/// What an endpoint is left alone for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum PauseCause {
    /// The endpoint could not be reached.
    Unreachable,
    /// The endpoint gave a response that counts as a failure.
    Answer,
}

impl PauseCause {
    /// In words, for operators.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "it could not be reached",
            Self::Answer => "it gave an answer that counts as a failure",
        }
    }
}

/// How an endpoint's last tries went.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures_in_a_row: u32,
    pause: Option<Paused>,
    /// A request tries the endpoint after a pause; the others wait for what comes of it.
    on_trial: bool,
}

/// A pause, over or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paused {
    pub(super) since: Instant,
    pub(super) until: Instant,
    pub(super) cause: PauseCause,
}

impl Backoff {
    /// Leaves it alone for a while. None if it is already: many connections that fail together are one failure, the
    /// pause has not had its effect yet.
    pub(super) fn failed(&mut self, rules: &PauseConfig, cause: PauseCause, now: Instant) -> Option<Duration> {
        if self.pause.is_some_and(|pause| pause.until > now) {
            return None;
        }
        let doublings = self.failures_in_a_row.min(MOST_DOUBLINGS);
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        let length = rules.first.saturating_mul(2_u32.saturating_pow(doublings)).min(rules.longest);
        self.pause = Some(Paused { since: now, until: now + length, cause });
        Some(length)
    }

    /// The endpoint has responded: all is forgotten but the trial.
    pub(super) fn clear(&mut self) {
        self.failures_in_a_row = 0;
        self.pause = None;
    }

    /// Claims the trial after a pause. True if this one is it.
    pub(super) fn begin_trial(&mut self, now: Instant) -> bool {
        let is_free = self.pause.is_some_and(|pause| pause.until <= now) && !self.on_trial;
        self.on_trial |= is_free;
        is_free
    }

    /// The trial has a connection. If that was what failed, the next may try as well: its response may be long in
    /// coming. Whether the trial has come to something thereby.
    pub(super) fn connected(&mut self) -> bool {
        let told = self.pause.is_none_or(|pause| pause.cause == PauseCause::Unreachable);
        if told {
            self.end_trial();
        }
        told
    }

    /// The trial has come to something.
    pub(super) fn end_trial(&mut self) {
        self.on_trial = false;
    }

    /// The pause, if the endpoint is to be left alone: it lasts, or a request tries the endpoint already.
    pub(super) fn pausing(&self, now: Instant) -> Option<Paused> {
        self.pause.filter(|pause| pause.until > now || self.on_trial)
    }

    /// The pause that is over, if the endpoint may be tried.
    pub(super) fn suspect(&self, now: Instant) -> Option<Paused> {
        self.pause.filter(|pause| pause.until <= now && !self.on_trial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(first: u64, longest: u64, count: usize) -> Vec<u64> {
        let rules = PauseConfig { first: Duration::from_millis(first), longest: Duration::from_millis(longest) };
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        let mut pauses = vec![];
        for _ in 0..count {
            let pause = backoff.failed(&rules, PauseCause::Answer, now).unwrap();
            assert!(backoff.pausing(now + pause - Duration::from_millis(1)).is_some());
            assert!(backoff.suspect(now + pause).is_some());
            now += pause;
            pauses.push(u64::try_from(pause.as_millis()).unwrap());
        }
        pauses
    }

    #[test]
    fn pauses_double_from_the_first_to_the_longest() {
        assert_eq!(pauses(1000, 60_000, 8), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(pauses(60_000, 60_000, 3), [60_000; 3], "Apache's way");
        assert_eq!(pauses(1, 3, 40)[38..], [3, 3], "no number of failures is too large");
    }

    #[test]
    fn failures_of_one_burst_pause_once() {
        let rules = PauseConfig { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let (mut backoff, now) = (Backoff::default(), Instant::now());

        let told = (0..100).filter(|_| backoff.failed(&rules, PauseCause::Answer, now).is_some()).count();

        assert_eq!(told, 1);
        assert!(backoff.suspect(now + rules.first).is_some());
    }

    #[test]
    fn one_connection_tries_an_endpoint_after_its_pause() {
        let rules = PauseConfig { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let after = now + rules.first;
        backoff.failed(&rules, PauseCause::Answer, now);
        assert!(!backoff.begin_trial(now), "too early");

        assert!(backoff.begin_trial(after), "the first one");
        assert!(!backoff.begin_trial(after), "the others wait");
        assert!(backoff.pausing(after).is_some(), "for them it is still paused");
        backoff.end_trial();
        assert!(backoff.suspect(after).is_some(), "a trial that came to nothing makes room for the next");
    }
}
