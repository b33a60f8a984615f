//! Whether memory grows for as long as decisions are made.

use std::time::{Duration, Instant};

use super::subject::{ConformanceBounds, EndedEarly, Subject, TestResult, failed};
use crate::plugin::Artifact;

/// Decisions between two looks at the clock.
const STEP: u64 = 64;

/// Makes decisions by their number, from 0, and looks whether memory still grew in the second half of them. If it did,
/// as many are made once more: with a collector of garbage memory grows less and less, with a leak as before. Less than
/// half as fast is taken for a collector.
pub(super) fn look_for(
    subject: &Subject<'_>,
    artifact: &Artifact,
    mut decide: impl FnMut(u64) -> TestResult,
) -> TestResult {
    let ConformanceBounds { decisions, time } = *subject.bounds;
    let held = || {
        let status = artifact.status().into_iter().find(|status| status.role == subject.role);
        status.map_or(0, |status| status.memory)
    };
    let mut made = Decisions::default();
    made.go_on(decisions / 2, time / 2, &mut decide)?;
    let start = Sample { decisions: made.number, bytes: held() };
    made.go_on(start.decisions, time / 2, &mut decide)?;
    let middle = Sample { decisions: made.number, bytes: held() };
    if middle.bytes == start.bytes {
        return Ok(());
    }
    made.go_on(middle.decisions, time, &mut decide)?;
    let end = Sample { decisions: made.number, bytes: held() };
    if end.growth_since(middle) * 2.0 < middle.growth_since(start) {
        return Ok(());
    }
    Err(failed(format_args!(
        "memory grows for as long as decisions are made: {} bytes after {} decisions, {} after {}; free what a decision \
         takes",
        middle.bytes, middle.decisions, end.bytes, end.decisions
    )))
}

/// What the instances held after so many decisions.
#[derive(Clone, Copy)]
struct Sample {
    decisions: u64,
    bytes: usize,
}

impl Sample {
    /// Bytes for each decision.
    #[expect(clippy::cast_precision_loss, reason = "a rate that is compared with a rate")]
    fn growth_since(self, earlier: Self) -> f64 {
        let decisions = self.decisions.saturating_sub(earlier.decisions).max(1);
        self.bytes.saturating_sub(earlier.bytes) as f64 / decisions as f64
    }
}

#[derive(Default)]
struct Decisions {
    number: u64,
}

impl Decisions {
    /// So many more, or as many as fit into `time`.
    fn go_on(
        &mut self,
        count: u64,
        time: Duration,
        decide: &mut impl FnMut(u64) -> Result<(), EndedEarly>,
    ) -> TestResult {
        let (began, end) = (Instant::now(), self.number.saturating_add(count.max(1)));
        while self.number < end && (!self.number.is_multiple_of(STEP) || began.elapsed() < time) {
            decide(self.number)?;
            self.number += 1;
        }
        Ok(())
    }
}
