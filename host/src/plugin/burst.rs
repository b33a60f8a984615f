//! Faults that follow each other: the first is logged in full, the others are summed up.

use std::time::{Duration, Instant};

/// Quiet after which the next fault is logged in full again.
const QUIET: Duration = Duration::from_secs(60);

/// Between two summaries of one burst.
const SUMMARY: Duration = Duration::from_secs(10);

/// Faults that follow each other.
#[derive(Debug, Default)]
pub(super) struct FaultBurst {
    latest: Option<Instant>,
    logged: Option<Instant>,
    unlogged: u64,
    /// The latest fault, in words.
    pub(super) detail: Option<String>,
}

/// What the log gets of a fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FaultLine {
    /// All of it: a burst begins.
    Full,
    /// How many there were since the last line.
    Summary(u64),
    /// Nothing.
    Silent,
}

impl FaultBurst {
    /// One more fault.
    pub(super) fn admit(&mut self, now: Instant) -> FaultLine {
        let began = self.latest.is_none_or(|latest| now.saturating_duration_since(latest) >= QUIET);
        self.latest = Some(now);
        if began {
            (self.logged, self.unlogged) = (Some(now), 0);
            return FaultLine::Full;
        }
        self.unlogged += 1;
        if self.logged.is_some_and(|logged| now.saturating_duration_since(logged) < SUMMARY) {
            return FaultLine::Silent;
        }
        self.logged = Some(now);
        FaultLine::Summary(std::mem::take(&mut self.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_logged_once_then_summed_up_every_ten_seconds() {
        let (mut burst, start) = (FaultBurst::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);

        assert_eq!(burst.admit(at(0)), FaultLine::Full);
        assert_eq!(burst.admit(at(1)), FaultLine::Silent);
        assert_eq!(burst.admit(at(9)), FaultLine::Silent);
        assert_eq!(burst.admit(at(10)), FaultLine::Summary(3));
        assert_eq!(burst.admit(at(11)), FaultLine::Silent);
        assert_eq!(burst.admit(at(71)), FaultLine::Full, "after a quiet minute");
    }
}
