//! How long one call takes, by many of them on a machine that does other things as well.

use std::time::{Duration, Instant};

use serde::Serialize;

/// A batch of calls takes at least this long, so that reading the clock does not count.
const BATCH: Duration = Duration::from_micros(4);

/// Batches, and the time after which there are fewer.
const BATCHES: usize = 500;
const TIME: Duration = Duration::from_millis(400);

/// Calls and time before anything counts.
const WARM_UP: (u64, Duration) = (1_000, Duration::from_millis(100));

/// Nanoseconds of a call, over batches of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CallTimes {
    /// In the fastest batch: what the call takes.
    pub min: u64,
    /// In half of the batches at most this.
    pub median: u64,
    /// In 99 of 100 batches at most this.
    pub p99: u64,
}

impl CallTimes {
    /// Makes calls by their number until there are enough of them.
    pub(super) fn measure<E>(mut call: impl FnMut(u64) -> Result<(), E>) -> Result<Self, E> {
        let began = Instant::now();
        let mut number = 0;
        while number < 1 || (number < WARM_UP.0 && began.elapsed() < WARM_UP.1) {
            call(number)?;
            number += 1;
        }
        let each = began.elapsed().as_nanos() / u128::from(number);
        let size = u64::try_from(BATCH.as_nanos() / each.max(1)).unwrap_or(1).max(1);
        let (began, mut nanos) = (Instant::now(), Vec::with_capacity(BATCHES));
        while nanos.is_empty() || (nanos.len() < BATCHES && began.elapsed() < TIME) {
            let batch = Instant::now();
            for _ in 0..size {
                call(number)?;
                number += 1;
            }
            nanos.push(u64::try_from(batch.elapsed().as_nanos()).unwrap_or(u64::MAX) / size);
        }
        nanos.sort_unstable();
        let at = |percent: usize| nanos.get((nanos.len() - 1) * percent / 100).copied().unwrap_or(0);
        Ok(Self { min: at(0), median: at(50), p99: at(99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_numbered_and_percentiles_in_order() {
        let mut next = 0;

        let times = CallTimes::measure(|number| {
            assert_eq!(number, next);
            next += 1;
            Ok::<(), ()>(())
        });

        let times = times.unwrap();
        assert!(times.min <= times.median && times.median <= times.p99, "{times:?}");
        assert_eq!(CallTimes::measure(|number| if number == 3 { Err("fails") } else { Ok(()) }), Err("fails"));
    }
}
