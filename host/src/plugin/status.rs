//! Live numbers about plugins, for whoever shows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::fault::Crash;
use super::surface::RoleKind;
use super::totals::Estate;
pub use super::totals::RoleTotals;
use crate::policy::FaultKind;

/// Kinds of fault, in the order of the counters.
pub(super) const KINDS: [FaultKind; 5] =
    [FaultKind::Deadline, FaultKind::Trap, FaultKind::Memory, FaultKind::Answer, FaultKind::Unavailable];

/// One role of one loaded plugin, at one moment.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RoleStatus {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// What it decides.
    pub role: RoleKind,
    /// SHA-256 of its file, hex.
    pub digest: String,
    /// Calls so far, failed ones included.
    pub calls: u64,
    /// Estimate of the time spent in calls, nanoseconds: one call in 64 is timed.
    pub nanos: u64,
    /// Calls that were timed.
    pub timed: u64,
    /// Faults so far, by kind.
    pub faults: Vec<(&'static str, u64)>,
    /// Instances that run now.
    pub instances: usize,
    /// Seats (clusters or workers) where it is put aside after repeated faults.
    pub aside: usize,
    /// Seats where it gets no feedback after repeated faults in it; its picks go on.
    pub muted: usize,
    /// The last fault, in words.
    pub last_fault: Option<String>,
}

impl RoleStatus {
    /// First 12 digits of the digest, for people.
    #[must_use]
    pub fn short_digest(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }

    /// Mean time of a call in nanoseconds; none before the first.
    #[must_use]
    pub fn nanos_per_call(&self) -> Option<u64> {
        (self.nanos / SAMPLE).checked_div(self.timed)
    }
}

/// The last refusal of a file for a plugin name.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Refusal {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// Why, in words.
    pub reason: String,
}

/// The counters behind a [`RoleStatus`]: one for each role of an artifact.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) plugin: Arc<str>,
    pub(super) role: RoleKind,
    pub(super) digest: Arc<str>,
    tallies: Mutex<Vec<Arc<Tally>>>,
    /// Calls, nanoseconds and timed calls of seats that are gone.
    past: [AtomicU64; 3],
    faults: [AtomicU64; KINDS.len()],
    pub(super) instances: AtomicUsize,
    last: Mutex<Burst>,
    /// Gets the counts in the end.
    estate: Arc<Estate>,
}

/// Calls of one seat. Only the seat writes, so plain loads and stores are enough: no locked instruction per call.
#[derive(Debug, Default)]
pub(super) struct Tally {
    calls: AtomicU64,
    nanos: AtomicU64,
    timed: AtomicU64,
    aside: AtomicBool,
    muted: AtomicBool,
}

/// Calls between two that are timed.
const SAMPLE: u64 = 64;

impl Tally {
    /// A call begins; the time if it is one that is timed.
    #[inline]
    pub(super) fn begin(&self) -> Option<Instant> {
        let calls = self.calls.load(Relaxed);
        self.calls.store(calls + 1, Relaxed);
        calls.is_multiple_of(SAMPLE).then(Instant::now)
    }

    /// A timed call ended.
    #[inline]
    pub(super) fn end(&self, began: Option<Instant>) {
        if let Some(began) = began {
            let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_mul(SAMPLE);
            self.nanos.store(self.nanos.load(Relaxed).saturating_add(nanos), Relaxed);
            self.timed.store(self.timed.load(Relaxed) + 1, Relaxed);
        }
    }

    /// It was put aside, or came back.
    pub(super) fn set_aside(&self, aside: bool) {
        self.aside.store(aside, Relaxed);
    }

    /// It gets no feedback, or gets it again.
    pub(super) fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Relaxed);
    }
}

impl Ledger {
    pub(super) fn new(plugin: Arc<str>, role: RoleKind, digest: Arc<str>, estate: Arc<Estate>) -> Self {
        Self {
            plugin,
            role,
            digest,
            tallies: Mutex::default(),
            past: Default::default(),
            faults: Default::default(),
            instances: AtomicUsize::new(0),
            last: Mutex::default(),
            estate,
        }
    }

    /// A seat opens.
    pub(super) fn open(&self) -> Arc<Tally> {
        let tally = Arc::new(Tally::default());
        self.tallies.lock().push(Arc::clone(&tally));
        tally
    }

    /// A seat closes; its numbers stay counted.
    pub(super) fn close(&self, tally: &Arc<Tally>) {
        let mut tallies = self.tallies.lock();
        tallies.retain(|other| !Arc::ptr_eq(other, tally));
        self.past[0].fetch_add(tally.calls.load(Relaxed), Relaxed);
        self.past[1].fetch_add(tally.nanos.load(Relaxed), Relaxed);
        self.past[2].fetch_add(tally.timed.load(Relaxed), Relaxed);
    }

