//! The place that an instance fills: one for each cluster (balancer) or worker (router, rewriter).
//!
//! ```text
//! ready ─▶ instance ─▶ call ─▶ settle ─┬─ fine: breaker forgets
//!   ▲                                  ╰─ fault: count, log, throw the instance away
//!   ╰── a fresh instance, configured again; refused at once while the breaker holds the plugin aside
//! ```
//!
//! Where a fault is answered to somebody (503), a passed deadline puts the plugin aside only if questions of our own pass
//! it as well; otherwise what provoked it is refused alone: see [`super::suspects`].

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::breaker::{Breaker, Change};
use super::counters::SlotCounters;
use super::fault::Crash;
use super::instance::Instance;
use super::plan::{Cost, NoInstance, Plan, Role};
use super::suspects::Suspects;
use crate::policy::{Fault, FaultKind};

mod doubt;

/// What a plugin can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// A lease began.
    Opened,
    /// A lease ended.
    Closed,
}

/// The place of one instance.
pub(super) struct Seat<R: Role> {
    plan: Arc<Plan<R>>,
    instance: Option<Instance<R::Guest>>,
    breaker: Breaker,
    suspects: Suspects,
    /// For what the plugin is told, one for each [`Word`]: a success in one must not excuse the other, nor a pick either.
    ears: [Breaker; 2],
    counters: Arc<SlotCounters>,
    began: Option<Instant>,
}

impl<R: Role> Seat<R> {
    /// With its first instance.
    pub(super) fn new(plan: Arc<Plan<R>>, instance: Instance<R::Guest>) -> Self {
        let counters = plan.counters.open();
        plan.counters.instances.fetch_add(1, Relaxed);
        Self {
            plan,
            instance: Some(instance),
            breaker: Breaker::default(),
            suspects: Suspects::default(),
            ears: Default::default(),
            counters,
            began: None,
        }
    }

    /// The instance, for one call that is then settled.
    ///
    /// # Errors
    /// If the plugin is aside, or no fresh instance can be made after a fault.
    #[inline]
    pub(super) fn ready(&mut self) -> Result<&mut Instance<R::Guest>, Fault> {
        if self.breaker.is_aside() && !self.may_be_tried() {
            return Err(self.aside());
        }
        self.began = self.counters.begin();
        if self.instance.is_none() {
            self.replace()?;
        }
        // `replace` has filled it; if it did not, that is a fault like any other.
        match &mut self.instance {
            Some(instance) => Ok(instance),
            None => Err(Fault {
                plugin: Arc::clone(&self.plan.counters.plugin),
                kind: FaultKind::Unavailable,
                detail: "no instance".to_owned(),
            }),
        }
    }

    /// Ends a call: a fault is counted and logged, and costs the instance.
    ///
    /// # Errors
    /// The crash, as the fault that the caller sees.
    #[inline]
    pub(super) fn settle<T>(&mut self, answer: Result<T, Crash>) -> Result<T, Fault> {
        self.counters.end(self.began.take());
        match answer {
            Ok(answer) => {
                if self.breaker.succeeded() == Change::Closed {
                    self.back();
                }
                Ok(answer)
            }
            Err(crash) => Err(self.fail(crash)),
        }
    }

    /// The instance, if there is one, for a call that nobody waits for. Such a call neither makes an instance nor lets a
    /// plugin back that is aside, nor puts it there: only what it is there for does.
    #[inline]
    pub(super) fn occupant(&mut self) -> Option<&mut Instance<R::Guest>> {
        let instance = self.instance.as_mut()?;
        self.began = self.counters.begin();
        Some(instance)
    }

    /// Ends a call to [`Self::occupant`]: a fault is counted and logged, and costs the instance.
    pub(super) fn conclude<T>(&mut self, answer: Result<T, Crash>) -> Option<T> {
        self.counters.end(self.began.take());
        answer.map_err(|crash| self.lose(&crash, Instant::now())).ok()
    }

    /// As [`Self::occupant`], for feedback: none as well while feedback is muted.
    #[inline]
    pub(super) fn listener(&mut self) -> Option<&mut Instance<R::Guest>> {
        if !self.ears.iter().all(|ear| ear.admits(Instant::now)) {
            return None;
        }
        self.occupant()
    }

