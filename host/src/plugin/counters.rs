//! Counters of a role of an artifact, and what stays counted when slots and artifacts are gone.
//!
//! ```text
//! SlotCounters (of a slot) ─▶ RoleCounters (of a role of an artifact) ─▶ RetiredTotals (of a plugin name)
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::burst::{FaultBurst, FaultLine};
use super::call_error::CallError;
use super::limits::MemoryUse;
use super::role::RoleName;
use super::status::{RoleStatus, RoleTotals, SAMPLE};
use crate::policy::{CallMeter, FaultKind, MeteredCalls};

/// Kinds of fault, in the order of the counters.
const KINDS: [FaultKind; 5] =
    [FaultKind::Deadline, FaultKind::Trap, FaultKind::Memory, FaultKind::Answer, FaultKind::Unavailable];

/// The counters behind a [`RoleStatus`]: one for each role of an artifact.
#[derive(Debug)]
pub(super) struct RoleCounters {
    pub(super) plugin: Arc<str>,
    pub(super) role: RoleName,
    pub(super) digest: Arc<str>,
    slots: Mutex<Vec<Arc<SlotCounters>>>,
    /// Calls, nanoseconds and timed calls of slots that are gone.
    past: [AtomicU64; 3],
    faults: [AtomicU64; KINDS.len()],
    pub(super) instances: AtomicUsize,
    /// Fuel that instances of slots had used when they ended, if they are metered.
    pub(super) fuel: AtomicU64,
    /// Nanoseconds that the latest first instance of a slot took, up to the end of `configure`.
    pub(super) started: AtomicU64,
    pub(super) memory: Arc<MemoryUse>,
    last: Mutex<FaultBurst>,
    /// Gets the counts when these end.
    retired: Arc<RetiredTotals>,
}

/// Calls of one slot. Only the slot writes, so plain loads and stores are enough: no locked instruction per call.
#[derive(Debug, Default)]
pub(super) struct SlotCounters {
    calls: AtomicU64,
    nanos: AtomicU64,
    timed: AtomicU64,
    open: AtomicBool,
    feedback_open: AtomicBool,
}

impl SlotCounters {
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

    /// Whether the circuit is open: the plugin decides nothing in this slot for now.
    pub(super) fn set_open(&self, open: bool) {
        self.open.store(open, Relaxed);
    }

    /// Whether the circuit for feedback is open: the plugin gets none in this slot for now.
    pub(super) fn set_feedback_open(&self, open: bool) {
        self.feedback_open.store(open, Relaxed);
    }
}

impl CallMeter for SlotCounters {
    fn times(&self) -> MeteredCalls {
        let nanos = self.nanos.load(Relaxed);
        let (calls, timed) = (self.calls.load(Relaxed), self.timed.load(Relaxed));
        MeteredCalls { calls, timed, timed_nanos: nanos / SAMPLE, nanos }
    }
}

impl RoleCounters {
    pub(super) fn new(plugin: Arc<str>, role: RoleName, digest: Arc<str>, retired: Arc<RetiredTotals>) -> Self {
        Self {
            plugin,
            role,
            digest,
            slots: Mutex::default(),
            past: Default::default(),
            faults: Default::default(),
            instances: AtomicUsize::new(0),
            fuel: AtomicU64::new(0),
            started: AtomicU64::new(0),
            memory: Arc::default(),
            last: Mutex::default(),
            retired,
        }
    }

    /// A slot opens.
    pub(super) fn open(&self) -> Arc<SlotCounters> {
        let slot = Arc::new(SlotCounters::default());
        self.slots.lock().push(Arc::clone(&slot));
        slot
    }

    /// A slot closes; its numbers stay counted.
    pub(super) fn close(&self, slot: &Arc<SlotCounters>) {
        let mut slots = self.slots.lock();
        slots.retain(|other| !Arc::ptr_eq(other, slot));
        self.past[0].fetch_add(slot.calls.load(Relaxed), Relaxed);
        self.past[1].fetch_add(slot.nanos.load(Relaxed), Relaxed);
        self.past[2].fetch_add(slot.timed.load(Relaxed), Relaxed);
    }

