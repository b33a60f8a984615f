//! A balancer at work: its instances, its choices, its feedback and the state that it hands over.

use std::marker::PhantomData;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::types::ConfigError;
use super::super::bindings::{feedback, handover, preview, types};
use super::super::call_error::CallError;
use super::super::factory::PluginRole;
use super::super::host_state::{EffectScope, HostState};
use super::super::role::RoleName;
use super::super::slot::{FeedbackKind, InstanceSlot};
use super::choosing::ChoosingExport;
use super::previewing;
use crate::policy::{
    Balancer, BodySight, CallMeter, Choice, ClusterNumbers, Effects, EndpointId, Fault, LeaseEnding, Outcome,
    PickRequest,
};

/// Name of the role.
pub(super) const NAME: RoleName = RoleName::new("balancer");

/// Bytes of state that are handed over in a swap.
const STATE_BYTES: usize = 1 << 20;

/// What each instance for this cluster is configured with.
pub(super) struct BalancerSetup<C> {
    pub(super) config: String,
    pub(super) endpoints: Vec<types::Endpoint>,
    numbers: Arc<dyn ClusterNumbers>,
    chooses_by: PhantomData<C>,
}

impl<C> BalancerSetup<C> {
    pub(super) fn new(config: String, endpoints: Vec<types::Endpoint>, numbers: Arc<dyn ClusterNumbers>) -> Self {
        Self { config, endpoints, numbers, chooses_by: PhantomData }
    }
}

pub(super) struct BalancerExports<C: ChoosingExport> {
    pub(super) choosing: C::Guest,
    pub(super) feedback: Option<feedback::Guest>,
    pub(super) handover: Option<handover::Guest>,
    pub(super) preview: Option<preview::Guest>,
}

impl<C: ChoosingExport> PluginRole for BalancerSetup<C> {
    type Exports = BalancerExports<C>;
    type Configured = ();
    const NAME: RoleName = NAME;
    const DECIDES: &'static str = C::FUNCTION;

    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<BalancerExports<C>> {
        let (pre, interface) = (&artifact.compiled.pre, &artifact.compiled.interface);
        let choosing = C::find(pre, store, instance)?;
        let feedback = if interface.exports("feedback") {
            Some(feedback::GuestIndices::new(pre)?.load(&mut *store, instance)?)
        } else {
            None
        };
        let handover = if interface.exports("handover") {
            Some(handover::GuestIndices::new(pre)?.load(&mut *store, instance)?)
        } else {
            None
        };
        let preview = previewing::find(artifact, store, instance)?;
        Ok(BalancerExports { choosing, feedback, handover, preview })
    }

    fn configure(
        &self,
        exports: &BalancerExports<C>,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<(), Vec<ConfigError>>> {
        C::configure(&exports.choosing, store, &self.config, &self.endpoints)
    }

    fn init_state(&self, state: &mut HostState) {
        state.numbers = Some(Arc::clone(&self.numbers));
    }
}

/// A plugin that chooses for one cluster.
pub(super) struct PluginBalancer<C: ChoosingExport> {
    slot: InstanceSlot<BalancerSetup<C>>,
    wants_request: bool,
    wants_columns: bool,
    wants_notes: bool,
    /// Of the last pick.
    effects: Effects,
    sight: Option<BodySight>,
}

impl<C: ChoosingExport> PluginBalancer<C> {
    pub(super) fn new(slot: InstanceSlot<BalancerSetup<C>>, sight: Option<BodySight>) -> Self {
        let interface = &slot.factory().artifact.compiled.interface;
        let (wants_notes, wants_columns) = (interface.imports("notes"), interface.imports("columns"));
        let wants_request = interface.imports("request") || interface.imports("body") || wants_notes;
        Self { slot, wants_request, wants_columns, wants_notes, effects: Effects::default(), sight }
    }
}

impl<C: ChoosingExport> Balancer for PluginBalancer<C> {
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, Fault> {
        let factory = self.slot.factory();
        let (usual, first) = (factory.artifact.ticks, factory.replacement_ticks());
        let instance = self.slot.ready()?;
        let ticks = if std::mem::take(&mut instance.fresh) { first } else { usual };
        let state = instance.store.data_mut();
        if self.wants_columns {
            state.eligible.copy_from(request.eligible);
        }
        if self.wants_request
            && let Some(facts) = request.request
        {
            state.lend(facts, self.sight);
        }
        if self.wants_notes {
            state.begin_effects(EffectScope::Notes);
        }
        let choice = instance.run(C::FUNCTION, ticks, |exports, store| {
            C::call(&exports.choosing, store, request.eligible.as_numbers(), request.busy, request.affinity)
        });
        let state = instance.store.data_mut();
        if self.wants_columns {
            state.eligible.clear();
        }
        if self.wants_request {
            state.give_back();
        }
        let effects = if self.wants_notes { state.take_effects() } else { Effects::default() };
        let choice = self.slot.settle(choice.and_then(|choice| C::checked(choice, request.eligible)));
        if self.wants_notes {
            self.effects = if choice.is_ok() { effects } else { Effects::default() };
        }
        choice
    }

    fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    fn wants_feedback(&self) -> bool {
        self.slot.factory().artifact.compiled.interface.exports("feedback")
    }

    fn opened(&mut self, endpoint: EndpointId) {
        self.feed_back(FeedbackKind::Opened, |feedback, store| feedback.call_opened(store, endpoint.0));
    }

    fn closed(&mut self, endpoint: EndpointId, outcome: &Outcome) {
        self.feed_back(FeedbackKind::Closed, |feedback, store| feedback.call_closed(store, endpoint.0, outcome.into()));
    }

    fn sight(&self) -> Option<BodySight> {
        self.sight
    }

    fn meter(&self) -> Option<Arc<dyn CallMeter>> {
        Some(self.slot.meter())
    }

    fn save(&mut self) -> Option<Vec<u8>> {
        if !self.slot.factory().artifact.compiled.interface.exports("handover") {
            return None;
        }
        // Requests wait for the lock meanwhile: saving gets no more time than a pick.
        let ticks = self.slot.factory().artifact.ticks;
        let instance = self.slot.if_running()?;
        let saved = instance.run("save", ticks, |exports, store| {
            exports.handover.as_ref().map(|handover| handover.call_save(store)).transpose()
        });
        let state = self.slot.settle_quietly(saved).flatten()?;
        if state.len() > STATE_BYTES {
            self.slot
                .reject_result(&CallError::answer(format_args!("at most {STATE_BYTES} bytes of state"), state.len()));
            return None;
        }
        Some(state)
    }
}

impl<C: ChoosingExport> PluginBalancer<C> {
    /// Feedback returns nothing; a fault in it is counted and costs the instance like any other, and several in a row
    /// end feedback for a while.
    fn feed_back(
        &mut self,
        kind: FeedbackKind,
        call: impl FnOnce(&feedback::Guest, &mut Store<HostState>) -> wasmtime::Result<()>,
    ) {
        if !self.wants_feedback() {
            return;
        }
        let ticks = self.slot.factory().artifact.ticks;
        let Some(instance) = self.slot.for_feedback() else { return };
        let result = instance.run(kind.export(), ticks, |exports, store| match &exports.feedback {
            Some(feedback) => call(feedback, store),
            None => Ok(()),
        });
        self.slot.settle_feedback(kind, result);
    }
}

impl From<&Outcome> for feedback::Outcome {
    #[expect(clippy::cast_precision_loss, reason = "the contract counts bytes as f64, exact to 2^53")]
    fn from(outcome: &Outcome) -> Self {
        Self {
            ending: match outcome.ending {
                LeaseEnding::Complete => feedback::Ending::Complete,
                LeaseEnding::Unreachable => feedback::Ending::Unreachable,
                LeaseEnding::Broken => feedback::Ending::Broken,
                LeaseEnding::Abandoned => feedback::Ending::Abandoned,
            },
            status: outcome.status.map(u32::from),
            duration: outcome.duration.as_secs_f64() * 1e6,
            first_byte: outcome.first_byte.map(|time| time.as_secs_f64() * 1e6),
            sent: outcome.sent as f64,
            received: outcome.received as f64,
        }
    }
}
