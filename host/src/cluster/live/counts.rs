//! What is counted of an endpoint. Relaxed: each number stands for itself.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Weight of a new first-byte time in the smoothed one: 1/8, as TCP smooths its round-trip time (RFC 6298 §2).
const SMOOTHING: f64 = 0.125;

/// Counts of one endpoint.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) in_flight: AtomicU32,
    pub(super) picks: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) failures: AtomicU64,
    /// f64 bits of microseconds; NaN before the first response.
    pub(super) latency: AtomicU64,
    /// The same, of the latest response alone.
    pub(super) latest: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            in_flight: AtomicU32::new(0),
            picks: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            latency: AtomicU64::new(f64::NAN.to_bits()),
            latest: AtomicU64::new(f64::NAN.to_bits()),
        }
    }
}

impl Counts {
    /// The endpoint responded, `after` it was chosen.
    pub(super) fn smooth(&self, after: Duration) {
        let sample = after.as_secs_f64() * 1e6;
        let old = f64::from_bits(self.latency.load(Relaxed));
        let new = if old.is_nan() { sample } else { old + SMOOTHING * (sample - old) };
        self.latency.store(new.to_bits(), Relaxed);
        self.latest.store(sample.to_bits(), Relaxed);
    }
}
