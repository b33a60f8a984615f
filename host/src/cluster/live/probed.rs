//! What probes have found: results counted back to back.

use tokio::time::Instant;

/// Bytes that are kept of a reason.
const LONGEST_REASON: usize = 200;

/// How many results in a row turn the tide. Apache's `hcpasses` and `hcfails`, but that a contrary result starts the
/// count anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Good ones, until it is healthy. At least 1.
    pub rise: u32,
    /// Bad ones, until it is unhealthy. At least 1.
    pub fall: u32,
}

/// Whose results count: the latest prober's alone. A result that comes in after its prober was replaced or ended is
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeTicket(u64);

/// An endpoint's probes so far.
#[derive(Debug, Default)]
pub(super) struct Probed {
    latest: u64,
    state: ProbedState,
    /// Results in a row that speak against the state.
    contrary: u32,
    pub(super) passed: u64,
    pub(super) failed: u64,
}

#[derive(Debug, Default)]
enum ProbedState {
    /// No result yet: it is used.
    #[default]
    Unknown,
    Good,
    Bad(ProbesFailed),
}

/// Why it is unhealthy.
#[derive(Debug)]
pub(super) struct ProbesFailed {
    pub(super) since: Instant,
    pub(super) reason: String,
}

impl Probed {
    /// A prober begins; what an earlier one found stays.
    pub(super) fn begin(&mut self) -> ProbeTicket {
        self.latest += 1;
        ProbeTicket(self.latest)
    }

    /// The probes end: what they found is forgotten, since no other would ever correct it.
    pub(super) fn end(&mut self) {
        self.latest += 1;
        self.state = ProbedState::Unknown;
        self.contrary = 0;
    }

    /// Takes a result; true if it makes an unhealthy endpoint healthy. The first result ever decides alone: an endpoint
    /// that never responded has no good past to weigh against it.
    pub(super) fn result(
        &mut self,
        ticket: ProbeTicket,
        result: Result<(), &str>,
        thresholds: Thresholds,
        now: Instant,
    ) -> bool {
        if ticket.0 != self.latest {
            return false;
        }
        match result {
            Ok(()) => self.passed += 1,
            Err(_) => self.failed += 1,
        }
        let needed = match (&self.state, result) {
            (ProbedState::Unknown, _) => 1,
            (ProbedState::Good, Err(_)) => thresholds.fall,
            (ProbedState::Bad(_), Ok(())) => thresholds.rise,
            (ProbedState::Good, Ok(())) | (ProbedState::Bad(_), Err(_)) => {
                self.contrary = 0;
                return false;
            }
        };
        self.contrary += 1;
        if self.contrary < needed {
            return false;
        }
        self.contrary = 0;
        let was_bad = self.verdict().is_some();
        self.state = match result {
            Ok(()) => ProbedState::Good,
            Err(reason) => ProbedState::Bad(ProbesFailed { since: now, reason: shortened(reason) }),
        };
        was_bad
    }

    /// Why it is unhealthy, if it is.
    pub(super) fn verdict(&self) -> Option<&ProbesFailed> {
        match &self.state {
            ProbedState::Bad(verdict) => Some(verdict),
            ProbedState::Unknown | ProbedState::Good => None,
        }
    }
}

fn shortened(reason: &str) -> String {
    reason.get(..reason.floor_char_boundary(LONGEST_REASON)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+` a probe that passes, `-` one that fails; `.` healthy, `x` unhealthy after each.
    fn states(results: &str, rise: u32, fall: u32) -> String {
        let mut probed = Probed::default();
        let ticket = probed.begin();
        let step = |result| {
            let result = if result == '+' { Ok(()) } else { Err("refused") };
            probed.result(ticket, result, Thresholds { rise, fall }, Instant::now());
            if probed.verdict().is_some() { 'x' } else { '.' }
        };
        results.chars().map(step).collect()
    }

    #[test]
    fn results_are_counted_back_to_back() {
        for (rise, fall, results, expected) in [
            (2, 3, "+---", "...x"),
            (2, 3, "+--+--+--", "........."),
            (2, 3, "+---+-+-++", "...xxxxxx."),
            (1, 1, "+-+-", ".x.x"),
            (2, 3, "-", "x"),
            (2, 3, "-+++---", "xx....x"),
            (3, 2, "--+++--", "xxxx..x"),
        ] {
            assert_eq!(states(results, rise, fall), expected, "rise {rise}, fall {fall}, {results}");
        }
    }

    #[test]
    fn only_the_latest_prober_is_heard() {
        let (mut probed, now) = (Probed::default(), Instant::now());
        let thresholds = Thresholds { rise: 1, fall: 1 };
        let first = probed.begin();
        probed.result(first, Err("refused"), thresholds, now);

        let second = probed.begin();
        probed.result(first, Ok(()), thresholds, now);
        assert!(probed.verdict().is_some(), "what the replaced one says late is not heard, what it said stays");
        probed.end();
        probed.result(second, Err("refused"), thresholds, now);

        assert!(probed.verdict().is_none(), "nobody would ever take it back");
    }

    #[test]
    fn a_reason_is_cut_where_a_character_ends() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ä".repeat(1000)).len(), 200);
        assert_eq!(shortened(&format!("a{}", "ä".repeat(1000))).len(), 199);
    }
}
