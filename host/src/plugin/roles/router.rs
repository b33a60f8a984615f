//! A plugin as router: one instance for each worker.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;

use ::http::Method;
use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::types::{ConfigError, RequestLine};
use super::super::bindings::{preview, repetition, router as contract};
use super::super::contract::Interface;
use super::super::error::{LoadError, LoadErrorKind};
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::host_state::{EffectScope, HostState};
use super::super::role::{RoleContract, RoleName};
use super::super::slot::InstanceSlot;
use super::super::suspects::{CallOrigin, CallSubject};
use super::super::text::printable;
use super::decision::{RouterPlace, RouterTargets};
use super::per_worker::{PROBE_HOST, SELF_TEST_HOST, per_worker};
use super::previewing;
use super::route_cache::RouteCache;
use super::spec::{RoleKind, RoleSpec};
use super::trial_inputs::TrialInputs;
use crate::lifecycle::PerWorker;
use crate::net::UpgradeProtocol;
use crate::policy::{BodySight, Fault, RequestFacts, Routed, Router, Scheme};

/// This role, as [`super::ROLES`] lists it.
pub(super) static ROLE: RoleSpec = RoleSpec {
    contract: RoleContract {
        name: RoleName::new("router"),
        filled_by: &[Interface { name: "router", functions: &["configure", "route"] }],
        optional: &[Interface { name: "repetition", functions: &["repeats"] }, previewing::PREVIEW],
    },
    kind: RoleKind::Router,
    try_out,
};

struct RouterSetup {
    config: String,
    clusters: Vec<String>,
}

struct RouterExports {
    router: contract::Guest,
    repetition: Option<repetition::Guest>,
    preview: Option<preview::Guest>,
}

/// What a router says of itself.
struct RouterPromises {
    /// The same decision for equal requests.
    repeats: bool,
    wants: Option<preview::Sight>,
}

impl PluginRole for RouterSetup {
    type Exports = RouterExports;
    type Configured = RouterPromises;
    const NAME: RoleName = ROLE.contract.name;
    const DECIDES: &'static str = "route";

    /// Two, so that a router that one path makes hang is not taken for one that hangs because that path is the first.
    const PROBES: u32 = 2;

    fn probe(
        &self,
        exports: &RouterExports,
        store: &mut Store<HostState>,
        number: u32,
        _party: Option<CallOrigin<'_>>,
    ) -> wasmtime::Result<()> {
        let path = if number == 0 { "/" } else { "/.well-known/tidegate/probe" };
        let request = RequestFacts::made_up(PROBE_HOST, path);
        let state = store.data_mut();
        state.lend(&request, None);
        state.begin_effects(EffectScope::Edits);
        let decided = exports.router.call_route(&mut *store, &(&request).into()).map(drop);
        let state = store.data_mut();
        state.give_back();
        drop(state.take_effects());
        decided
    }

    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<RouterExports> {
        let (pre, interface) = (&artifact.compiled.pre, &artifact.compiled.interface);
        let router = contract::GuestIndices::new(pre)?.load(&mut *store, instance).map_err(explained)?;
        let repetition = if interface.exports("repetition") {
            Some(repetition::GuestIndices::new(pre)?.load(&mut *store, instance)?)
        } else {
            None
        };
        let preview = previewing::find(artifact, store, instance)?;
        Ok(RouterExports { router, repetition, preview })
    }

