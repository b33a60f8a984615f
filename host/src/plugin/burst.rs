//! Faults that follow each other: the first of each kind is logged in full, the others are summed up.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::{Duration, Instant};

use crate::policy::FaultKind;

/// Quiet after which the next fault is logged in full again.
const QUIET: Duration = Duration::from_secs(60);

/// Between two summaries of one burst.
const SUMMARY: Duration = Duration::from_secs(10);

/// Kinds of fault in one burst that get a line of their own: where a message holds what differs each time, every fault
/// is of a kind of its own.
const KINDS: usize = 8;

/// Faults that follow each other.
#[derive(Debug, Default)]
pub(super) struct FaultBurst {
    latest: Option<Instant>,
    logged: Option<Instant>,
    unlogged: u64,
    /// Hashes of kind and words of those that were logged in full.
    kinds: Vec<u64>,
    /// The latest fault, in words.
    pub(super) detail: Option<String>,
}

/// What the log gets of a fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FaultLine {
    /// All of it: a burst begins, or there was none like it in this one.
    Full,
    /// How many there were since the last line.
    Summary(u64),
    /// Nothing.
    Silent,
}

impl FaultBurst {
    /// One more fault, of this kind and in these words.
    pub(super) fn admit(&mut self, kind: FaultKind, detail: &str, now: Instant) -> FaultLine {
        if self.latest.is_none_or(|latest| now.saturating_duration_since(latest) >= QUIET) {
            (self.logged, self.unlogged) = (Some(now), 0);
            self.kinds.clear();
        }
        self.latest = Some(now);
        if self.is_new(kind, detail) {
            return FaultLine::Full;
        }
        self.unlogged += 1;
        if self.logged.is_some_and(|logged| now.saturating_duration_since(logged) < SUMMARY) {
            return FaultLine::Silent;
        }
        self.logged = Some(now);
        FaultLine::Summary(std::mem::take(&mut self.unlogged))
    }

    fn is_new(&mut self, kind: FaultKind, detail: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (kind.as_str(), detail).hash(&mut hasher);
        let hash = hasher.finish();
        let new = self.kinds.len() < KINDS && !self.kinds.contains(&hash);
        if new {
            self.kinds.push(hash);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_logged_once_then_summed_up_every_ten_seconds() {
        let (mut burst, start) = (FaultBurst::default(), Instant::now());
        let mut at = |seconds| burst.admit(FaultKind::Trap, "same", start + Duration::from_secs(seconds));

        assert_eq!(at(0), FaultLine::Full);
        assert_eq!(at(1), FaultLine::Silent);
        assert_eq!(at(9), FaultLine::Silent);
        assert_eq!(at(10), FaultLine::Summary(3));
        assert_eq!(at(11), FaultLine::Silent);
        assert_eq!(at(71), FaultLine::Full, "after a quiet minute");
    }

    #[test]
    fn each_kind_of_fault_in_a_burst_is_logged_in_full_and_there_are_not_many_kinds() {
        let (mut burst, now) = (FaultBurst::default(), Instant::now());
        let mut admit = |kind, detail: &str| burst.admit(kind, detail, now);

        assert_eq!(admit(FaultKind::Trap, "no zone"), FaultLine::Full);
        assert_eq!(admit(FaultKind::Trap, "no zone"), FaultLine::Silent);
        assert_eq!(admit(FaultKind::Trap, "no region"), FaultLine::Full, "in other words");
        assert_eq!(admit(FaultKind::Deadline, "no region"), FaultLine::Full, "of another kind");
        assert_eq!(admit(FaultKind::Trap, "no zone"), FaultLine::Silent);
        let full = (0..100).filter(|n| admit(FaultKind::Answer, &n.to_string()) == FaultLine::Full).count();
        assert_eq!(full, KINDS - 3);
    }
}
