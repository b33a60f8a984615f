//! What is observed of one endpoint of one cluster. It belongs to no configuration: a reload that keeps the endpoint
//! keeps it, and a tunnel that outlives its endpoint's removal still counts here.
//!
//! ```text
//! leases ──▶ counts                           (atomics)
//! leases, probes ──▶ condition ──▶ Health   (a short lock, left alone while all is well)
//! ```

mod backoff;
mod condition;
mod counts;
mod health;
mod outlier;
mod probed;
mod warming;
mod window;
mod work;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Reported;
use crate::clock::Clock;
use crate::config::{OutlierConfig, PauseConfig};
pub(super) use backoff::PauseCause;
use condition::Condition;
use counts::Counts;
pub use health::{Health, HealthReport};
pub use probed::{ProbeTicket, Thresholds};

/// What is observed of an endpoint.
#[derive(Debug)]
pub struct Live {
    clock: Clock,
    cluster: String,
    url: String,
    counts: Counts,
    reported: Reported,
    condition: Mutex<Condition>,
    /// It is not plainly healthy: the condition must be asked.
    impaired: AtomicBool,
    /// It is in a slow start, if its cluster has one: the condition must be asked.
    warming: AtomicBool,
}

impl Live {
    /// An endpoint that has not been used, of no cluster that has a name.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self::of("", url, Clock::System)
    }

    /// An endpoint that has not been used. `cluster` is for the log.
    #[must_use]
    pub fn of(cluster: &str, url: &str, clock: Clock) -> Self {
        let now = clock.now();
        Self {
            clock,
            cluster: cluster.to_owned(),
            url: url.to_owned(),
            counts: Counts::default(),
            reported: Reported::new(now),
            condition: Mutex::new(Condition::new(now)),
            impaired: AtomicBool::new(false),
            warming: AtomicBool::new(false),
        }
    }

    /// The time by which the endpoint is judged.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// URL as configured.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it reports about itself.
    #[must_use]
    pub fn reported(&self) -> &Reported {
        &self.reported
    }

    /// Whether it is given work at `now`. Cheap while all is well.
    #[must_use]
    pub fn health(&self, now: Instant) -> Health {
        if !self.impaired.load(Relaxed) {
            return Health::Healthy;
        }
        self.update(now, |condition| condition.noticed())
    }

    /// The same, with since when and why.
    #[must_use]
    pub fn report(&self, now: Instant) -> HealthReport {
        self.update(now, |condition| condition.report(now))
    }

    /// Whether it may be given work at `now` while others are there.
    #[must_use]
    pub fn admits(&self, now: Instant) -> bool {
        self.health(now).admits()
    }

    /// Whether an endpoint that may be given work is offered this pick: in a slow start of `length`, only a growing
    /// share.
    #[must_use]
    pub fn is_offered(&self, length: Duration, now: Instant) -> bool {
        !self.warming.load(Relaxed) || self.update(now, |condition| condition.is_offered(length, now))
    }

    /// Begins a slow start: it is new in a cluster that has served already.
    pub fn warm_up(&self, now: Instant) {
        self.update(now, |condition| condition.warm_up(now));
    }

    /// Forgets pauses and ejections, as an operator may ask for.
    pub fn reset(&self, now: Instant) {
        self.update(now, Condition::reset);
    }

    /// A prober begins; results of the one before are no longer taken.
    #[must_use]
    pub fn begin_probes(&self, now: Instant) -> ProbeTicket {
        self.update(now, |condition| condition.probed.begin())
    }

    /// The probes end: what they found is forgotten, for no other would ever correct it.
    pub fn end_probes(&self, now: Instant) {
        self.update(now, |condition| condition.probed.end());
    }

    /// A probe has passed, or failed for this reason.
    pub fn probed(&self, ticket: ProbeTicket, result: Result<(), &str>, thresholds: Thresholds, now: Instant) {
        self.update(now, |condition| condition.probed(ticket, result, thresholds, now));
    }

    /// Probes that passed and that failed.
    #[must_use]
    pub fn probes(&self) -> (u64, u64) {
        let condition = self.condition.lock();
        (condition.probed.passed, condition.probed.failed)
    }

    /// How often it was ejected.
    #[must_use]
    pub fn ejections(&self) -> u64 {
        self.condition.lock().conduct.ejections
    }

    /// Claims the trial after a pause. True if this one is it. Called under the cluster's lock.
    pub(super) fn begin_trial(&self, now: Instant) -> bool {
        self.impaired.load(Relaxed) && self.update(now, |condition| condition.backoff.begin_trial(now))
    }

    /// The trial has a connection. Whether it has come to something thereby.
    pub(super) fn connected(&self, now: Instant) -> bool {
        self.update(now, |condition| condition.backoff.connected())
    }

    /// The trial has come to something.
    pub(super) fn end_trial(&self, now: Instant) {
        self.update(now, |condition| condition.backoff.end_trial());
    }

    /// The endpoint responded, `after` it was chosen.
    pub(super) fn succeeded(&self, after: Duration, now: Instant) {
        self.counts.smooth(after);
        if self.impaired.load(Relaxed) {
            self.update(now, |condition| condition.backoff.clear());
        }
    }

    /// Leaves it alone for a while that doubles each time. Returns the pause if it begins now.
    pub(super) fn pause(&self, rules: &PauseConfig, cause: PauseCause, now: Instant) -> Option<Duration> {
        self.update(now, |condition| condition.failed(rules, cause, now))
    }

    /// How a piece of work went; why it should be ejected, if it should.
    pub(super) fn record(&self, failed: bool, rules: &OutlierConfig, now: Instant) -> Option<String> {
        self.update(now, |condition| condition.record(failed, rules, now))
    }

    /// Leaves it out for a while, but once for many failures at once.
    pub(super) fn eject(&self, reason: String, rules: &OutlierConfig, now: Instant) {
        self.update(now, |condition| {
            if condition.conduct.ejected(now).is_none() {
                condition.conduct.eject(reason, rules, now);
            }
        });
    }

    /// Whether it is left out for bad responses, whatever else speaks against it.
    pub(super) fn is_ejected(&self, now: Instant) -> bool {
        self.impaired.load(Relaxed) && self.condition.lock().conduct.ejected(now).is_some()
    }

    fn update<T>(&self, now: Instant, act: impl FnOnce(&mut Condition) -> T) -> T {
        let mut condition = self.condition.lock();
        // What time has changed first, so that an ejection that is over is seen to be before the next begins.
        let passed = condition.settle(now);
        let result = act(&mut condition);
        let changed = condition.settle(now);
        self.impaired.store(condition.noticed() != Health::Healthy, Relaxed);
        self.warming.store(condition.is_warming(), Relaxed);
        drop(condition);
        for change in passed.iter().chain(&changed) {
            change.log(&self.cluster, &self.url);
        }
        result
    }
}

#[cfg(test)]
mod tests;
