//! The numbers of one endpoint of one cluster. They belong to nobody's configuration: a reload that keeps the endpoint
//! keeps them, and a tunnel that outlives its endpoint's removal still counts here.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::Reported;

/// First pause after a failure. Doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause. Apache's flat 60 s (`retry`) is its users' complaint; here it is only reached after six failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Weight of a new first-byte time in the smoothed one: 1/8, as TCP smooths its round-trip time (RFC 6298 §2).
const SMOOTHING: f64 = 0.125;

/// Live numbers of an endpoint.
#[derive(Debug)]
pub struct Live {
    url: String,
    born: Instant,
    in_flight: AtomicU32,
    picks: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    failures: AtomicU64,
    /// f64 bits of microseconds; NaN before the first answer.
    latency: AtomicU64,
    /// The same, of the latest answer alone.
    latest: AtomicU64,
    failures_in_a_row: AtomicU32,
    /// Somebody tries it after a pause; the others wait for what comes of it.
    on_trial: AtomicBool,
    /// Milliseconds after `born` until which it is left alone; 0 when it is not.
    paused_until: AtomicU64,
    reported: Reported,
}

/// Whether an endpoint answers, as far as traffic has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No failure since its last success.
    Healthy,
    /// It failed, and is left alone for now.
    Paused,
    /// It failed, and its pause is over: one connection tries it.
    Suspect,
}

impl Standing {
    /// Word for the admin API and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Paused => "unhealthy",
            Self::Suspect => "suspect",
        }
    }
}

impl Live {
    /// An endpoint nobody has used.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            born: Instant::now(),
            in_flight: AtomicU32::new(0),
            picks: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            latency: AtomicU64::new(f64::NAN.to_bits()),
            latest: AtomicU64::new(f64::NAN.to_bits()),
            failures_in_a_row: AtomicU32::new(0),
            on_trial: AtomicBool::new(false),
            paused_until: AtomicU64::new(0),
            reported: Reported::new(Instant::now()),
        }
    }

    /// URL as configured.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leases held now: connections and requests, over all generations.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Leases ever given.
    #[must_use]
    pub fn picks(&self) -> u64 {
        self.picks.load(Relaxed)
    }

    /// Bytes sent to it.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Bytes received from it.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Failed connects and broken exchanges.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Smoothed time from choice to first byte in microseconds; NaN before the first.
    #[must_use]
    pub fn latency(&self) -> f64 {
        f64::from_bits(self.latency.load(Relaxed))
    }

    /// What it reports about itself.
    #[must_use]
    pub fn reported(&self) -> &Reported {
        &self.reported
    }

    /// Time from choice to first byte of the latest answer in microseconds; NaN before the first.
    #[must_use]
    pub fn latest(&self) -> f64 {
        f64::from_bits(self.latest.load(Relaxed))
    }

    /// Whether it may be tried at `now`.
    #[must_use]
    pub fn standing(&self, now: Instant) -> Standing {
        match self.paused_until.load(Relaxed) {
            0 => Standing::Healthy,
            until if until > self.age(now) => Standing::Paused,
            _ if self.on_trial.load(Relaxed) => Standing::Paused,
            _ => Standing::Suspect,
        }
    }

    /// Bytes flowed towards it.
    pub fn add_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Relaxed);
    }

    /// Bytes flowed from it.
    pub fn add_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Relaxed);
    }

    pub(super) fn take(&self) {
        self.in_flight.fetch_add(1, Relaxed);
        self.picks.fetch_add(1, Relaxed);
    }

    /// Claims the trial after a pause. True if this one is it. Called under the cluster's lock.
    pub(super) fn begin_trial(&self, now: Instant) -> bool {
        self.standing(now) == Standing::Suspect && !self.on_trial.swap(true, Relaxed)
    }

    /// The trial has come to something.
    pub(super) fn end_trial(&self) {
        self.on_trial.store(false, Relaxed);
    }

    pub(super) fn give_back(&self) {
        let before = self.in_flight.fetch_sub(1, Relaxed);
        debug_assert!(before > 0, "a lease was given back twice to {}", self.url);
    }

    /// It answered, `after` its choice.
    pub(super) fn succeeded(&self, after: Duration) {
        if self.paused_until.load(Relaxed) != 0 {
            tracing::info!(endpoint = %self.url, "endpoint answers again");
            self.failures_in_a_row.store(0, Relaxed);
            self.paused_until.store(0, Relaxed);
        }
        let sample = after.as_secs_f64() * 1e6;
        let old = self.latency();
        let new = if old.is_nan() { sample } else { old + SMOOTHING * (sample - old) };
        self.latency.store(new.to_bits(), Relaxed);
        self.latest.store(sample.to_bits(), Relaxed);
    }

    /// It could not be reached: leave it alone for a while that doubles each time. Returns the pause if it begins now.
    pub(super) fn unreachable(&self, now: Instant) -> Option<Duration> {
        self.failed();
        // Many connections that fail together are one failure: the pause has not had its effect yet.
        if self.paused_until.load(Relaxed) > self.age(now) {
            return None;
        }
        let row = self.failures_in_a_row.fetch_add(1, Relaxed).min(6);
        let pause = (FIRST_PAUSE * 2_u32.pow(row)).min(LONGEST_PAUSE);
        self.paused_until.store(self.age(now + pause).max(1), Relaxed);
        Some(pause)
    }

    /// What failures have led to is forgotten: it is tried as if it had never failed. Counts stay.
    pub fn reset(&self) {
        self.failures_in_a_row.store(0, Relaxed);
        self.paused_until.store(0, Relaxed);
    }

    /// An exchange broke. It is counted, but says too little to pause an endpoint for.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// Milliseconds from birth to `at`.
    fn age(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pause_doubles_from_one_second_to_sixty() {
        let live = Live::new("ws://192.0.2.1:80");
        let mut now = Instant::now();
        let mut pauses = vec![];
        for _ in 0..8 {
            live.unreachable(now);
            let start = now;
            while live.standing(now) == Standing::Paused {
                now += Duration::from_millis(500);
            }
            pauses.push((now - start).as_secs());
        }

        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_one_burst_pause_once() {
        let live = Live::new("ws://192.0.2.1:80");
        let now = Instant::now();

        for _ in 0..100 {
            live.unreachable(now);
        }

        assert_eq!(live.standing(now + Duration::from_secs(1)), Standing::Suspect);
        assert_eq!(live.failures(), 100);
        live.succeeded(Duration::from_millis(1));
        assert_eq!(live.standing(now), Standing::Healthy);
    }

    #[tokio::test(start_paused = true)]
    async fn one_connection_tries_an_endpoint_after_its_pause() {
        let live = Live::new("ws://192.0.2.1:80");
        let after = Instant::now() + FIRST_PAUSE;
        live.unreachable(Instant::now());

        assert!(live.begin_trial(after), "the first one");
        assert!(!live.begin_trial(after), "the others wait");
        assert_eq!(live.standing(after), Standing::Paused, "for them it is still paused");
        live.end_trial();
        assert_eq!(live.standing(after), Standing::Suspect, "a trial that came to nothing makes room for the next");
    }
}
