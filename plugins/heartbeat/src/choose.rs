//! Apache's `heartbeat` (mod_lbmethod_heartbeat, 2.4): chance in proportion to the ready slots that endpoints report.

use tidegate_parts::{Dice, Turns};

/// More slots than this count as this many: one absurd report must not swallow the others.
const MOST_SLOTS: f64 = 1e6;

/// Generator, and turns for when nobody reports.
#[derive(Debug)]
pub struct Chooser {
    /// What is drawn with.
    pub dice: Dice,
    turns: Turns,
}

/// An endpoint that may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Id of the endpoint.
    pub id: u32,
    /// Connections and requests that the gateway has in flight there.
    pub busy: u32,
    /// Ready slots that it reports; NaN if it reports nothing.
    pub ready: f64,
    /// Busy slots that it reports.
    pub reported_busy: f64,
}

impl Candidate {
    /// Its share of the chance. A server with nothing to do and many ready slots has likely just started: a quarter of
    /// them count, so that it is not flooded (as Apache does).
    fn slots(&self) -> f64 {
        let ready = self.ready.clamp(0.0, MOST_SLOTS);
        if self.reported_busy == 0.0 { ready / 4.0 } else { ready }
    }
}

impl Chooser {
    /// Weights in hundredths, by id; they count only while nobody reports.
    pub fn new(weights: impl IntoIterator<Item = u32>, dice: Dice) -> Self {
        Self { dice, turns: Turns::new(weights) }
    }

    /// Draws among those that report ready slots. If all that report are full, the least busy of them; if nobody
    /// reports, the least busy of all.
    pub fn pick(&mut self, candidates: &[Candidate]) -> Option<u32> {
        let reporting = || candidates.iter().filter(|candidate| !candidate.ready.is_nan());
        let drawn = self.dice.draw(reporting().map(|candidate| (candidate.id, candidate.slots())));
        drawn.or_else(|| self.least_busy(reporting())).or_else(|| self.least_busy(candidates.iter()))
    }

    fn least_busy<'a>(&mut self, candidates: impl Iterator<Item = &'a Candidate>) -> Option<u32> {
        let (ids, busy): (Vec<u32>, Vec<u32>) = candidates.map(|candidate| (candidate.id, candidate.busy)).unzip();
        self.turns.least_busy(&ids, &busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: f64 = f64::NAN;

    /// Shares of 10,000 picks by id, in per cent.
    fn shares(reports: &[(f64, f64)]) -> Vec<u32> {
        let mut chooser = Chooser::new(vec![100; reports.len()], Dice::new(["a", "b"].into_iter()));
        let candidates: Vec<_> = (0..)
            .zip(reports)
            .map(|(id, &(ready, reported_busy))| Candidate { id, busy: 0, ready, reported_busy })
            .collect();
        let mut found = vec![0_u32; reports.len()];
        for _ in 0..10_000 {
            found[chooser.pick(&candidates).unwrap() as usize] += 1;
        }
        found.iter().map(|found| (found + 50) / 100).collect()
    }

    #[test]
    fn chance_follows_ready_slots() {
        type Case = (&'static [(f64, f64)], &'static [u32]);
        let table: &[Case] = &[
            (&[(10.0, 1.0), (30.0, 5.0)], &[25, 75]),
            (&[(40.0, 0.0), (30.0, 5.0)], &[25, 75]), // 40 / 4: it has just started
            (&[(40.0, UNKNOWN), (40.0, 1.0)], &[50, 50]),
            (&[(UNKNOWN, UNKNOWN), (1.0, 1.0)], &[0, 100]),
            (&[(0.0, 9.0), (1.0, 1.0)], &[0, 100]),
            (&[(-5.0, 9.0), (1.0, 1.0)], &[0, 100]),
            (&[(f64::INFINITY, 1.0), (1e300, 1.0)], &[50, 50]),
        ];

        for (reports, expected) in table {
            let found = shares(reports);
            let close = found.iter().zip(*expected).all(|(found, expected)| found.abs_diff(*expected) <= 2);
            assert!(close, "{reports:?}: {found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn least_busy_where_reports_say_nothing() {
        let mut chooser = Chooser::new([100, 100, 100], Dice::new(std::iter::empty()));
        let candidate = |id, busy, ready| Candidate { id, busy, ready, reported_busy: 1.0 };

        let nobody_reports = [candidate(0, 2, UNKNOWN), candidate(1, 1, UNKNOWN), candidate(2, 3, UNKNOWN)];
        let all_are_full = [candidate(0, 2, 0.0), candidate(1, 1, UNKNOWN), candidate(2, 3, 0.0)];

        assert_eq!(chooser.pick(&nobody_reports), Some(1));
        assert_eq!(chooser.pick(&all_are_full), Some(0), "who reports is alive, who does not may be gone");
        assert_eq!(chooser.pick(&[]), None);
    }
}
