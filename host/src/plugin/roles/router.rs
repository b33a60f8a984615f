//! A plugin as router: one instance for each worker.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;

use ::http::{HeaderMap, StatusCode};
use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::types::ConfigError;
use super::super::bindings::{repetition, router as contract};
use super::super::call_error::CallError;
use super::super::contract::Interface;
use super::super::error::{LoadError, LoadErrorKind};
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::host_state::HostState;
use super::super::role::{RoleContract, RoleName};
use super::super::slot::InstanceSlot;
use super::super::suspects::{CallOrigin, CallSubject};
use super::super::text::printable;
use super::fields;
use super::per_worker::{PROBE_HOST, SELF_TEST_HOST, config_or_no_routes, per_worker};
use super::route_cache::RouteCache;
use super::spec::{RoleKind, RoleSpec};
use crate::lifecycle::PerWorker;
use crate::net::is_target;
use crate::policy::{ClusterId, Decision, DirectResponse, Fault, ForwardTarget, RequestFacts, RouteId, Router, Scheme};

/// Bytes of a path and query. What is sent is at most 65,534 bytes long; the rest is for an endpoint's base path.
const PATH_BYTES: usize = 60 << 10;

/// Bytes of the body of a direct response.
const BODY_BYTES: usize = 1 << 20;

/// Fields of a direct response.
const FIELDS: usize = 128;

/// This role, as [`super::ROLES`] lists it.
pub(super) static ROLE: RoleSpec = RoleSpec {
    contract: RoleContract {
        name: RoleName::new("router"),
        filled_by: &[Interface { name: "router", functions: &["configure", "route"] }],
        optional: &[Interface { name: "repetition", functions: &["repeats"] }],
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
}

impl PluginRole for RouterSetup {
    type Exports = RouterExports;
    /// Whether the plugin promises the same decision for equal requests.
    type Configured = bool;
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
        let line = contract::RequestLine {
            method: "GET".to_owned(),
            scheme: Scheme::Http.into(),
            host: PROBE_HOST.to_owned(),
            path: path.to_owned(),
            query: None,
            upgrade: None,
        };
        exports.router.call_route(store, &line).map(drop)
    }

    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<RouterExports> {
        let (pre, interface) = (&artifact.compiled.pre, &artifact.compiled.interface);
        let router = contract::GuestIndices::new(pre)?.load(&mut *store, instance)?;
        let repetition = if interface.exports("repetition") && interface.sees_arguments_only() {
            Some(repetition::GuestIndices::new(pre)?.load(&mut *store, instance)?)
        } else {
            None
        };
        Ok(RouterExports { router, repetition })
    }

    fn configure(
        &self,
        exports: &RouterExports,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<bool, Vec<ConfigError>>> {
        if let Err(errors) = exports.router.call_configure(&mut *store, &self.config, &self.clusters)? {
            return Ok(Err(errors));
        }
        Ok(Ok(match &exports.repetition {
            Some(repetition) => repetition.call_repeats(store)?,
            None => false,
        }))
    }
}

impl Artifact {
    /// A router with one instance for each of `workers`. `clusters` are the names that its targets index,
    /// `route_count` is the number of `[[route]]`.
    ///
    /// # Errors
    /// If it is no router, refuses its configuration, or fails the self-test.
    pub fn router(
        self: &Arc<Self>,
        config: &Value,
        clusters: &[String],
        route_count: usize,
        workers: NonZeroUsize,
    ) -> Result<Box<dyn Router>, LoadError> {
        self.note(router(self, config, clusters, route_count, workers))
    }
}

fn try_out(artifact: &Arc<Artifact>, config: Option<&Value>) -> Result<&'static str, LoadErrorKind> {
    let config = config_or_no_routes(config);
    // A list of routes mostly stands for as many `[[route]]`.
    let routes = config.get("routes").and_then(Value::as_array).map_or(0, Vec::len);
    router(artifact, &config, &["chat".to_owned()], routes, NonZeroUsize::MIN)?;
    Ok("configured with a cluster `chat`, decided 3 made-up requests")
}