    fn configure(
        &self,
        exports: &RouterExports,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<RouterPromises, Vec<ConfigError>>> {
        if let Err(errors) = exports.router.call_configure(&mut *store, &self.config, &self.clusters)? {
            return Ok(Err(errors));
        }
        let repeats = match &exports.repetition {
            Some(repetition) => repetition.call_repeats(&mut *store)?,
            None => false,
        };
        let wants = exports.preview.as_ref().map(|preview| preview.call_wants(store)).transpose()?;
        Ok(Ok(RouterPromises { repeats, wants }))
    }
}

impl Artifact {
    /// A router at this `place`, with one instance for each of `workers`. `clusters` are the names that its targets
    /// index, `route_count` is the number of `[[route]]`. One of a route may leave a decision to the next.
    ///
    /// # Errors
    /// If it is no router, refuses its configuration, or fails the self-test.
    pub fn router(
        self: &Arc<Self>,
        config: &Value,
        clusters: &[String],
        route_count: usize,
        workers: NonZeroUsize,
        place: RouterPlace,
    ) -> Result<Box<dyn Router>, LoadError> {
        self.note(router(self, config, clusters, route_count, workers, place))
    }
}

fn try_out(artifact: &Arc<Artifact>, inputs: &TrialInputs) -> Result<String, LoadErrorKind> {
    let (config, clusters) = (inputs.for_router_or_rewriter(), inputs.clusters(1));
    router(artifact, &config, &clusters, inputs.route_count(), NonZeroUsize::MIN, RouterPlace::Route)?;
    Ok(match clusters.as_slice() {
        [one] => format!("configured with a cluster `{}`, decided 3 made-up requests", printable(one)),
        all => format!("configured with {} clusters, decided 3 made-up requests", all.len()),
    })
}

fn router(
    artifact: &Arc<Artifact>,
    config: &Value,
    clusters: &[String],
    route_count: usize,
    workers: NonZeroUsize,
    place: RouterPlace,
) -> Result<Box<dyn Router>, LoadErrorKind> {
    let factory =
        InstanceFactory::new(artifact, RouterSetup { config: config.to_string(), clusters: clusters.to_vec() })?;
    let targets = RouterTargets { place, clusters: clusters.len(), routes: route_count };
    let (slots, RouterPromises { repeats, wants }) = per_worker(&factory, workers)?;
    let sight = previewing::checked(wants)?;
    self_test(&factory, &targets)?;
    let wants_request = ["request", "body", "notes"].iter().any(|one| artifact.compiled.interface.imports(one));
    let caches = PerWorker::new(workers, || repeats.then(RouteCache::default));
    Ok(Box::new(PluginRouter { slots, caches, wants_request, sight, targets }))
}

/// A decision had three cases before there were chains of plugins.
fn explained(error: wasmtime::Error) -> wasmtime::Error {
    if format!("{error:#}").contains("variant of 4 cases, found 3") {
        return error.context("built against an earlier contract: rebuild it");
    }
    error
}

/// Lets the plugin decide made-up requests, on an instance that shares nothing with the real ones: a decision outside
/// the contract is mostly one for every request.
fn self_test(factory: &InstanceFactory<RouterSetup>, targets: &RouterTargets) -> Result<(), LoadErrorKind> {
    let mut instance = factory.throwaway(&factory.role)?;
    instance.store.data_mut().begin_effects(EffectScope::Edits);
    let mut ticks = factory.artifact.setup_ticks;
    for request in self_test_requests() {
        let line = RequestLine::from(&request);
        instance.store.data_mut().lend(&request, None);
        let decided = instance
            .run(RouterSetup::DECIDES, std::mem::replace(&mut ticks, factory.artifact.ticks), |exports, store| {
                exports.router.call_route(store, &line)
            })
            .and_then(|decision| targets.checked(decision));
        instance.store.data_mut().give_back();
        decided.map_err(|error| LoadErrorKind::SelfTest {
            with: format!("the request {} {} for the host {}", line.method, line.path, line.host),
            message: error.detail,
        })?;
    }
    Ok(())
}

/// What they decide; getters of requests see it, too.
fn self_test_requests() -> [RequestFacts; 3] {
    let made_up = |path| RequestFacts::made_up(SELF_TEST_HOST, path);
    let query = |text: &str| Some(text.to_owned());
    [
        made_up("/"),
        RequestFacts {
            scheme: Scheme::Https,
            query: query("a=1&b"),
            upgrade: Some(UpgradeProtocol::Websocket),
            ..made_up("/chat/room%201")
        },
        RequestFacts { method: Method::POST, query: query(""), ..made_up("/a") },
    ]
}

struct PluginRouter {
    slots: PerWorker<InstanceSlot<RouterSetup>>,
    /// Decisions made before; none for a plugin that does not promise to repeat itself.
    caches: PerWorker<Option<RouteCache>>,
    wants_request: bool,
    sight: Option<BodySight>,
    targets: RouterTargets,
}

impl Router for PluginRouter {
    fn route(&self, request: &RequestFacts) -> Result<Routed, Fault> {
        let mut cache = self.caches.mine();
        let Some(cache) = cache.as_mut() else { return self.call(request).map(|called| called.routed) };
        if let Some(remembered) = cache.get(request) {
            return Ok(remembered.into());
        }
        let Called { routed, has_asked } = self.call(request)?;
        if !has_asked {
            cache.insert(request, &routed.decision);
        }
        Ok(routed)
    }

    fn sight(&self) -> Option<BodySight> {
        self.sight
    }
}

/// A request that is routed.
struct RouterInput<'a> {
    request: &'a RequestFacts,
    sight: Option<BodySight>,
    /// Whether the plugin may ask for more than the request line.
    all: bool,
}

impl CallSubject for RouterInput<'_> {
    fn hash_input<H: Hasher>(&self, hasher: &mut H) {
        let request = self.request;
        (&request.method, request.host(), &request.path, &request.query, &request.upgrade).hash(hasher);
        (request.scheme == Scheme::Https).hash(hasher);
        if let Some((body, sight)) = request.body.as_ref().zip(self.sight) {
            body.first(sight).hash(hasher);
        }
        if self.all {
            (request.client, &request.sni).hash(hasher);
            for (name, value) in request.headers.as_ref() {
                (name, value).hash(hasher);
            }
        }
    }
}

/// What came of a call.
struct Called {
    routed: Routed,
    /// Whether the plugin asked for more than its arguments.
    has_asked: bool,
}

impl PluginRouter {
    fn call(&self, request: &RequestFacts) -> Result<Called, Fault> {
        let mut slot = self.slots.mine();
        let ticks = slot.factory().artifact.ticks;
        let line = RequestLine {
            method: request.method.as_str().to_owned(),
            scheme: request.scheme.into(),
            host: request.host().into_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            upgrade: request.upgrade.as_ref().map(ToString::to_string),
        };
        let (all, sight) = (self.wants_request, self.sight);
        let instance = slot.ready_for(&RouterInput { request, sight, all })?;
        let state = instance.store.data_mut();
        if all {
            state.lend(request, sight);
        }
        state.begin_effects(EffectScope::Edits);
        state.has_asked = false;
        let decision =
            instance.run(RouterSetup::DECIDES, ticks, |exports, store| exports.router.call_route(store, &line));
        let state = instance.store.data_mut();
        let (effects, has_asked) = (state.take_effects(), state.has_asked);
        if all {
            state.give_back();
        }
        let decision = decision.and_then(|decision| self.targets.checked(decision));
        let decision = slot.settle_for(&RouterInput { request, sight, all }, decision)?;
        Ok(Called { routed: Routed { decision, effects }, has_asked })
    }
}