    /// Ends a call to [`Self::listener`]. Faults in a row mute feedback, so that not every pick pays for a fresh instance.
    #[inline]
    pub(super) fn heard(&mut self, word: Word, answer: Result<(), Crash>) {
        self.counters.end(self.began.take());
        let [opened, closed] = &mut self.ears;
        let ear = match word {
            Word::Opened => opened,
            Word::Closed => closed,
        };
        match answer {
            Ok(()) if ear.succeeded() == Change::Closed => self.unmuted(),
            Ok(()) => {}
            Err(crash) => {
                let now = Instant::now();
                let change = ear.failed(now);
                self.lose(&crash, now);
                if let Change::Opened(pause) = change {
                    self.muted(pause);
                }
            }
        }
    }

    /// Counts and logs an answer that is refused from an instance that works.
    pub(super) fn object(&self, crash: &Crash) {
        self.plan.counters.record(crash, Instant::now());
    }

    /// The plan that instances are made by.
    #[inline]
    pub(super) fn plan(&self) -> &Plan<R> {
        &self.plan
    }

    #[cold]
    fn replace(&mut self) -> Result<(), Fault> {
        match self.plan.restart() {
            Ok(instance) => {
                self.instance = Some(instance);
                self.plan.counters.instances.fetch_add(1, Relaxed);
                Ok(())
            }
            Err(NoInstance { problem, cost }) => {
                self.began = None;
                Err(self.fail_at(cost, Crash { kind: FaultKind::Unavailable, detail: problem.to_string() }))
            }
        }
    }

    #[cold]
    fn fail(&mut self, crash: Crash) -> Fault {
        self.fail_at(Cost::Little, crash)
    }

    /// As [`Self::fail`]; the more it has cost, the sooner the plugin is put aside.
    #[cold]
    fn fail_at(&mut self, cost: Cost, crash: Crash) -> Fault {
        let now = Instant::now();
        self.lose(&crash, now);
        let change = match (crash.kind, cost) {
            (FaultKind::Deadline, _) if R::PROBES > 0 => self.suspect(),
            // A trap or a wrong answer is over in microseconds, and what one provokes must not be answered to all others.
            (FaultKind::Trap | FaultKind::Memory | FaultKind::Answer, _) if R::PROBES > 0 => Change::None,
            (_, Cost::Little) => self.breaker.failed(now),
            (_, Cost::Deadline) => self.breaker.failed_slowly(now),
            (_, Cost::Endless) => self.breaker.gave_out(now),
        };
        let counters = &self.plan.counters;
        if let Change::Opened(pause) = change {
            self.counters.set_open(true);
            let (plugin, role) = (&*counters.plugin, counters.role.as_str());
            tracing::warn!(plugin, role, ?pause, "plugin put aside after repeated faults");
        }
        Fault { plugin: Arc::clone(&counters.plugin), kind: crash.kind, detail: crash.detail }
    }

    /// The instance failed: it is counted, logged and thrown away.
    #[cold]
    fn lose(&mut self, crash: &Crash, now: Instant) {
        self.discard();
        self.plan.counters.record(crash, now);
    }

    #[cold]
    fn muted(&self, pause: Duration) {
        self.counters.set_feedback_open(true);
        let (plugin, role) = (&*self.plan.counters.plugin, self.plan.counters.role.as_str());
        tracing::warn!(plugin, role, ?pause, "plugin gets no feedback after repeated faults in it");
    }

    #[cold]
    fn unmuted(&self) {
        if self.ears.iter().any(Breaker::is_aside) {
            return;
        }
        self.counters.set_feedback_open(false);
        let (plugin, role) = (&*self.plan.counters.plugin, self.plan.counters.role.as_str());
        tracing::info!(plugin, role, "plugin gets feedback again after a probe");
    }

    #[cold]
    fn back(&self) {
        self.counters.set_open(false);
        let counters = &self.plan.counters;
        tracing::info!(plugin = &*counters.plugin, role = counters.role.as_str(), "plugin is back after a probe");
    }

    #[cold]
    fn aside(&self) -> Fault {
        let counters = &self.plan.counters;
        counters.count(FaultKind::Unavailable);
        let detail = "expected it in service, found it put aside after repeated faults".to_owned();
        Fault { plugin: Arc::clone(&counters.plugin), kind: FaultKind::Unavailable, detail }
    }

    fn discard(&mut self) {
        if self.instance.take().is_some() {
            self.plan.counters.instances.fetch_sub(1, Relaxed);
        }
    }
}

impl<R: Role> Drop for Seat<R> {
    fn drop(&mut self) {
        self.discard();
        self.plan.counters.close(&self.counters);
    }
}