fn router(
    artifact: &Arc<Artifact>,
    config: &Value,
    clusters: &[String],
    route_count: usize,
    workers: NonZeroUsize,
) -> Result<Box<dyn Router>, LoadErrorKind> {
    let factory =
        InstanceFactory::new(artifact, RouterSetup { config: config.to_string(), clusters: clusters.to_vec() })?;
    let targets = RouterTargets { clusters: clusters.len(), routes: route_count };
    let (slots, repeats) = per_worker(&factory, workers)?;
    self_test(&factory, &targets)?;
    let wants_request = artifact.compiled.interface.imports("request");
    let caches = PerWorker::new(workers, || repeats.then(RouteCache::default));
    Ok(Box::new(PluginRouter { slots, caches, wants_request, targets }))
}

/// Lets the plugin decide made-up requests, on an instance that shares nothing with the real ones: a decision outside
/// the contract is mostly one for every request.
fn self_test(factory: &InstanceFactory<RouterSetup>, targets: &RouterTargets) -> Result<(), LoadErrorKind> {
    let line =
        |method: &str, scheme: Scheme, path: &str, query: Option<&str>, upgrade: Option<&str>| contract::RequestLine {
            method: method.to_owned(),
            scheme: scheme.into(),
            host: SELF_TEST_HOST.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            upgrade: upgrade.map(str::to_owned),
        };
    let mut instance = factory.throwaway(&factory.role)?;
    let mut ticks = factory.artifact.setup_ticks;
    for line in [
        line("GET", Scheme::Http, "/", None, None),
        line("GET", Scheme::Https, "/chat/room%201", Some("a=1&b"), Some("websocket")),
        line("POST", Scheme::Http, "/a", Some(""), None),
    ] {
        let decided = instance
            .run(RouterSetup::DECIDES, std::mem::replace(&mut ticks, factory.artifact.ticks), |exports, store| {
                exports.router.call_route(store, &line)
            })
            .and_then(|decision| targets.checked(decision));
        decided.map_err(|error| LoadErrorKind::SelfTest {
            with: format!("the request {} {} for the host {}", line.method, line.path, line.host),
            message: error.detail,
        })?;
    }
    Ok(())
}

struct PluginRouter {
    slots: PerWorker<InstanceSlot<RouterSetup>>,
    /// Decisions made before; none for a plugin that does not promise to repeat itself.
    caches: PerWorker<Option<RouteCache>>,
    wants_request: bool,
    targets: RouterTargets,
}

/// What there is to forward to.
struct RouterTargets {
    /// Number of clusters.
    clusters: usize,
    /// Number of `[[route]]`.
    routes: usize,
}

impl Router for PluginRouter {
    fn route(&self, request: &RequestFacts) -> Result<Decision, Fault> {
        let mut cache = self.caches.mine();
        let Some(cache) = cache.as_mut() else { return self.call(request) };
        if let Some(target) = cache.get(request) {
            return Ok(Decision::Forward(target));
        }
        let decision = self.call(request)?;
        if let Decision::Forward(target) = &decision {
            cache.insert(request, target);
        }
        Ok(decision)
    }
}

/// A request that is routed.
struct RouterInput<'a> {
    request: &'a RequestFacts,
    /// Whether the plugin may ask for more than the request line.
    all: bool,
}

impl CallSubject for RouterInput<'_> {
    fn hash_input<H: Hasher>(&self, hasher: &mut H) {
        let request = self.request;
        (&request.method, request.host(), &request.path, &request.query, &request.upgrade).hash(hasher);
        (request.scheme == Scheme::Https).hash(hasher);
        if self.all {
            (request.client, &request.sni).hash(hasher);
            for (name, value) in request.headers.as_ref() {
                (name, value).hash(hasher);
            }
        }
    }
}

impl PluginRouter {
    fn call(&self, request: &RequestFacts) -> Result<Decision, Fault> {
        let mut slot = self.slots.mine();
        let ticks = slot.factory().artifact.ticks;
        let line = contract::RequestLine {
            method: request.method.as_str().to_owned(),
            scheme: request.scheme.into(),
            host: request.host().into_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            upgrade: request.upgrade.as_ref().map(ToString::to_string),
        };
        let all = self.wants_request;
        let instance = slot.ready_for(&RouterInput { request, all })?;
        if self.wants_request {
            instance.store.data_mut().lend(request);
        }
        let decision =
            instance.run(RouterSetup::DECIDES, ticks, |exports, store| exports.router.call_route(store, &line));
        if self.wants_request {
            instance.store.data_mut().give_back();
        }
        slot.settle_for(&RouterInput { request, all }, decision.and_then(|decision| self.targets.checked(decision)))
    }
}

