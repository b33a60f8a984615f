//! Everything that speaks for or against giving an endpoint work. Pure: the time is an argument.
//!
//! ```text
//! probes ──▶ Probed ────┐
//! outcomes ─▶ Conduct ──┼──▶ Health: the worst counts
//! failures ─▶ Backoff ──┘        └──▶ healthy again: Warming
//! ```

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::{Backoff, PauseCause};
use super::health::{Health, HealthChange, HealthReport};
use super::outlier::Conduct;
use super::probed::{ProbeTicket, Probed, Thresholds};
use super::warming::Warming;
use crate::config::{OutlierConfig, PauseConfig};

/// What traffic and probes have shown of an endpoint.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) backoff: Backoff,
    pub(super) probed: Probed,
    pub(super) conduct: Conduct,
    warming: Option<Warming>,
    /// The health that was last noticed.
    noticed: Health,
    healthy_since: Instant,
}

impl Condition {
    /// An endpoint that nothing is known of.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            backoff: Backoff::default(),
            probed: Probed::default(),
            conduct: Conduct::default(),
            warming: None,
            noticed: Health::Healthy,
            healthy_since: now,
        }
    }

    /// Notices what time or a call has changed. An endpoint that becomes healthy begins its slow start.
    pub(super) fn settle(&mut self, now: Instant) -> Option<HealthChange> {
        let health = self.health(now);
        if health == self.noticed {
            return None;
        }
        let from = std::mem::replace(&mut self.noticed, health);
        if health == Health::Healthy {
            self.healthy_since = now;
            self.warming = Some(Warming::new(now));
        }
        Some(HealthChange { from, to: self.report(now) })
    }

    /// Begins a slow start, if work would be given.
    pub(super) fn warm_up(&mut self, now: Instant) {
        if self.noticed == Health::Healthy {
            self.warming = Some(Warming::new(now));
        }
    }

    /// Whether a healthy endpoint is offered this pick, with a slow start of this length.
    pub(super) fn is_offered(&mut self, length: Duration, now: Instant) -> bool {
        let offered = self.warming.as_mut().and_then(|warming| warming.is_offered(length, now));
        if offered.is_none() {
            self.warming = None;
        }
        offered.unwrap_or(true)
    }

    /// The endpoint could not be reached, or gave a response that pauses it.
    pub(super) fn failed(&mut self, rules: &PauseConfig, cause: PauseCause, now: Instant) -> Option<Duration> {
        self.backoff.failed(rules, cause, now)
    }

    /// A probe's result. One that makes it healthy ends its pause as well: what failed before is mended.
    pub(super) fn probed(
        &mut self,
        ticket: ProbeTicket,
        result: Result<(), &str>,
        thresholds: Thresholds,
        now: Instant,
    ) {
        if self.probed.result(ticket, result, thresholds, now) {
            self.backoff.clear();
        }
    }

    /// How a piece of work went; why it should be ejected, if it should.
    pub(super) fn record(&mut self, failed: bool, rules: &OutlierConfig, now: Instant) -> Option<String> {
        self.conduct.record(failed, rules, now)
    }

    /// Forgets pauses and ejections, as an operator may ask for. What probes have found stays: they find it anew.
    pub(super) fn reset(&mut self) {
        self.backoff.clear();
        self.conduct.clear();
    }

    /// The health as it was last noticed.
    pub(super) fn noticed(&self) -> Health {
        self.noticed
    }

    pub(super) fn is_warming(&self) -> bool {
        self.warming.is_some()
    }

    /// The health, since when and why.
    pub(super) fn report(&self, now: Instant) -> HealthReport {
        let report = |health, since, reason| HealthReport { health, since, reason: Some(reason) };
        if let Some(verdict) = self.probed.verdict() {
            return report(Health::Unhealthy, verdict.since, verdict.reason.clone().into());
        }
        if let Some(ejection) = self.conduct.ejected(now) {
            return report(Health::Ejected, ejection.since, ejection.reason.clone().into());
        }
        if let Some(pause) = self.backoff.pausing(now) {
            return report(Health::Paused, pause.since, pause.cause.as_str().into());
        }
        if let Some(pause) = self.backoff.suspect(now) {
            return report(Health::Suspect, pause.until, pause.cause.as_str().into());
        }
        HealthReport { health: Health::Healthy, since: self.healthy_since, reason: None }
    }

    fn health(&self, now: Instant) -> Health {
        if self.probed.verdict().is_some() {
            Health::Unhealthy
        } else if self.conduct.ejected(now).is_some() {
            Health::Ejected
        } else if self.backoff.pausing(now).is_some() {
            Health::Paused
        } else if self.backoff.suspect(now).is_some() {
            Health::Suspect
        } else {
            Health::Healthy
        }
    }
}
