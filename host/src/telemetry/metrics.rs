//! Numbers about the gateway: cheap to raise, summed at a scrape.
//!
//! ```text
//! worker 0 ──▶ shard 0 ─┐
//! worker 1 ──▶ shard 1 ─┼─▶ sum at scrape      (a shard is one thread's own cache lines)
//! others   ──▶ shard n ─┘
//! ```

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::counters::{Counter, Gauge, RequestProtocol};
use super::names::DURATION_BOUNDS;
use super::samples::Samples;

static NEXT_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Threads take turns: workers start together, so each has a shard of its own. Sharing one costs speed, not counts.
    static THREAD: usize = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
}

type SampleSource = Box<dyn Fn(&mut Samples) + Send + Sync>;

/// All numbers of this process.
pub struct Metrics {
    shards: Box<[Shard]>,
    generation: AtomicU64,
    sources: Mutex<Vec<SampleSource>>,
}

#[repr(align(128))]
struct Shard {
    counters: [AtomicU64; Counter::ALL.len()],
    gauges: [AtomicU64; Gauge::ALL.len()],
    buckets: [AtomicU64; DURATION_BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            counters: [const { AtomicU64::new(0) }; Counter::ALL.len()],
            gauges: [const { AtomicU64::new(0) }; Gauge::ALL.len()],
            buckets: [const { AtomicU64::new(0) }; DURATION_BOUNDS.len() + 1],
            micros: AtomicU64::new(0),
        }
    }
}

/// Durations by size, as summed.
pub(super) struct Durations {
    pub(super) micros: u64,
    pub(super) buckets: Vec<u64>,
}

impl Metrics {
    /// Numbers for a gateway of so many workers.
    #[must_use]
    pub fn new(workers: NonZeroUsize) -> Arc<Self> {
        // Twice, because the main thread and helpers take turns too.
        let shards = workers.get().saturating_mul(2).next_power_of_two();
        Arc::new(Self {
            shards: std::iter::repeat_with(Shard::default).take(shards).collect(),
            generation: AtomicU64::new(0),
            sources: Mutex::default(),
        })
    }

    /// Raises a counter by one.
    pub fn increment(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Raises a counter.
    pub fn add(&self, counter: Counter, by: u64) {
        if let Some(slot) = self.mine().and_then(|shard| shard.counters.get(counter as usize)) {
            slot.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Raises a gauge by one until the guard is dropped, on whatever thread.
    pub fn hold(self: &Arc<Self>, gauge: Gauge) -> GaugeGuard {
        self.shift(gauge, 1);
        GaugeGuard { metrics: Arc::clone(self), gauge }
    }

    /// Counts a finished request: its class of status by what it came by, and its duration.
    pub fn request(&self, status: u16, protocol: RequestProtocol, duration: Duration) {
        self.increment(Counter::for_status(status, protocol));
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = DURATION_BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(DURATION_BOUNDS.len());
        if let Some(shard) = self.mine() {
            shard.micros.fetch_add(micros, Ordering::Relaxed);
            if let Some(slot) = shard.buckets.get(bucket) {
                slot.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Sets the number of the live generation.
    pub fn set_generation(&self, number: u64) {
        self.generation.store(number, Ordering::Relaxed);
    }

    /// Asks `source` for more samples at each scrape, for as long as this lives. It must not add sources itself.
    pub fn add_source(&self, source: impl Fn(&mut Samples) + Send + Sync + 'static) {
        self.sources.lock().push(Box::new(source));
    }

    /// A counter over all workers.
    #[must_use]
    pub fn total(&self, counter: Counter) -> u64 {
        self.sum(|shard| shard.counters.get(counter as usize))
    }

    /// A gauge over all workers. One that was raised here and lowered there is right in the sum only.
    #[must_use]
    pub fn level(&self, gauge: Gauge) -> u64 {
        self.sum(|shard| shard.gauges.get(gauge as usize))
    }

    /// The number of the live generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    pub(super) fn durations(&self) -> Durations {
        let buckets = (0..=DURATION_BOUNDS.len()).map(|index| self.sum(|shard| shard.buckets.get(index))).collect();
        Durations { micros: self.sum(|shard| Some(&shard.micros)), buckets }
    }

    pub(super) fn collect(&self, samples: &mut Samples) {
        for source in self.sources.lock().iter() {
            source(samples);
        }
    }

    fn shift(&self, gauge: Gauge, by: i64) {
        if let Some(slot) = self.mine().and_then(|shard| shard.gauges.get(gauge as usize)) {
            // Wraps below zero in one shard when another raised it; the sum wraps back.
            slot.fetch_add(by.cast_unsigned(), Ordering::Relaxed);
        }
    }

    fn mine(&self) -> Option<&Shard> {
        // The length is a power of two, so the mask takes turns over all shards.
        let mask = self.shards.len().wrapping_sub(1);
        self.shards.get(THREAD.with(|thread| *thread) & mask)
    }

    fn sum<'a>(&'a self, slot: impl Fn(&'a Shard) -> Option<&'a AtomicU64>) -> u64 {
        self.shards.iter().filter_map(slot).map(|slot| slot.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// Keeps a gauge up; lowers it when dropped.
#[must_use]
#[derive(Debug)]
pub struct GaugeGuard {
    metrics: Arc<Metrics>,
    gauge: Gauge,
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.metrics.shift(self.gauge, -1);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn metrics() -> Arc<Metrics> {
        Metrics::new(NonZeroUsize::new(3).unwrap())
    }

    #[test]
    fn every_counter_has_its_slot() {
        for (index, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(*counter as usize, index, "{counter:?} is out of order");
        }
        for (index, gauge) in Gauge::ALL.iter().enumerate() {
            assert_eq!(*gauge as usize, index, "{gauge:?} is out of order");
        }
    }

    #[test]
    fn totals_sum_over_workers() {
        let metrics = metrics();

        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| metrics.increment(Counter::TunnelOpened)));
            }
        });
        metrics.add(Counter::TunnelBytesToClient, 5);

        assert_eq!(metrics.total(Counter::TunnelOpened), 8000);
        assert_eq!(metrics.total(Counter::TunnelBytesToClient), 5);
    }

    #[test]
    fn a_gauge_lowered_on_another_thread_is_right_in_the_sum() {
        let metrics = metrics();
        let (first, second) = (metrics.hold(Gauge::TunnelsOpen), metrics.hold(Gauge::TunnelsOpen));

        thread::spawn(move || drop(first)).join().unwrap();

        assert_eq!(metrics.level(Gauge::TunnelsOpen), 1);
        drop(second);
        assert_eq!(metrics.level(Gauge::TunnelsOpen), 0);
    }

    #[test]
    fn durations_fall_into_their_buckets() {
        let metrics = metrics();
        for millis in [1, 2, 60_000] {
            metrics.request(200, RequestProtocol::Http1, Duration::from_millis(millis));
        }

        let durations = metrics.durations();

        assert_eq!(durations.buckets, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(durations.micros, 60_003_000);
        assert_eq!(metrics.total(Counter::Status2xx), 3);
    }
}
