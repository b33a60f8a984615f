//! What all instances of one plugin name share, and what outlives its swaps: counters, token buckets, metrics, and
//! the allowance for its log.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;

use super::buckets::{Refill, TokenBuckets};
use super::counters::RetiredTotals;
use super::own_metrics::{Measurement, NotMeasured, OwnMetrics};
use super::secrets::SecretMasks;
use super::status::MeasuredSeries;
use crate::clock::Clock;
use crate::telemetry::filter;

/// Keys of `counters`, and bytes of one; from the contract.
const COUNTER_KEYS: usize = 1024;
const COUNTER_KEY_BYTES: usize = 256;

/// Lines a second in the log; from the contract.
const LINES: u32 = 64;

/// Shared by every instance of a plugin name.
#[derive(Debug)]
pub(super) struct PluginShared {
    /// Name of the plugin, as configured.
    pub(super) name: Arc<str>,
    /// What its instances read, and draw random numbers from.
    pub(super) clock: Clock,
    /// Level of its lines, if the log's filter names the plugin.
    pub(super) level: Option<LevelFilter>,
    /// Whether this is a copy for a trial: nothing is logged, and what is counted is forgotten.
    pub(super) is_scratch: bool,
    counters: Mutex<HashMap<String, f64>>,
    buckets: Mutex<TokenBuckets>,
    metrics: Mutex<OwnMetrics>,
    log: Mutex<LogAllowance>,
    /// Why the last file for this name was refused.
    pub(super) refusal: Mutex<Option<String>>,
    /// Whether the log says that it asked for columns where there are none.
    pub(super) warned_of_columns: AtomicBool,
    /// Whether the log says that it measures what is not kept.
    pub(super) warned_of_metrics: AtomicBool,
    /// What its artifacts had counted when they were dropped.
    pub(super) retired: Arc<RetiredTotals>,
    /// What is taken out of whatever it writes, in trials too.
    pub(super) masks: Arc<SecretMasks>,
}

impl PluginShared {
    pub(super) fn new(name: Arc<str>, clock: Clock) -> Self {
        Self {
            level: filter::level_of(&name),
            name,
            clock,
            is_scratch: false,
            counters: Mutex::default(),
            buckets: Mutex::default(),
            metrics: Mutex::default(),
            log: Mutex::default(),
            refusal: Mutex::default(),
            warned_of_columns: AtomicBool::new(false),
            warned_of_metrics: AtomicBool::new(false),
            retired: Arc::default(),
            masks: Arc::default(),
        }
    }

    /// An empty copy for a trial (self-test, description): no effect of it reaches those that serve.
    pub(super) fn scratch(&self) -> Self {
        let masks = Arc::clone(&self.masks);
        Self { is_scratch: true, masks, ..Self::new(Arc::clone(&self.name), self.clock.clone()) }
    }

    /// A copy for the probe of an instance that serves, which goes by what was counted so far.
    pub(super) fn scratch_with_counters(&self) -> Self {
        let counters = Mutex::new(self.counters.lock().clone());
        Self { counters, ..self.scratch() }
    }

    /// Takes a token from the bucket of `key`: 0, or the milliseconds until there is one.
    pub(super) fn take(&self, key: &str, refill: Refill) -> u32 {
        let mut buckets = self.buckets.lock();
        // Read under the lock: times that a bucket sees never go back.
        buckets.take(key, refill, self.clock.elapsed())
    }

    /// Adds to a series of the plugin's own metrics.
    ///
    /// # Errors
    /// If nothing is kept; that is counted.
    pub(super) fn measure(&self, measurement: Measurement<'_>, label: &str) -> Result<(), NotMeasured> {
        let label = self.masks.mask(label);
        self.metrics.lock().measure(measurement, &label)
    }

    /// Its own metrics so far, and how many measurements were not kept.
    pub(super) fn measured(&self) -> (Vec<MeasuredSeries>, u64) {
        let metrics = self.metrics.lock();
        (metrics.all().collect(), metrics.dropped())
    }

    /// Adds and returns the new value; none for a key that is too long or one too many, and for a sum that is not
    /// finite.
    pub(super) fn add(&self, key: String, delta: f64) -> Option<f64> {
        if key.len() > COUNTER_KEY_BYTES || !delta.is_finite() {
            return None;
        }
        let mut counters = self.counters.lock();
        if let Some(value) = counters.get_mut(&key) {
            let sum = Some(*value + delta).filter(|sum| sum.is_finite())?;
            *value = sum;
            return Some(sum);
        }
        if counters.len() >= COUNTER_KEYS {
            return None;
        }
        if delta != 0.0 {
            counters.insert(key, delta);
        }
        Some(delta)
    }

    /// Whether one more line may be logged.
    pub(super) fn admit_line(&self, now: Instant) -> LogAdmission {
        self.log.lock().admit(now)
    }
}

/// What becomes of a line that a plugin wants to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogAdmission {
    /// The line is logged. So many were dropped in the seconds before, which the log does not say yet.
    Kept { dropped: u64 },
    /// The line is dropped and counted.
    Dropped,
}

/// Lets a number of lines through each second, all instances of a plugin together.
#[derive(Debug, Default)]
struct LogAllowance {
    since: Option<Instant>,
    kept: u32,
    dropped: u64,
}

impl LogAllowance {
    fn admit(&mut self, now: Instant) -> LogAdmission {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            (self.since, self.kept) = (Some(now), 0);
        }
        if self.kept >= LINES {
            self.dropped += 1;
            return LogAdmission::Dropped;
        }
        self.kept += 1;
        LogAdmission::Kept { dropped: std::mem::take(&mut self.dropped) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_lines_a_second_and_the_dropped_ones_are_reported_once() {
        let (mut log, start) = (LogAllowance::default(), Instant::now());
        let kept = (0..1000).filter(|_| log.admit(start) != LogAdmission::Dropped).count();
        assert_eq!(kept, 64);

        let later = start + Duration::from_secs(1);

        assert_eq!(log.admit(later), LogAdmission::Kept { dropped: 936 });
        assert_eq!(log.admit(later), LogAdmission::Kept { dropped: 0 });
    }

    #[test]
    fn counters_stay_finite_and_are_limited_in_number_and_key_length() {
        let shared = PluginShared::new("first".into(), Clock::System);

        assert_eq!(shared.add("a".into(), f64::MAX), Some(f64::MAX));
        assert_eq!(shared.add("a".into(), f64::MAX), None, "no finite sum");
        assert_eq!(shared.add("a".into(), f64::NAN), None, "no number");
        assert_eq!(shared.add("a".into(), 0.0), Some(f64::MAX), "what was refused changed nothing");
        assert_eq!(shared.add("b".into(), 0.0), Some(0.0), "not counted yet");
        assert_eq!(shared.add("x".repeat(257), 1.0), None, "too long a key");
        for key in 0..2000 {
            shared.add(key.to_string(), 1.0);
        }
        assert_eq!(shared.add("0".into(), 0.0), Some(1.0), "reads");
        assert_eq!(shared.add("1999".into(), 1.0), None, "one key too many");
    }
}