impl RouterTargets {
    fn checked(&self, decision: contract::Decision) -> Result<Decision, CallError> {
        match decision {
            contract::Decision::Forward(target) => self.target(target).map(Decision::Forward),
            contract::Decision::Respond(response) => checked_response(response).map(Decision::Respond),
            contract::Decision::Unmatched => Ok(Decision::Unmatched),
        }
    }

    fn target(&self, target: contract::Target) -> Result<ForwardTarget, CallError> {
        index("cluster", target.cluster, self.clusters)?;
        if let Some(route) = target.route {
            index("route", route, self.routes)?;
        }
        if let Some(path) = &target.path {
            checked_path(path)?;
        }
        Ok(ForwardTarget { cluster: ClusterId(target.cluster), path: target.path, route: target.route.map(RouteId) })
    }
}

fn index(of: &str, found: u32, count: usize) -> Result<(), CallError> {
    if usize::try_from(found).is_ok_and(|found| found < count) {
        return Ok(());
    }
    if count == 0 {
        return Err(CallError::answer(format_args!("no {of} index, for there is no {of}"), found));
    }
    Err(CallError::answer(format_args!("a {of} index below {count}"), found))
}

/// What may stand in a request line: see [`is_target`].
pub(super) fn checked_path(path: &str) -> Result<(), CallError> {
    if path.len() > PATH_BYTES {
        return Err(CallError::answer(format_args!("a path of at most {PATH_BYTES} bytes"), path.len()));
    }
    if !is_target(path) {
        let found = printable(path.get(..path.floor_char_boundary(200)).unwrap_or_default());
        return Err(CallError::answer(
            "a path that starts with `/` and has only characters of a URI (RFC 3986 §2), `#` not among them, and a \
             query without blanks and control characters",
            format_args!("`{found}`"),
        ));
    }
    Ok(())
}

pub(super) fn checked_response(response: contract::Response) -> Result<DirectResponse, CallError> {
    let status = u16::try_from(response.status)
        .ok()
        .filter(|status| (200..=599).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| CallError::answer("a status of 200 to 599", response.status))?;
    if response.body.len() > BODY_BYTES {
        return Err(CallError::answer(format_args!("a body of at most {BODY_BYTES} bytes"), response.body.len()));
    }
    if response.headers.len() > FIELDS {
        return Err(CallError::answer(format_args!("at most {FIELDS} header fields"), response.headers.len()));
    }
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for (name, value) in &response.headers {
        let name = fields::name(name)?;
        let value = fields::value(&name, value.as_bytes())?;
        headers.append(name, value);
    }
    Ok(DirectResponse { status, headers, body: response.body.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cannot_smuggle_anything_into_a_request_line() {
        for good in ["/", "/a/b?c=d&e=%20", "/*", "/?what=\"<a>\u{e9}\""] {
            assert!(checked_path(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "/a b", "/a\r\nHost: x", "/a#b", "/ä", "/\u{7f}", "http://x/", "/<", "/a>b", "/`"] {
            assert!(checked_path(bad).is_err(), "{bad:?}");
        }
        let long = |length: usize| format!("/{}", "a".repeat(length - 1));
        assert!(checked_path(&long(60 << 10)).is_ok(), "as long as may be");
        assert!(checked_path(&long((60 << 10) + 1)).is_err(), "no room for a base path");
    }

    #[test]
    fn results_outside_the_contract_are_refused() {
        let response = |status, name: &str, body| contract::Response {
            status,
            headers: vec![(name.to_owned(), "1".to_owned())],
            body: vec![0; body],
        };

        assert!(checked_response(response(200, "x-a", BODY_BYTES)).is_ok());
        assert!(checked_response(response(199, "x-a", 0)).is_err(), "informational");
        assert!(checked_response(response(600, "x-a", 0)).is_err(), "no status");
        assert!(checked_response(response(65_736, "x-a", 0)).is_err(), "200 modulo 2^16");
        assert!(checked_response(response(200, "Content-Length", 0)).is_err(), "framing");
        assert!(checked_response(response(200, "x a", 0)).is_err(), "not a name");
        assert!(checked_response(response(200, "x-a", BODY_BYTES + 1)).is_err(), "body");
    }
}
