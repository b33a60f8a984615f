//! A slot for one instance: one for each cluster (balancer) or worker (router, rewriter).
//!
//! ```text
//! ready ─▶ instance ─▶ call ─▶ settle ─┬─ fine: the breaker forgets earlier faults
//!   ▲                                  ╰─ fault: count, log, throw the instance away
//!   ╰── a fresh instance, configured again; while the circuit is open the call is refused at once
//! ```
//!
//! Where a fault costs a client its request (503), a passed deadline opens the circuit only if the plugin passes its
//! deadline in probes as well; otherwise the input that provoked it is refused alone: see [`super::suspects`].

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::breaker::{CircuitBreaker, CircuitChange};
use super::call_error::CallError;
use super::counters::SlotCounters;
use super::factory::{InstanceFactory, NotStarted, PluginRole, StartCost};
use super::instance::Instance;
use super::suspects::Suspects;
use crate::policy::{CallMeter, Fault, FaultKind};

mod blame;

/// What feedback is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum FeedbackKind {
    /// A lease began.
    Opened,
    /// A lease ended.
    Closed,
}

impl FeedbackKind {
    /// The export that is called.
    pub(super) fn export(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}

/// A slot for one instance, with what it takes to replace it and to leave the plugin out.
pub(super) struct InstanceSlot<R: PluginRole> {
    factory: Arc<InstanceFactory<R>>,
    instance: Option<Instance<R::Exports>>,
    breaker: CircuitBreaker,
    suspects: Suspects,
    /// One for each [`FeedbackKind`]: a success in one must not excuse the other, nor a pick either.
    feedback_breakers: [CircuitBreaker; 2],
    counters: Arc<SlotCounters>,
    began: Option<Instant>,
}

impl<R: PluginRole> InstanceSlot<R> {
    /// A slot with its first instance.
    pub(super) fn new(factory: Arc<InstanceFactory<R>>, instance: Instance<R::Exports>) -> Self {
        let counters = factory.counters.open();
        factory.counters.instances.fetch_add(1, Relaxed);
        Self {
            factory,
            instance: Some(instance),
            breaker: CircuitBreaker::default(),
            suspects: Suspects::default(),
            feedback_breakers: Default::default(),
            counters,
            began: None,
        }
    }

    /// What counts its calls.
    pub(super) fn meter(&self) -> Arc<dyn CallMeter> {
        self.counters.clone()
    }

    /// The instance, for one call that is then settled.
    ///
    /// # Errors
    /// If the circuit is open, or no fresh instance can be made after a fault.
    #[inline]
    pub(super) fn ready(&mut self) -> Result<&mut Instance<R::Exports>, Fault> {
        if self.breaker.is_open() && !self.may_be_tried() {
            return Err(self.left_out());
        }
        self.began = self.counters.begin();
        if self.instance.is_none() {
            self.replace()?;
        }
        // `replace` has filled it; if it did not, that is a fault like any other.
        match &mut self.instance {
            Some(instance) => Ok(instance),
            None => Err(Fault {
                plugin: Arc::clone(&self.factory.counters.plugin),
                kind: FaultKind::Unavailable,
                detail: "no instance".to_owned(),
            }),
        }
    }