    /// Counts a fault that is not worth a line of its own.
    pub(super) fn count(&self, kind: FaultKind) {
        if let Some((_, counter)) = KINDS.iter().zip(&self.faults).find(|(other, _)| **other == kind) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts a fault, and logs it if there was none like it lately, or a summary is due.
    pub(super) fn record(&self, error: &CallError, now: Instant) {
        self.count(error.kind);
        let mut last = self.last.lock();
        let line = last.admit(error.kind, &error.detail, now);
        last.detail = Some(format!("{}: {}", error.kind.as_str(), error.detail));
        drop(last);
        let (plugin, role, kind) = (&*self.plugin, self.role.as_str(), error.kind.as_str());
        match line {
            FaultLine::Full => tracing::error!(plugin, role, kind, detail = %error.detail, "plugin failed"),
            FaultLine::Summary(more) => tracing::warn!(plugin, role, kind, more, "plugin goes on failing"),
            FaultLine::Silent => {}
        }
    }

    /// The numbers now.
    pub(super) fn snapshot(&self) -> RoleStatus {
        let slots = self.slots.lock();
        let sum = |of: fn(&SlotCounters) -> &AtomicU64| slots.iter().map(|slot| of(slot).load(Relaxed)).sum::<u64>();
        RoleStatus {
            plugin: self.plugin.to_string(),
            role: self.role,
            digest: self.digest.to_string(),
            calls: self.past[0].load(Relaxed) + sum(|slot| &slot.calls),
            nanos: self.past[1].load(Relaxed).saturating_add(sum(|slot| &slot.nanos)),
            timed: self.past[2].load(Relaxed) + sum(|slot| &slot.timed),
            faults: KINDS.iter().zip(&self.faults).map(|(kind, count)| (kind.as_str(), count.load(Relaxed))).collect(),
            instances: self.instances.load(Relaxed),
            memory: self.memory.peak.load(Relaxed),
            denials: self.memory.denials.load(Relaxed),
            started: Duration::from_nanos(self.started.load(Relaxed)),
            fuel: self.fuel.load(Relaxed),
            open_circuits: slots.iter().filter(|slot| slot.open.load(Relaxed)).count(),
            open_feedback: slots.iter().filter(|slot| slot.feedback_open.load(Relaxed)).count(),
            last_fault: self.last.lock().detail.clone(),
        }
    }
}

impl Drop for RoleCounters {
    fn drop(&mut self) {
        self.retired.add(&self.snapshot());
    }
}

/// What the artifacts of one plugin name had counted when they were dropped, role by role.
#[derive(Debug, Default)]
pub(super) struct RetiredTotals(Mutex<BTreeMap<RoleName, RoleTotals>>);

impl RetiredTotals {
    /// Adds what an artifact has counted in one of its roles when it is dropped.
    pub(super) fn add(&self, status: &RoleStatus) {
        let mut roles = self.0.lock();
        roles.entry(status.role).or_insert_with(|| RoleTotals::nothing(&status.plugin, status.role)).add(status);
    }

    /// The totals of every role.
    pub(super) fn all(&self) -> Vec<RoleTotals> {
        self.0.lock().values().cloned().collect()
    }
}

impl RoleTotals {
    pub(super) fn nothing(plugin: &str, role: RoleName) -> Self {
        let faults = KINDS.iter().map(|kind| (kind.as_str(), 0)).collect();
        Self { plugin: plugin.to_owned(), role, calls: 0, nanos: 0, faults }
    }

    pub(super) fn add(&mut self, status: &RoleStatus) {
        self.calls = self.calls.saturating_add(status.calls);
        self.nanos = self.nanos.saturating_add(status.nanos);
        for (kind, count) in &status.faults {
            if let Some((_, sum)) = self.faults.iter_mut().find(|(other, _)| other == kind) {
                *sum = sum.saturating_add(*count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_closed_slot_stay_counted() {
        let counters = RoleCounters::new("first".into(), RoleName::new("balancer"), "abc".into(), Arc::default());
        let slot = counters.open();
        for _ in 0..3 {
            let began = slot.begin();
            slot.end(began);
        }

        counters.close(&slot);

        let status = counters.snapshot();
        assert_eq!((status.calls, status.timed), (3, 1), "the first call of 64 is timed");
        assert_eq!(status.nanos_per_call(), Some(status.nanos / 64));
    }

    #[test]
    fn counts_of_a_plugin_that_is_gone_stay_in_its_totals() {
        let retired = Arc::new(RetiredTotals::default());
        for digest in ["abc", "def"] {
            let counters =
                RoleCounters::new("first".into(), RoleName::new("balancer"), digest.into(), Arc::clone(&retired));
            counters.open().begin();
            counters.count(FaultKind::Trap);
            let slot = counters.slots.lock().first().cloned().unwrap();
            counters.close(&slot);
        }

        let totals = retired.all();

        assert_eq!(totals.len(), 1);
        assert_eq!(totals[0].calls, 2);
        assert!(totals[0].faults.contains(&("trap", 2)));
    }
}
