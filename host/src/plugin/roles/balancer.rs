//! A plugin as balancer: one instance for its cluster.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::types::ConfigError;
use super::super::bindings::{balancer as contract, feedback, handover, types};
use super::super::call_error::CallError;
use super::super::contract::Interface;
use super::super::error::{LoadError, LoadErrorKind};
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::host_state::HostState;
use super::super::instance::Instance;
use super::super::role::{RoleContract, RoleName};
use super::super::slot::{FeedbackKind, InstanceSlot};
use super::super::text::printable;
use super::spec::{RoleKind, RoleSpec};
use super::trial_picks::{MOST, TrialPick, trial_picks};
use crate::policy::{
    Balancer, CallMeter, ClusterNumbers, Endpoint, EndpointId, EndpointIds, Fault, LeaseEnding, Outcome, PickRequest,
    UnusedNumbers,
};

/// Bytes of state that are handed over in a swap.
const STATE_BYTES: usize = 1 << 20;

/// Endpoints that a balancer is tried out with; the self-test makes more of them.
const TRIED_WITH: u8 = 2;

/// This role, as [`super::ROLES`] lists it.
pub(super) static ROLE: RoleSpec = RoleSpec {
    contract: RoleContract {
        name: RoleName::new("balancer"),
        interfaces: &[
            Interface { name: "balancer", functions: &["configure", "pick"] },
            Interface { name: "feedback", functions: &["opened", "closed"] },
            Interface { name: "handover", functions: &["save", "restore"] },
        ],
    },
    kind: RoleKind::Balancer,
    try_out,
};

/// What each instance for this cluster is configured with.
struct BalancerSetup {
    config: String,
    endpoints: Vec<types::Endpoint>,
    numbers: Arc<dyn ClusterNumbers>,
}

struct BalancerExports {
    balancer: contract::Guest,
    feedback: Option<feedback::Guest>,
    handover: Option<handover::Guest>,
}

impl PluginRole for BalancerSetup {
    type Exports = BalancerExports;
    type Configured = ();
    const NAME: RoleName = ROLE.contract.name;
    const DECIDES: &'static str = "pick";

    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<BalancerExports> {
        let (pre, interface) = (&artifact.compiled.pre, &artifact.compiled.interface);
        let balancer = contract::GuestIndices::new(pre)?.load(&mut *store, instance)?;
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
        Ok(BalancerExports { balancer, feedback, handover })
    }

    fn configure(
        &self,
        exports: &BalancerExports,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<(), Vec<ConfigError>>> {
        exports.balancer.call_configure(store, &self.config, &self.endpoints)
    }

    fn init_state(&self, state: &mut HostState) {
        state.numbers = Some(Arc::clone(&self.numbers));
    }
}

impl Artifact {
    /// A balancer for one cluster: configured, its predecessor's `carry` restored if it takes it, and tried out with up
    /// to 64 made-up endpoints on an instance that is thrown away.
    ///
    /// # Errors
    /// If it is no balancer, refuses its configuration, or fails the self-test.
    pub fn balancer(
        self: &Arc<Self>,
        config: &Value,
        endpoints: &[Endpoint],
        numbers: Arc<dyn ClusterNumbers>,
        carry: Option<Vec<u8>>,
    ) -> Result<Box<dyn Balancer>, LoadError> {
        let made = balancer(self, config, endpoints, numbers, carry).map(|(balancer, finding)| {
            if matches!(finding, SelfTestFinding::NeverChose) {
                let plugin = &**self.name();
                tracing::warn!(
                    plugin,
                    "balancer refused each choice of its self-test; live, each such request gets 503"
                );
            }
            balancer
        });
        self.note(made)
    }
}

fn try_out(artifact: &Arc<Artifact>, config: Option<&Value>) -> Result<&'static str, LoadErrorKind> {
    // Addresses of TEST-NET-1 (RFC 5737), which are never in use.
    let endpoints: Vec<_> = (1..=TRIED_WITH).map(|number| Endpoint::named(format!("ws://192.0.2.{number}"))).collect();
    let (_, finding) =
        balancer(artifact, &config.cloned().unwrap_or_default(), &endpoints, Arc::new(UnusedNumbers), None)?;
    Ok(match finding {
        SelfTestFinding::Chose => {
            "configured, chose among 1, 2 and 64 made-up endpoints, and with some of them drained"
        }
        SelfTestFinding::NeverChose => {
            "configured, refused each made-up choice: live, a request that it refuses gets 503"
        }
    })
}

fn balancer(
    artifact: &Arc<Artifact>,
    config: &Value,
    endpoints: &[Endpoint],
    numbers: Arc<dyn ClusterNumbers>,
    carry: Option<Vec<u8>>,
) -> Result<(Box<dyn Balancer>, SelfTestFinding), LoadErrorKind> {
    let endpoints = endpoints.iter().map(types::Endpoint::from).collect();
    let factory = InstanceFactory::new(artifact, BalancerSetup { config: config.to_string(), endpoints, numbers })?;
    let (mut instance, ()) = factory.first()?;
    let finding = self_test(&factory)?;
    if let Some(state) = carry
        && let Err(reason) = restore(&factory, &mut instance, &state)
    {
        tracing::warn!(
            plugin = &**artifact.name(),
            reason,
            "balancer does not take its predecessor's state; it starts fresh"
        );
        (instance, ()) = factory.first()?;
    }
    let interface = &artifact.compiled.interface;
    let (wants_request, wants_columns) = (interface.imports("request"), interface.imports("columns"));
    let slot = InstanceSlot::new(factory, instance);
    Ok((Box::new(PluginBalancer { slot, wants_request, wants_columns }), finding))
}