    /// Ends a call: a fault is counted and logged, and the instance thrown away.
    ///
    /// # Errors
    /// The error of the call, as the fault that the caller sees.
    #[inline]
    pub(super) fn settle<T>(&mut self, result: Result<T, CallError>) -> Result<T, Fault> {
        self.counters.end(self.began.take());
        match result {
            Ok(value) => {
                if self.breaker.succeeded() == CircuitChange::Closed {
                    self.closed();
                }
                Ok(value)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The instance, if there is one, for a call beside decisions. Such a call makes no instance, and neither opens nor
    /// closes the circuit: only decisions do.
    #[inline]
    pub(super) fn if_running(&mut self) -> Option<&mut Instance<R::Exports>> {
        let instance = self.instance.as_mut()?;
        self.began = self.counters.begin();
        Some(instance)
    }

    /// Ends a call to [`Self::if_running`]: a fault is counted and logged, and the instance thrown away.
    pub(super) fn settle_quietly<T>(&mut self, result: Result<T, CallError>) -> Option<T> {
        self.counters.end(self.began.take());
        result.map_err(|error| self.lose(&error, Instant::now())).ok()
    }

    /// As [`Self::if_running`], for feedback: none as well while a circuit of feedback is open.
    #[inline]
    pub(super) fn for_feedback(&mut self) -> Option<&mut Instance<R::Exports>> {
        if !self.feedback_breakers.iter().all(|breaker| breaker.admits(Instant::now)) {
            return None;
        }
        self.if_running()
    }

    /// Ends a call to [`Self::for_feedback`]. Faults in a row open the circuit of this kind of feedback, so that not
    /// every pick pays for a fresh instance.
    #[inline]
    pub(super) fn settle_feedback(&mut self, kind: FeedbackKind, result: Result<(), CallError>) {
        self.counters.end(self.began.take());
        let [opened, closed] = &mut self.feedback_breakers;
        let breaker = match kind {
            FeedbackKind::Opened => opened,
            FeedbackKind::Closed => closed,
        };
        match result {
            Ok(()) if breaker.succeeded() == CircuitChange::Closed => self.feedback_closed(),
            Ok(()) => {}
            Err(error) => {
                let now = Instant::now();
                let change = breaker.failed(now);
                self.lose(&error, now);
                if let CircuitChange::Opened(pause) = change {
                    self.feedback_opened(pause);
                }
            }
        }
    }

    /// Counts and logs a returned value that is refused, of an instance that works and is kept.
    pub(super) fn reject_result(&self, error: &CallError) {
        self.factory.counters.record(error, Instant::now());
    }

    /// What makes the instances.
    #[inline]
    pub(super) fn factory(&self) -> &InstanceFactory<R> {
        &self.factory
    }

    #[cold]
    fn replace(&mut self) -> Result<(), Fault> {
        match self.factory.replacement() {
            Ok(instance) => {
                self.fill(instance);
                Ok(())
            }
            Err(NotStarted { problem, cost }) => {
                self.began = None;
                Err(self.fail_at(cost, CallError { kind: FaultKind::Unavailable, detail: problem.to_string() }))
            }
        }
    }

    fn fill(&mut self, instance: Instance<R::Exports>) {
        self.instance = Some(instance);
        self.factory.counters.instances.fetch_add(1, Relaxed);
    }

    #[cold]
    fn fail(&mut self, error: CallError) -> Fault {
        self.fail_at(StartCost::Little, error)
    }

    /// As [`Self::fail`]; the more the fault has cost, the sooner the circuit opens.
    #[cold]
    fn fail_at(&mut self, cost: StartCost, error: CallError) -> Fault {
        let now = Instant::now();
        let detail = self.factory.artifact.shared.masks.mask(&error.detail).into_owned();
        let error = CallError { detail, ..error };
        self.lose(&error, now);
        let change = match (error.kind, cost) {
            (FaultKind::Deadline, _) if R::PROBES > 0 => self.deadline_passed(),
            // A trap or a wrong result is over in microseconds, and what one client provokes must not become a 503 for
            // all.
            (FaultKind::Trap | FaultKind::Memory | FaultKind::Answer, _) if R::PROBES > 0 => CircuitChange::None,
            (_, StartCost::Little) => self.breaker.failed(now),
            (_, StartCost::Deadline) => self.breaker.failed_slowly(now),
            (_, StartCost::Endless) => self.breaker.failed_endlessly(now),
        };
        let counters = &self.factory.counters;
        if let CircuitChange::Opened(pause) = change {
            self.counters.set_open(true);
            let (plugin, role) = (&*counters.plugin, counters.role.as_str());
            tracing::warn!(plugin, role, ?pause, "plugin put aside after repeated faults");
        }
        Fault { plugin: Arc::clone(&counters.plugin), kind: error.kind, detail: error.detail }
    }

    /// Throws the instance away and counts and logs why.
    #[cold]
    fn lose(&mut self, error: &CallError, now: Instant) {
        self.discard();
        self.factory.counters.record(error, now);
    }

    #[cold]
    fn feedback_opened(&self, pause: Duration) {
        self.counters.set_feedback_open(true);
        let (plugin, role) = (&*self.factory.counters.plugin, self.factory.counters.role.as_str());
        tracing::warn!(plugin, role, ?pause, "plugin gets no feedback after repeated faults in it");
    }

    #[cold]
    fn feedback_closed(&self) {
        if self.feedback_breakers.iter().any(CircuitBreaker::is_open) {
            return;
        }
        self.counters.set_feedback_open(false);
        let (plugin, role) = (&*self.factory.counters.plugin, self.factory.counters.role.as_str());
        tracing::info!(plugin, role, "plugin gets feedback again after a probe");
    }

    #[cold]
    fn closed(&self) {
        self.counters.set_open(false);
        let counters = &self.factory.counters;
        tracing::info!(plugin = &*counters.plugin, role = counters.role.as_str(), "plugin is back after a probe");
    }

    #[cold]
    fn left_out(&self) -> Fault {
        let counters = &self.factory.counters;
        counters.count(FaultKind::Unavailable);
        let detail = "expected it in service, found it put aside after repeated faults".to_owned();
        Fault { plugin: Arc::clone(&counters.plugin), kind: FaultKind::Unavailable, detail }
    }

    fn discard(&mut self) {
        if let Some(instance) = self.instance.take() {
            self.factory.counters.instances.fetch_sub(1, Relaxed);
            self.factory.counters.fuel.fetch_add(instance.fuel().unwrap_or(0), Relaxed);
        }
    }
}

impl<R: PluginRole> Drop for InstanceSlot<R> {
    fn drop(&mut self) {
        self.discard();
        self.factory.counters.close(&self.counters);
    }
}
