//! The signals of one cluster: reading them out of whatever endpoints say, and handing them to balancers.
//!
//! ```text
//! probe response ──▶ read_answer ┐
//! own response   ──▶ AnswerReader┤
//! response head  ──▶ read_orca   ├─▶ Reports ─▶ take ─▶ Live.reported ─▶ column(name) ─▶ Balancer
//! datagram       ──▶ heartbeat   │   (pure)
//! admin POST     ──▶ push        ┘
//! ```
//!
//! Endpoints are not trusted here: what is no finite number in its range is ignored and counted, and nothing grows.

mod answer;
mod heartbeat;
mod orca;
mod reader;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use super::reported::Last;
use super::{Live, Registry, SignalKey};
use crate::clock::Clock;
use crate::config::{HeartbeatField, SignalConfig, SignalRequest, SignalSource};
use crate::telemetry::{Counter, Metrics};

pub use heartbeat::Heartbeat;
pub use reader::AnswerReader;

/// What the endpoints of a cluster report, and how long it counts.
#[derive(Debug, Default)]
pub struct Signals {
    all: Vec<SignalEntry>,
    /// What is asked for them, beside probes.
    requests: Vec<SignalRequest>,
    expiry: Duration,
    clock: Clock,
}

#[derive(Debug)]
struct SignalEntry {
    key: Arc<SignalKey>,
    source: SignalSource,
    /// Place of the request in whose response it stands; none if that is the probe, or it comes by itself.
    request: Option<usize>,
}

/// A way in which reports come, for counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportSource {
    /// JSON of the response to a probe.
    Json,
    /// Prometheus text of the response to a probe.
    Metric,
    /// A response header.
    Orca,
    /// A datagram.
    Heartbeat,
    /// A call of the admin API.
    Push,
}

impl ReportSource {
    /// What counts a value that was taken, and one that was not.
    fn counters(self) -> [Counter; 2] {
        match self {
            Self::Json => [Counter::JsonTaken, Counter::JsonIgnored],
            Self::Metric => [Counter::MetricTaken, Counter::MetricIgnored],
            Self::Orca => [Counter::OrcaTaken, Counter::OrcaIgnored],
            Self::Heartbeat => [Counter::HeartbeatTaken, Counter::HeartbeatIgnored],
            Self::Push => [Counter::PushTaken, Counter::PushIgnored],
        }
    }

    /// Counts something of this kind that could not be used.
    pub fn count_ignored(self, metrics: &Metrics) {
        let [_, ignored] = self.counters();
        metrics.increment(ignored);
    }
}

/// What was found in something that an endpoint said. It has no more entries than the cluster has signals, and one.
#[derive(Debug, Default, PartialEq)]
pub struct Reports {
    /// Place of the signal, where it came from, and its value: finite, and in its range.
    taken: Vec<(usize, ReportSource, f64)>,
    /// What could not be used.
    ignored: Vec<ReportSource>,
}

impl Reports {
    fn add(&mut self, signal: usize, source: ReportSource, value: Option<f64>) {
        match value.filter(|value| value.is_finite()) {
            Some(value) => self.taken.push((signal, source, value)),
            None => self.ignored.push(source),
        }
    }
}

/// A signal of one endpoint, to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<'a> {
    /// The operator's name for it.
    pub name: &'a str,
    /// What was said last; none if nothing was.
    pub last: Option<Last>,
    /// Whether that still counts.
    pub fresh: bool,
}

/// Why a pushed value is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushFault {
    /// The cluster has no such signal.
    #[error("the cluster has no such signal")]
    Unknown,
    /// It is reported in another way.
    #[error("the signal is reported in another way; it takes `push = true` in its cluster's `signals`")]
    NotPushed,
    /// It is no number that counts.
    #[error("expected a finite number")]
    NotFinite,
}

impl Signals {
    /// What a cluster's configuration names.
    #[must_use]
    pub fn new(registry: &Registry, signals: &[SignalConfig], expiry: Duration) -> Self {
        let mut requests: Vec<SignalRequest> = Vec::new();
        let entry = |signal: &SignalConfig| {
            let request = signal.request.as_ref().map(|wanted| {
                requests.iter().position(|known| known == wanted).unwrap_or_else(|| {
                    requests.push(wanted.clone());
                    requests.len().saturating_sub(1)
                })
            });
            SignalEntry { key: registry.signal(&signal.name), source: signal.source.clone(), request }
        };
        let all = signals.iter().map(entry).collect();
        Self { all, requests, expiry, clock: registry.clock().clone() }
    }

    /// What endpoints are asked beside probes: signals that are asked for alike share a request.
    #[must_use]
    pub fn requests(&self) -> &[SignalRequest] {
        &self.requests
    }

