//! Whether memory grows for as long as decisions are made.

use std::time::{Duration, Instant};

use super::subject::{ConformanceBounds, EndedEarly, Subject, TestResult, failed};
use crate::plugin::Artifact;

/// Decisions between two looks at the clock.
const STEP: u64 = 64;

/// Makes decisions by their number, from 0, and looks whether memory still grew in the second half of them. If it did,
/// as many are made once more: a collector of garbage comes to rest, what leaks does not.
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
    let mut before = (made.number, held());
    for round in 0..2 {
        made.go_on(before.0, time.saturating_mul(1 + round) / 2, &mut decide)?;
        let now = (made.number, held());
        if now.1 == before.1 {
            return Ok(());
        }
        if round == 1 {
            return Err(failed(format_args!(
                "memory grows for as long as decisions are made: {} bytes after {} decisions, {} after {}; free what \
                 a decision takes",
                before.1, before.0, now.1, now.0
            )));
        }
        before = now;
    }
    Ok(())
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
