//! Whether a passed deadline is the fault of the plugin or of its input.
//!
//! That matters where a fault costs a client its request (503): what one client or endpoint provokes must not become a
//! 503 for all others. So the circuit opens only if the plugin passes its deadline in probes as well, which are calls
//! with harmless input of the gateway's own; input that provokes it is refused alone.

use std::sync::Arc;
use std::time::Instant;

use super::super::breaker::CircuitChange;
use super::super::call_error::CallError;
use super::super::factory::{NotStarted, PluginRole, StartCost};
use super::super::instance::Instance;
use super::super::suspects::{CallOrigin, CallSubject};
use super::InstanceSlot;
use crate::policy::{Fault, FaultKind};
use crate::telemetry::limited;

/// What became of the probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProbeOutcome {
    InTime,
    /// Each of them passed the deadline, or no instance could be made.
    Late,
    /// No instance could be made, and nothing could end the attempt.
    Endless,
}

impl<R: PluginRole> InstanceSlot<R> {
    /// As [`Self::ready`]; refuses as well input that made the plugin pass its deadline again and again.
    ///
    /// # Errors
    /// As there, and for such input.
    #[inline]
    pub(in super::super) fn ready_for(
        &mut self,
        subject: &impl CallSubject,
    ) -> Result<&mut Instance<R::Exports>, Fault> {
        if !self.suspects.is_empty() && !self.suspects.admit(subject, Instant::now()) {
            return Err(self.refused());
        }
        self.ready()
    }

    /// As [`Self::settle`], after [`Self::ready_for`].
    ///
    /// # Errors
    /// The error of the call, as the fault that the caller sees.
    #[inline]
    pub(in super::super) fn settle_for<T>(
        &mut self,
        subject: &impl CallSubject,
        result: Result<T, CallError>,
    ) -> Result<T, Fault> {
        let settled = self.settle(result);
        match &settled {
            Ok(_) if self.suspects.is_empty() => {}
            Ok(_) => self.suspects.clear(subject),
            Err(fault) if fault.kind == FaultKind::Deadline && !self.breaker.is_open() => self.blame(subject),
            Err(_) => {}
        }
        settled
    }

    /// A deadline was passed. Once too often in a row, probes say whether that is the fault of the plugin.
    #[cold]
    pub(super) fn deadline_passed(&mut self) -> CircuitChange {
        if !self.breaker.count_fault() {
            return CircuitChange::None;
        }
        match self.probe(None) {
            ProbeOutcome::InTime => self.breaker.succeeded(),
            ProbeOutcome::Late => self.breaker.open(Instant::now()),
            ProbeOutcome::Endless => self.breaker.failed_endlessly(Instant::now()),
        }
    }

    /// Counts a passed deadline towards the input, and towards its origin.
    #[cold]
    fn blame(&mut self, subject: &impl CallSubject) {
        let now = Instant::now();
        let mut opened = matches!(self.suspects.count_input(subject, now), CircuitChange::Opened(_));
        let origin = subject.origin();
        if let Some(origin) = origin.filter(|origin| self.suspects.count_origin(*origin, now)) {
            if self.probe(Some(origin)) == ProbeOutcome::InTime {
                self.suspects.clear_origin(origin);
            } else {
                opened |= matches!(self.suspects.refuse_origin(origin, Instant::now()), CircuitChange::Opened(_));
            }
        }
        if opened {
            let (plugin, role) = (&*self.factory.counters.plugin, self.factory.counters.role.as_str());
            let endpoint = origin.map(|origin| tracing::field::display(origin.endpoint));
            limited!(
                warn, of: *plugin, plugin, role, endpoint,
                "what made the plugin pass its deadline is refused for a while"
            );
        }
    }

    /// Calls the plugin with harmless input, until one call returns in time.
    #[cold]
    fn probe(&mut self, origin: Option<CallOrigin<'_>>) -> ProbeOutcome {
        for number in 0..R::PROBES {
            if self.instance.is_none() {
                match self.factory.replacement() {
                    Ok(instance) => self.fill(instance),
                    Err(NotStarted { problem, cost }) => {
                        self.lose(
                            &CallError { kind: FaultKind::Unavailable, detail: problem.to_string() },
                            Instant::now(),
                        );
                        return if cost == StartCost::Endless { ProbeOutcome::Endless } else { ProbeOutcome::Late };
                    }
                }
            }
            let (factory, ticks) = (Arc::clone(&self.factory), self.factory.artifact.ticks);
            let Some(instance) = &mut self.instance else { return ProbeOutcome::Late };
            let live = instance.store.data_mut().begin_trial();
            let probed =
                instance.run(R::DECIDES, ticks, |exports, store| factory.role.probe(exports, store, number, origin));
            instance.store.data_mut().shared = live;
            match probed {
                Ok(()) => return ProbeOutcome::InTime,
                Err(error) => {
                    self.lose(&error, Instant::now());
                    if error.kind != FaultKind::Deadline {
                        return ProbeOutcome::InTime;
                    }
                }
            }
        }
        ProbeOutcome::Late
    }

    /// While the circuit is open: whether the pause is over, and whether the plugin passes a probe if its role has
    /// some.
    #[cold]
    pub(super) fn may_be_tried(&mut self) -> bool {
        if !self.breaker.admits(Instant::now) {
            return false;
        }
        if R::PROBES == 0 {
            return true;
        }
        match self.probe(None) {
            ProbeOutcome::InTime => {
                if self.breaker.succeeded() == CircuitChange::Closed {
                    self.closed();
                }
                return true;
            }
            ProbeOutcome::Late => self.breaker.open(Instant::now()),
            ProbeOutcome::Endless => self.breaker.failed_endlessly(Instant::now()),
        };
        false
    }

    #[cold]
    fn refused(&self) -> Fault {
        let counters = &self.factory.counters;
        counters.count(FaultKind::Unavailable);
        let detail =
            "expected something that it answers in time, found what has made it pass its deadline again and again";
        Fault { plugin: Arc::clone(&counters.plugin), kind: FaultKind::Unavailable, detail: detail.to_owned() }
    }
}