    /// What reads a response to the request at this place.
    #[must_use]
    pub fn reader(&self, request: usize) -> AnswerReader<'_> {
        AnswerReader::new(self, request)
    }

    /// One number for each of `lives`: what it reports as `name` now; NaN = unknown or expired.
    pub(super) fn column<'a>(&self, name: &str, lives: impl Iterator<Item = Option<&'a Live>>) -> Vec<f64> {
        let key = self.all.iter().map(|entry| &entry.key).find(|key| key.name() == name);
        let now = self.clock.now();
        let of = |live: Option<&Live>| match (key, live) {
            (Some(key), Some(live)) => live.reported().value(key, self.expiry, now),
            _ => f64::NAN,
        };
        lives.map(of).collect()
    }

    /// Every signal of `live`, in the order of their names.
    #[must_use]
    pub fn readings(&self, live: &Live, now: Instant) -> Vec<Reading<'_>> {
        let mut readings = Vec::with_capacity(self.all.len());
        for SignalEntry { key, .. } in &self.all {
            let last = live.reported().last(key, now);
            readings.push(Reading { name: key.name(), last, fresh: last.is_some_and(|last| last.age < self.expiry) });
        }
        readings
    }

    /// Whether any signal is read from the response header `endpoint-load-metrics`.
    #[must_use]
    pub fn want_orca(&self) -> bool {
        self.all.iter().any(|entry| matches!(entry.source, SignalSource::Orca(_)))
    }

    /// Whether any signal is read from heartbeats.
    #[must_use]
    pub fn want_heartbeats(&self) -> bool {
        self.all.iter().any(|entry| matches!(entry.source, SignalSource::Heartbeat(_)))
    }

    /// Reads the HTTP response to a probe: its body as JSON and as Prometheus text, and its head as [`Self::read_orca`]
    /// does. `body` may be cut off.
    #[must_use]
    pub fn read_answer(&self, headers: &HeaderMap, body: &[u8]) -> Reports {
        let mut reports = self.read_orca(headers);
        let mut document = None;
        for (place, entry) in self.all.iter().enumerate().filter(|(_, entry)| entry.request.is_none()) {
            match &entry.source {
                SignalSource::Json(pointer) => {
                    let document = document.get_or_insert_with(|| answer::document(body));
                    reports.add(place, ReportSource::Json, answer::number(document, pointer));
                }
                SignalSource::Metric(series) => reports.add(place, ReportSource::Metric, answer::sample(body, series)),
                SignalSource::Orca(_) | SignalSource::Heartbeat(_) | SignalSource::Push => {}
            }
        }
        reports
    }

    /// Reads the ORCA load report in the head of a response. A head without one says nothing; one that says nothing of
    /// a signal leaves it as it is.
    #[must_use]
    pub fn read_orca(&self, headers: &HeaderMap) -> Reports {
        let mut reports = Reports::default();
        if !self.want_orca() || !headers.contains_key(&orca::HEADER) {
            return reports;
        }
        let Some(report) = orca::read(headers) else {
            reports.ignored.push(ReportSource::Orca);
            return reports;
        };
        for (place, entry) in self.all.iter().enumerate() {
            if let SignalSource::Orca(field) = &entry.source
                && let Some(found) = report.find(field)
            {
                reports.add(place, ReportSource::Orca, found.ok());
            }
        }
        reports
    }

    /// Reads a heartbeat.
    #[must_use]
    pub fn read_heartbeat(&self, heartbeat: &Heartbeat) -> Reports {
        let mut reports = Reports::default();
        for (place, entry) in self.all.iter().enumerate() {
            let SignalSource::Heartbeat(field) = entry.source else { continue };
            let value = match field {
                HeartbeatField::Ready => heartbeat.ready,
                HeartbeatField::Busy => heartbeat.busy,
            };
            reports.add(place, ReportSource::Heartbeat, Some(f64::from(value)));
        }
        reports
    }

    /// Reads what was posted. All of it is good, or nothing is taken.
    ///
    /// # Errors
    /// The signal that is not, and why.
    pub fn read_push<'a>(
        &self,
        signals: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Reports, (&'a str, PushFault)> {
        let mut reports = Reports::default();
        for (name, value) in signals {
            let found = self.all.iter().enumerate().find(|(_, entry)| entry.key.name() == name);
            let (place, entry) = found.ok_or((name, PushFault::Unknown))?;
            if entry.source != SignalSource::Push {
                return Err((name, PushFault::NotPushed));
            }
            if !value.is_finite() {
                return Err((name, PushFault::NotFinite));
            }
            reports.add(place, ReportSource::Push, Some(value));
        }
        Ok(reports)
    }

    /// Writes down what the endpoint of `live` has said, and counts it. Returns how many values were taken.
    pub fn take(&self, reports: &Reports, live: &Live, now: Instant, metrics: &Metrics) -> usize {
        for (place, source, value) in &reports.taken {
            if let Some(entry) = self.all.get(*place) {
                live.reported().report(&entry.key, *value, now);
                let [taken, _] = source.counters();
                metrics.increment(taken);
            }
        }
        for source in &reports.ignored {
            source.count_ignored(metrics);
        }
        reports.taken.len()
    }

    /// Takes the load report out of the head of a response of `live`: it is meant for the gateway, not for its clients.
    /// Where no signal needs one, heads are left as they are.
    pub fn take_orca(&self, headers: &mut HeaderMap, live: &Live, metrics: &Metrics) {
        if !self.want_orca() || !headers.contains_key(&orca::HEADER) {
            return;
        }
        let reports = self.read_orca(headers);
        self.take(&reports, live, live.now(), metrics);
        headers.remove(&orca::HEADER);
    }
}
