//! A plugin as balancer: one instance for its cluster, which exports `balancer` or, to say more, `chooser`.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::super::artifact::Artifact;
use super::super::bindings::types;
use super::super::contract::Interface;
use super::super::error::{LoadError, LoadErrorKind};
use super::super::factory::InstanceFactory;
use super::super::host_state::EffectScope;
use super::super::instance::Instance;
use super::super::role::RoleContract;
use super::super::slot::InstanceSlot;
use super::super::text::printable;
use super::balancing::{BalancerExports, BalancerSetup, NAME, PluginBalancer};
use super::choosing::{Chooses, ChoosingExport, Picks};
use super::previewing;
use super::spec::{RoleKind, RoleSpec};
use super::trial_inputs::TrialInputs;
use super::trial_picks::{MOST, TrialPick, trial_picks};
use crate::policy::{Balancer, BodySight, ClusterNumbers, Endpoint, UnusedNumbers};

/// Endpoints that a balancer is tried out with; the self-test makes more of them.
const TRIED_WITH: u8 = 2;

/// This role, as [`super::ROLES`] lists it.
pub(super) static ROLE: RoleSpec = RoleSpec {
    contract: RoleContract {
        name: NAME,
        filled_by: &[
            Interface { name: "balancer", functions: &["configure", "pick"] },
            Interface { name: "chooser", functions: &["configure", "choose"] },
        ],
        optional: &[
            Interface { name: "feedback", functions: &["opened", "closed"] },
            Interface { name: "handover", functions: &["save", "restore"] },
            previewing::PREVIEW,
        ],
    },
    kind: RoleKind::Balancer,
    try_out,
};

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

fn try_out(artifact: &Arc<Artifact>, inputs: &TrialInputs) -> Result<String, LoadErrorKind> {
    // Addresses of TEST-NET-1 (RFC 5737), which are never in use.
    let endpoints: Vec<_> = (1..=TRIED_WITH).map(|number| Endpoint::named(format!("ws://192.0.2.{number}"))).collect();
    let (_, finding) = balancer(artifact, &inputs.for_balancer(), &endpoints, Arc::new(UnusedNumbers), None)?;
    let done = match finding {
        SelfTestFinding::Chose => {
            "configured, chose among 1, 2 and 64 made-up endpoints, and with some of them drained"
        }
        SelfTestFinding::NeverChose => {
            "configured, refused each made-up choice: live, a request that it refuses gets 503"
        }
    };
    Ok(done.to_owned())
}

fn balancer(
    artifact: &Arc<Artifact>,
    config: &Value,
    endpoints: &[Endpoint],
    numbers: Arc<dyn ClusterNumbers>,
    carry: Option<Vec<u8>>,
) -> Result<(Box<dyn Balancer>, SelfTestFinding), LoadErrorKind> {
    let endpoints = endpoints.iter().map(types::Endpoint::from).collect();
    if artifact.compiled.interface.exports("chooser") {
        made::<Chooses>(artifact, BalancerSetup::new(config.to_string(), endpoints, numbers), carry)
    } else {
        made::<Picks>(artifact, BalancerSetup::new(config.to_string(), endpoints, numbers), carry)
    }
}

fn made<C: ChoosingExport>(
    artifact: &Arc<Artifact>,
    setup: BalancerSetup<C>,
    carry: Option<Vec<u8>>,
) -> Result<(Box<dyn Balancer>, SelfTestFinding), LoadErrorKind> {
    let factory = InstanceFactory::new(artifact, setup)?;
    let (mut instance, ()) = factory.first()?;
    let sight = wanted(&factory, &mut instance)?;
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
    Ok((Box::new(PluginBalancer::new(InstanceSlot::new(factory, instance), sight)), finding))
}

/// How much of bodies it wants to see; none if it exports no `preview`.
fn wanted<C: ChoosingExport>(
    factory: &InstanceFactory<BalancerSetup<C>>,
    instance: &mut Instance<BalancerExports<C>>,
) -> Result<Option<BodySight>, LoadErrorKind> {
    let wanted = instance.run("wants", factory.artifact.setup_ticks, |exports, store| {
        exports.preview.as_ref().map(|preview| preview.call_wants(store)).transpose()
    });
    let wanted = wanted.map_err(|error| LoadErrorKind::ConfigureFailed { message: error.detail })?;
    previewing::checked(wanted)
}

fn restore<C: ChoosingExport>(
    factory: &InstanceFactory<BalancerSetup<C>>,
    instance: &mut Instance<BalancerExports<C>>,
    state: &[u8],
) -> Result<(), String> {
    let restored = instance.run("restore", factory.artifact.setup_ticks, |exports, store| match &exports.handover {
        Some(handover) => handover.call_restore(store, state),
        None => Ok(Ok(())),
    });
    match restored {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) if message.trim().is_empty() => Err("it gives no reason".to_owned()),
        Ok(Err(message)) => Err(printable(&factory.artifact.shared.masks.mask(&message)).into_owned()),
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
fn self_test<C: ChoosingExport>(factory: &InstanceFactory<BalancerSetup<C>>) -> Result<SelfTestFinding, LoadErrorKind> {
    let most = MOST as usize;
    let real = &factory.role.endpoints;
    let mut endpoints: Vec<_> = real.iter().cycle().take(most.max(real.len())).cloned().collect();
    for (index, endpoint) in endpoints.iter_mut().enumerate().skip(real.len()) {
        endpoint.name = format!("{}#{index}", endpoint.name);
    }
    let role = |endpoints| BalancerSetup::new(factory.role.config.clone(), endpoints, Arc::new(UnusedNumbers));
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
        let state = instance.store.data_mut();
        state.eligible.copy_from(eligible);
        state.begin_effects(EffectScope::Notes);
        let began = Instant::now();
        let picked = instance
            .run(C::FUNCTION, std::mem::replace(&mut ticks, factory.artifact.ticks), |exports, store| {
                C::call(&exports.choosing, store, eligible.as_numbers(), busy, *affinity)
            })
            .and_then(|choice| C::checked(choice, eligible));
        let picked =
            picked.map_err(|error| LoadErrorKind::SelfTest { with: pick.to_string(), message: error.detail })?;
        chose |= picked.endpoint().is_some();
        factory.note_start_time(began.elapsed());
    }
    match (chose || picks.is_empty(), factory.artifact.compiled.interface.sees_arguments_only()) {
        (true, _) => Ok(SelfTestFinding::Chose),
        (false, false) => Ok(SelfTestFinding::NeverChose),
        (false, true) => Err(LoadErrorKind::NeverChooses { function: C::FUNCTION.to_owned(), picks: picks.len() }),
    }
}