fn restore(
    factory: &InstanceFactory<BalancerSetup>,
    instance: &mut Instance<BalancerExports>,
    state: &[u8],
) -> Result<(), String> {
    let restored = instance.run("restore", factory.artifact.setup_ticks, |exports, store| match &exports.handover {
        Some(handover) => handover.call_restore(store, state),
        None => Ok(Ok(())),
    });
    match restored {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) if message.trim().is_empty() => Err("it gives no reason".to_owned()),
        Ok(Err(message)) => Err(printable(&message).into_owned()),
        Err(error) => Err(error.detail),
    }
}

/// What a self-test that was passed has shown.
#[derive(Clone, Copy, Debug)]
enum SelfTestFinding {
    Chose,
    /// It refused each time, and imports what may tell it otherwise once there is traffic.
    NeverChose,
}

/// Lets the plugin choose among made-up endpoints, on an instance that shares nothing with the real one.
///
/// The real endpoints come first, more are copied from them; a plugin that objects to the copies is tried with the real
/// ones alone.
fn self_test(factory: &InstanceFactory<BalancerSetup>) -> Result<SelfTestFinding, LoadErrorKind> {
    let most = MOST as usize;
    let real = &factory.role.endpoints;
    let mut endpoints: Vec<_> = real.iter().cycle().take(most.max(real.len())).cloned().collect();
    for (index, endpoint) in endpoints.iter_mut().enumerate().skip(real.len()) {
        endpoint.name = format!("{}#{index}", endpoint.name);
    }
    let role =
        |endpoints| BalancerSetup { config: factory.role.config.clone(), endpoints, numbers: Arc::new(UnusedNumbers) };
    let (mut instance, offered) = match factory.throwaway(&role(endpoints)) {
        Ok(instance) => (instance, most),
        Err(LoadErrorKind::Configure { .. }) => (factory.throwaway(&role(real.clone()))?, real.len()),
        Err(problem) => return Err(problem),
    };
    // What is made ready in the first pick is made ready once in each instance; the others get the time that requests
    // do.
    let mut ticks = factory.artifact.setup_ticks;
    let picks = trial_picks(offered);
    let mut chose = false;
    for pick in &picks {
        let TrialPick { eligible, busy, affinity } = pick;
        instance.store.data_mut().eligible.copy_from(eligible);
        let began = Instant::now();
        let picked = instance
            .run(BalancerSetup::DECIDES, std::mem::replace(&mut ticks, factory.artifact.ticks), |exports, store| {
                exports.balancer.call_pick(store, eligible.as_numbers(), busy, *affinity)
            })
            .and_then(|choice| checked(choice, eligible));
        let picked =
            picked.map_err(|error| LoadErrorKind::SelfTest { with: pick.to_string(), message: error.detail })?;
        chose |= picked.is_some();
        factory.note_start_time(began.elapsed());
    }
    match (chose || picks.is_empty(), factory.artifact.compiled.interface.sees_arguments_only()) {
        (true, _) => Ok(SelfTestFinding::Chose),
        (false, false) => Ok(SelfTestFinding::NeverChose),
        (false, true) => Err(LoadErrorKind::NeverChooses { picks: picks.len() }),
    }
}

struct PluginBalancer {
    slot: InstanceSlot<BalancerSetup>,
    wants_request: bool,
    wants_columns: bool,
}

impl Balancer for PluginBalancer {
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Option<EndpointId>, Fault> {
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
            state.lend(facts);
        }
        let choice = instance.run(BalancerSetup::DECIDES, ticks, |exports, store| {
            exports.balancer.call_pick(store, request.eligible.as_numbers(), request.busy, request.affinity)
        });
        let state = instance.store.data_mut();
        if self.wants_columns {
            state.eligible.clear();
        }
        if self.wants_request {
            state.give_back();
        }
        self.slot.settle(choice.and_then(|choice| checked(choice, request.eligible)))
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

impl PluginBalancer {
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

/// Only what was offered may be chosen.
#[inline]
fn checked(choice: Option<u32>, eligible: &EndpointIds) -> Result<Option<EndpointId>, CallError> {
    match choice.map(EndpointId) {
        Some(id) if !eligible.contains(id) => Err(not_eligible(id, eligible)),
        choice => Ok(choice),
    }
}

#[cold]
fn not_eligible(id: EndpointId, eligible: &EndpointIds) -> CallError {
    let eligible = eligible.as_numbers();
    let shown = eligible.get(..16).unwrap_or(eligible);
    let more = if shown.len() < eligible.len() { ", …" } else { "" };
    let expected = format_args!("none, or one of the {} eligible ids {shown:?}{more}", eligible.len());
    // The commonest mistake, and one that goes unseen as long as no endpoint in the middle is drained.
    match usize::try_from(id.0).ok().and_then(|index| eligible.get(index)) {
        Some(meant) => CallError::answer(
            expected,
            format_args!(
                "{id}; if that is an index into `eligible`, return `eligible[{id}]`, which is {meant}: an id is \
                 expected"
            ),
        ),
        None => CallError::answer(expected, id),
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
