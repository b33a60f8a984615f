//! The unit of busyness.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::chooser::Chooser;
use super::live::PauseCause;
use super::shared::AddressShare;
use super::{FailurePolicy, Live, Member};
use crate::policy::{EndpointId, LeaseEnding, LeaseUnits, Outcome};
use crate::telemetry::limited;

/// One connection's or request's claim on an endpoint. Busyness rose by its units when it was made and falls by as many
/// when it is dropped.
///
/// It holds the endpoint's numbers, not the cluster: a tunnel pins no plugin and no generation.
#[derive(Debug)]
#[must_use = "an endpoint counts as busy only while its lease is held"]
pub struct Lease {
    live: Arc<Live>,
    failure_policy: FailurePolicy,
    endpoint: EndpointId,
    units: LeaseUnits,
    began: Instant,
    /// With the balancer that wants to know of the end, if its cluster is still in use then.
    feedback: Option<Weak<Mutex<Chooser>>>,
    status: Option<u16>,
    first_byte: Option<Duration>,
    sent: u64,
    received: u64,
    ending: LeaseEnding,
    /// It is the one that tries an endpoint after a pause.
    trial: bool,
    verdict: WorkResult,
    /// What the endpoint that the request named had to do with the choice.
    pub(super) stickiness: Option<Stickiness>,
    /// Chosen although every endpoint is paused.
    pub(super) forced: bool,
    /// Statuses that count as failures of the endpoint; none if there are none.
    pub(super) fail_on: Option<Arc<[u16]>>,
    /// Its place in what the address holds, if that is counted.
    _place: Option<AddressShare>,
}

/// What became of stickiness in one choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stickiness {
    /// The endpoint that the request named.
    Hit,
    /// It named none that is known.
    Miss,
    /// It named one that cannot take it: another stands in.
    Broken,
}

/// What has been reported to the cluster's outlier detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WorkResult {
    /// Nothing yet.
    Open,
    /// It went well; what breaks later is news.
    Good,
    /// It failed. Reported once.
    Bad,
}

impl Lease {
    pub(super) fn new(
        member: &Member,
        endpoint: EndpointId,
        units: LeaseUnits,
        began: Instant,
        feedback: Option<Weak<Mutex<Chooser>>>,
    ) -> Self {
        let live = member.live.clone();
        let trial = live.begin_trial(began);
        live.take(units);
        Self {
            live,
            failure_policy: member.failure_policy.clone(),
            endpoint,
            units,
            began,
            feedback,
            status: None,
            first_byte: None,
            sent: 0,
            received: 0,
            ending: LeaseEnding::Abandoned,
            trial,
            verdict: WorkResult::Open,
            stickiness: None,
            forced: false,
            fail_on: None,
            _place: member.shared.as_ref().map(|address| address.take(units)),
        }
    }

    /// Id of the endpoint in the cluster it was chosen from.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// URL of the endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        self.live.url()
    }

    /// What became of stickiness; none in a cluster without.
    #[must_use]
    pub fn stickiness(&self) -> Option<Stickiness> {
        self.stickiness
    }

    /// Whether it was chosen although every endpoint that could be is paused after failures.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.forced
    }

    /// From choice to the head of the response, if there was one.
    #[must_use]
    pub fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    /// Bytes towards the endpoint so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes from the endpoint so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes went to the endpoint.
    pub fn add_sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        self.live.add_sent(bytes as u64);
    }

    /// Bytes came from the endpoint.
    pub fn add_received(&mut self, bytes: usize) {
        self.received += bytes as u64;
        self.live.add_received(bytes as u64);
    }

    /// There is a connection to the endpoint.
    pub fn connected(&mut self) {
        if self.trial && self.live.connected(self.live.now()) {
            self.trial = false;
        }
    }

    /// The endpoint responded with `status`.
    pub fn answered(&mut self, status: u16) {
        let now = self.live.now();
        let after = now - self.began;
        self.status = Some(status);
        self.first_byte = Some(after);
        let fails = self.fail_on.as_ref().is_some_and(|statuses| statuses.contains(&status));
        if fails {
            self.live.count_failure();
            if let Some(pause) = self.failure_policy.pause(&self.live, PauseCause::Answer, now) {
                let endpoint = self.live.url();
                limited!(
                    warn, of: endpoint, %endpoint, status, ?pause,
                    "endpoint answers with a failure, left alone for now"
                );
            }
        } else {
            self.live.succeeded(after, now);
        }
        self.end_trial(now);
        match status {
            // A tunnel lasts: that it opened is what there is to report. Of all else the body is still to come.
            101 => self.judge(WorkResult::Good, now),
            _ if fails || status >= 500 => self.judge(WorkResult::Bad, now),
            _ => {}
        }
    }

    /// The endpoint responded with more than is taken here. It is there, and nothing is held against it.
    pub fn answered_too_much(&mut self) {
        let now = self.live.now();
        let after = now - self.began;
        self.first_byte = Some(after);
        self.live.succeeded(after, now);
        self.end_trial(now);
        self.ending = LeaseEnding::Complete;
    }

    fn end_trial(&mut self, now: Instant) {
        if std::mem::take(&mut self.trial) {
            self.live.end_trial(now);
        }
    }

    fn judge(&mut self, verdict: WorkResult, now: Instant) {
        if self.verdict != WorkResult::Bad && self.verdict != verdict {
            self.verdict = verdict;
            self.failure_policy.record(&self.live, verdict == WorkResult::Bad, now);
        }
    }

    /// Everything that was to be done has been done.
    pub fn completed(&mut self) {
        self.ending = LeaseEnding::Complete;
    }

    /// The endpoint could not be reached. The lease ends here. Returns how long the endpoint is now left alone, if that
    /// begins with this failure.
    pub fn unreachable(mut self) -> Option<Duration> {
        let now = self.live.now();
        self.ending = LeaseEnding::Unreachable;
        self.live.count_failure();
        self.judge(WorkResult::Bad, now);
        self.failure_policy.pause(&self.live, PauseCause::Unreachable, now)
    }

    /// The endpoint broke off, or its response cannot be read.
    pub fn broken(&mut self) {
        self.ending = LeaseEnding::Broken;
        self.live.count_failure();
        self.judge(WorkResult::Bad, self.live.now());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let now = self.live.now();
        self.end_trial(now);
        if self.verdict == WorkResult::Open && self.status.is_some() {
            self.judge(WorkResult::Good, now);
        }
        self.live.give_back(self.units);
        if let Some(chooser) = self.feedback.as_ref().and_then(Weak::upgrade) {
            let outcome = Outcome {
                ending: self.ending,
                status: self.status,
                duration: now.saturating_duration_since(self.began),
                first_byte: self.first_byte,
                sent: self.sent,
                received: self.received,
            };
            chooser.lock().closed(self.endpoint, &outcome);
        }
    }
}