    /// Counts a fault that is not worth a line of its own.
    pub(super) fn count(&self, kind: FaultKind) {
        if let Some((_, counter)) = KINDS.iter().zip(&self.faults).find(|(other, _)| **other == kind) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts a fault, and logs it if a burst begins or a summary is due.
    pub(super) fn record(&self, crash: &Crash, now: Instant) {
        self.count(crash.kind);
        let mut last = self.last.lock();
        let line = last.admit(now);
        last.detail = Some(format!("{}: {}", crash.kind.as_str(), crash.detail));
        drop(last);
        let (plugin, role, kind) = (&*self.plugin, self.role.as_str(), crash.kind.as_str());
        match line {
            Line::Full => tracing::error!(plugin, role, kind, detail = %crash.detail, "plugin failed"),
            Line::Summary(more) => tracing::warn!(plugin, role, kind, more, "plugin goes on failing"),
            Line::Silent => {}
        }
    }

    /// The numbers now.
    pub(super) fn snapshot(&self) -> RoleStatus {
        let tallies = self.tallies.lock();
        let sum = |of: fn(&Tally) -> &AtomicU64| tallies.iter().map(|tally| of(tally).load(Relaxed)).sum::<u64>();
        RoleStatus {
            plugin: self.plugin.to_string(),
            role: self.role,
            digest: self.digest.to_string(),
            calls: self.past[0].load(Relaxed) + sum(|tally| &tally.calls),
            nanos: self.past[1].load(Relaxed).saturating_add(sum(|tally| &tally.nanos)),
            timed: self.past[2].load(Relaxed) + sum(|tally| &tally.timed),
            faults: KINDS.iter().zip(&self.faults).map(|(kind, count)| (kind.as_str(), count.load(Relaxed))).collect(),
            instances: self.instances.load(Relaxed),
            aside: tallies.iter().filter(|tally| tally.aside.load(Relaxed)).count(),
            muted: tallies.iter().filter(|tally| tally.muted.load(Relaxed)).count(),
            last_fault: self.last.lock().detail.clone(),
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.estate.take_over(&self.snapshot());
    }
}

/// Quiet after which the next fault is told in full again.
const QUIET: Duration = Duration::from_secs(60);

/// Between two summaries of one burst.
const SUMMARY: Duration = Duration::from_secs(10);

/// Faults that follow each other.
#[derive(Debug, Default)]
struct Burst {
    latest: Option<Instant>,
    told: Option<Instant>,
    untold: u64,
    detail: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Full,
    Summary(u64),
    Silent,
}

impl Burst {
    fn admit(&mut self, now: Instant) -> Line {
        let began = self.latest.is_none_or(|latest| now.saturating_duration_since(latest) >= QUIET);
        self.latest = Some(now);
        if began {
            (self.told, self.untold) = (Some(now), 0);
            return Line::Full;
        }
        self.untold += 1;
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < SUMMARY) {
            return Line::Silent;
        }
        self.told = Some(now);
        Line::Summary(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_once_then_summed_up_every_ten_seconds() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);

        assert_eq!(burst.admit(at(0)), Line::Full);
        assert_eq!(burst.admit(at(1)), Line::Silent);
        assert_eq!(burst.admit(at(9)), Line::Silent);
        assert_eq!(burst.admit(at(10)), Line::Summary(3));
        assert_eq!(burst.admit(at(11)), Line::Silent);
        assert_eq!(burst.admit(at(71)), Line::Full, "after a quiet minute");
    }

    #[test]
    fn numbers_of_a_closed_seat_stay_counted() {
        let ledger = Ledger::new("first".into(), RoleKind::Balancer, "abc".into(), Arc::default());
        let tally = ledger.open();
        for _ in 0..3 {
            let began = tally.begin();
            tally.end(began);
        }

        ledger.close(&tally);

        let status = ledger.snapshot();
        assert_eq!((status.calls, status.timed), (3, 1), "the first call of 64 is timed");
        assert_eq!(status.nanos_per_call(), Some(status.nanos / 64));
    }

    #[test]
    fn counts_of_a_plugin_that_is_gone_stay_in_its_totals() {
        let estate = Arc::new(Estate::default());
        for digest in ["abc", "def"] {
            let ledger = Ledger::new("first".into(), RoleKind::Balancer, digest.into(), Arc::clone(&estate));
            ledger.open().begin();
            ledger.count(FaultKind::Trap);
            let tally = ledger.tallies.lock().first().cloned().unwrap();
            ledger.close(&tally);
        }

        let totals = estate.all();

        assert_eq!(totals.len(), 1);
        assert_eq!(totals[0].calls, 2);
        assert!(totals[0].faults.contains(&("trap", 2)));
    }
}
