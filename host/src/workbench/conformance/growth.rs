//! Whether memory grows for as long as decisions are made.

use std::time::{Duration, Instant};

use super::subject::{ConformanceBounds, EndedEarly, Subject, TestResult, failed};
use crate::plugin::Artifact;

/// Decisions between two looks at the clock.
const STEP: u64 = 64;

/// Makes decisions by their number, from 0, and looks whether memory still grew in the second half of them. If it did,
/// as many are made once more: with a collector of garbage memory grows less and less, with a leak as before. Less than
/// half as fast is taken for a collector. A leak that soon reaches the limit grows no more: there, growth was denied.
pub(super) fn look_for(
    subject: &Subject<'_>,
    artifact: &Artifact,
    mut decide: impl FnMut(u64) -> TestResult,
) -> TestResult {
    let ConformanceBounds { decisions, time } = *subject.bounds;
    let mut made = Decisions::default();
    let mut first: Option<Sample> = None;
    let mut sample_after = |count: u64, time: Duration| {
        made.go_on(count, time, &mut decide)?;
        let (bytes, denials) =
            artifact.role_status(subject.role).map_or((0, 0), |status| (status.memory, status.denials));
        let now = Sample { decisions: made.number, bytes, denials };
        let first = *first.get_or_insert(now);
        if now.denials > first.denials { Err(first.grows_until(now, " and is denied more")) } else { Ok(now) }
    };
    let first = sample_after(STEP, time / 2)?;
    let start = sample_after((decisions / 2).saturating_sub(first.decisions), time / 2)?;
    let middle = sample_after(start.decisions, time / 2)?;
    if middle.bytes == start.bytes {
        return Ok(());
    }
    let end = sample_after(middle.decisions, time)?;
    if end.growth_since(middle) * 2.0 < middle.growth_since(start) {
        return Ok(());
    }
    Err(middle.grows_until(end, ""))
}

/// What the instances held after so many decisions.
#[derive(Clone, Copy)]
struct Sample {
    decisions: u64,
    bytes: usize,
    denials: u64,
}

impl Sample {
    fn grows_until(self, end: Self, denied: &str) -> EndedEarly {
        failed(format_args!(
            "memory grows for as long as decisions are made{denied}: {} bytes after {} decisions, {} after {}; free what \
             a decision takes",
            self.bytes, self.decisions, end.bytes, end.decisions
        ))
    }

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
