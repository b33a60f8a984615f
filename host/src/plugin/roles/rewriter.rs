//! A plugin as rewriter: one instance for each worker.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use ::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use super::super::artifact::Artifact;
use super::super::bindings::rewriter as contract;
use super::super::bindings::types::ConfigError;
use super::super::contract::Interface;
use super::super::error::{LoadError, LoadErrorKind};
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::host_state::{EffectScope, HostState};
use super::super::role::{RoleContract, RoleName};
use super::super::slot::InstanceSlot;
use super::super::suspects::{CallOrigin, CallSubject};
use super::super::text::quoted;
use super::header_edits::{checked, text};
use super::per_worker::{PROBE_HOST, SELF_TEST_HOST, per_worker};
use super::spec::{RoleKind, RoleSpec};
use super::trial_inputs::TrialInputs;
use crate::lifecycle::PerWorker;
use crate::policy::{Effects, Fault, ResponseContext, Rewriter, Rewritten, Scheme};

/// Header names of interest. Each costs a look into every response.
const NAMES: usize = 64;

/// Stands among the names of headers for every response, with those headers or without.
const EVERY_RESPONSE: &str = ":status";

/// This role, as [`super::ROLES`] lists it.
pub(super) static ROLE: RoleSpec = RoleSpec {
    contract: RoleContract {
        name: RoleName::new("rewriter"),
        filled_by: &[Interface { name: "rewriter", functions: &["configure", "rewrite"] }],
        optional: &[],
    },
    kind: RoleKind::Rewriter,
    try_out,
};

struct RewriterSetup {
    config: String,
    /// The first header that the plugin asked to see, once it is configured.
    interest: OnceLock<HeaderName>,
}

impl PluginRole for RewriterSetup {
    type Exports = contract::Guest;
    type Configured = Vec<String>;
    const NAME: RoleName = ROLE.contract.name;
    const DECIDES: &'static str = "rewrite";

    /// Two, so that a rewriter that one value makes hang is not taken for one that always does.
    const PROBES: u32 = 2;

    fn probe(
        &self,
        exports: &contract::Guest,
        store: &mut Store<HostState>,
        number: u32,
        origin: Option<CallOrigin<'_>>,
    ) -> wasmtime::Result<()> {
        let context = contract::Context {
            scheme: Scheme::Http.into(),
            host: PROBE_HOST.to_owned(),
            path: "/".to_owned(),
            route: origin.and_then(|origin| origin.route).map(|route| route.0),
            endpoint: origin.map_or_else(|| format!("http://{PROBE_HOST}"), |origin| origin.endpoint.to_owned()),
        };
        let value = if number == 0 { "/" } else { "tidegate=probe" };
        let name = self.interest.get().map_or("location", HeaderName::as_str);
        let fields = [(name.to_owned(), value.to_owned())];
        store.data_mut().begin_effects(EffectScope::Notes);
        let rewritten = exports.call_rewrite(&mut *store, &context, 200, &fields).map(drop);
        drop(store.data_mut().take_effects());
        rewritten
    }

    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &WasmInstance,
    ) -> wasmtime::Result<contract::Guest> {
        contract::GuestIndices::new(&artifact.compiled.pre)?.load(store, instance)
    }

    fn configure(
        &self,
        exports: &contract::Guest,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<Vec<String>, Vec<ConfigError>>> {
        exports.call_configure(store, &self.config)
    }
}

impl Artifact {
    /// A rewriter with one instance for each of `workers`.
    ///
    /// # Errors
    /// If it is no rewriter, refuses its configuration, or fails the self-test.
    pub fn rewriter(self: &Arc<Self>, config: &Value, workers: NonZeroUsize) -> Result<Box<dyn Rewriter>, LoadError> {
        self.note(rewriter(self, config, workers))
    }
}

fn try_out(artifact: &Arc<Artifact>, inputs: &TrialInputs) -> Result<String, LoadErrorKind> {
    let rewriter = rewriter(artifact, &inputs.for_router_or_rewriter(), NonZeroUsize::MIN)?;
    let done = if rewriter.interest().is_empty() && !rewriter.sees_all() {
        "configured; it asks for no header, so it is never called"
    } else {
        "configured, edited 2 made-up responses"
    };
    Ok(done.to_owned())
}

fn rewriter(
    artifact: &Arc<Artifact>,
    config: &Value,
    workers: NonZeroUsize,
) -> Result<Box<dyn Rewriter>, LoadErrorKind> {
    let factory =
        InstanceFactory::new(artifact, RewriterSetup { config: config.to_string(), interest: OnceLock::new() })?;
    let (slots, mut names) = per_worker(&factory, workers)?;
    let count = names.len();
    names.retain(|name| name != EVERY_RESPONSE);
    let sees_all = names.len() < count;
    let interest = interest(&names)?;
    if let Some(first) = interest.first() {
        _ = factory.role.interest.set(first.clone());
    }
    if sees_all || !interest.is_empty() {
        self_test(&factory, &interest)?;
    }
    let wants_request = ["request", "notes"].iter().any(|one| artifact.compiled.interface.imports(one));
    Ok(Box::new(PluginRewriter { slots, interest, sees_all, wants_request }))
}

/// Lets the plugin edit made-up responses, on an instance that shares nothing with the real ones: an edit outside the
/// contract is mostly one for every response.
fn self_test(factory: &InstanceFactory<RewriterSetup>, interest: &[HeaderName]) -> Result<(), LoadErrorKind> {
    // Of TEST-NET-1 (RFC 5737), which is never in use.
    let value = |name: &HeaderName| match name.as_str() {
        "location" | "content-location" | "refresh" | "link" => "http://192.0.2.1:8080/a?b=c",
        "set-cookie" => "a=b; Path=/; Domain=192.0.2.1",
        _ => "1",
    };
    let fields = |names: &[HeaderName]| -> Vec<_> {
        names.iter().map(|name| (name.clone(), HeaderValue::from_static(value(name)))).collect()
    };
    let context = contract::Context {
        scheme: Scheme::Https.into(),
        host: SELF_TEST_HOST.to_owned(),
        path: "/a".to_owned(),
        route: None,
        endpoint: "http://192.0.2.1:8080".to_owned(),
    };
    let mut instance = factory.throwaway(&factory.role)?;
    instance.store.data_mut().begin_effects(EffectScope::Notes);
    let mut ticks = factory.artifact.setup_ticks;
    for (status, fields) in [(200, fields(interest.get(..1).unwrap_or_default())), (302, fields(interest))] {
        let shown: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
        let edited = instance
            .run(RewriterSetup::DECIDES, std::mem::replace(&mut ticks, factory.artifact.ticks), |exports, store| {
                exports.call_rewrite(store, &context, status, &shown)
            })
            .and_then(|edits| checked(edits, &fields));
        edited.map_err(|error| LoadErrorKind::SelfTest {
            with: format!("a response {status} of {}", context.endpoint),
            message: error.detail,
        })?;
    }
    Ok(())
}

/// The header names that the plugin asked to see, each once.
fn interest(names: &[String]) -> Result<Vec<HeaderName>, LoadErrorKind> {
    let refused = |expected: &str, found: String| LoadErrorKind::ConfigureFailed {
        message: format!("expected of `configure` {expected}, found {found}; that is the plugin's own list of headers"),
    };
    if names.len() > NAMES {
        return Err(refused(&format!("at most {NAMES} header names of interest"), names.len().to_string()));
    }
    let mut good = Vec::new();
    for name in names {
        match HeaderName::from_bytes(name.as_bytes()) {
            // A token by the letter, and in no response that there is.
            Ok(_) if name.contains('*') => {
                return Err(refused(
                    "header names of interest",
                    format!("{}, and `*` is no wildcard: name each header", quoted(name)),
                ));
            }
            Ok(_) if name.contains(|c: char| c.is_ascii_uppercase()) => {
                let found = format!("{}: write {}", quoted(name), quoted(&name.to_ascii_lowercase()));
                return Err(refused("header names in lower case", found));
            }
            Ok(name) if good.contains(&name) => {}
            Ok(name) => good.push(name),
            Err(_) => return Err(refused("header names of interest", quoted(name))),
        }
    }
    Ok(good)
}

struct PluginRewriter {
    slots: PerWorker<InstanceSlot<RewriterSetup>>,
    interest: Vec<HeaderName>,
    sees_all: bool,
    /// Whether the plugin may ask for the request, or for notes.
    wants_request: bool,
}

impl Rewriter for PluginRewriter {
    fn interest(&self) -> &[HeaderName] {
        &self.interest
    }

    fn sees_all(&self) -> bool {
        self.sees_all
    }

    fn rewrite(
        &self,
        context: &ResponseContext<'_>,
        status: StatusCode,
        fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Rewritten, Fault> {
        let mut slot = self.slots.mine();
        let ticks = slot.factory().artifact.ticks;
        let response = RewrittenResponse { context: *context, status, fields, all: self.wants_request };
        let shown: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
        let request = context.request.filter(|_| self.wants_request);
        let context = contract::Context {
            scheme: context.scheme.into(),
            host: context.host.to_owned(),
            path: context.path.to_owned(),
            route: context.route.map(|route| route.0),
            endpoint: context.endpoint.to_owned(),
        };
        let instance = slot.ready_for(&response)?;
        if self.wants_request {
            let state = instance.store.data_mut();
            state.begin_effects(EffectScope::Notes);
            if let Some(request) = request {
                state.lend(request, None);
            }
        }
        let edits = instance.run(RewriterSetup::DECIDES, ticks, |exports, store| {
            exports.call_rewrite(store, &context, status.as_u16().into(), &shown)
        });
        let mut effects = Effects::default();
        if self.wants_request {
            let state = instance.store.data_mut();
            effects = state.take_effects();
            state.give_back();
        }
        let edits = slot.settle_for(&response, edits.and_then(|edits| checked(edits, fields)))?;
        Ok(Rewritten { edits, effects })
    }
}

/// A response that is rewritten.
struct RewrittenResponse<'a> {
    context: ResponseContext<'a>,
    status: StatusCode,
    fields: &'a [(HeaderName, HeaderValue)],
    /// Whether the plugin may ask for the request as well.
    all: bool,
}

impl CallSubject for RewrittenResponse<'_> {
    fn hash_input<H: Hasher>(&self, hasher: &mut H) {
        let ResponseContext { scheme, host, path, route, endpoint, request } = self.context;
        (scheme == Scheme::Https, host, path, route, endpoint, self.status.as_u16(), self.fields).hash(hasher);
        if let Some(request) = request.filter(|_| self.all) {
            (&request.method, &request.query, request.client, &request.sni).hash(hasher);
            for (name, value) in request.headers.as_ref() {
                (name, value).hash(hasher);
            }
        }
    }

    fn origin(&self) -> Option<CallOrigin<'_>> {
        Some(CallOrigin { endpoint: self.context.endpoint, route: self.context.route })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interest_are_kept_once_and_are_limited() {
        let names = ["location", "set-cookie", "location"].map(str::to_owned);
        let many: Vec<_> = (0..=NAMES).map(|name| format!("x-{name}")).collect();

        assert_eq!(interest(&names).unwrap(), ["location", "set-cookie"]);
        assert!(interest(&many[1..]).is_ok(), "as many as may be");
        assert!(interest(&many).unwrap_err().to_string().contains("at most 64 header names of interest, found 65"));
    }

    #[test]
    fn names_of_interest_that_no_response_has_are_put_down_to_the_plugin() {
        for (name, words) in [
            ("*", "found `*`, and `*` is no wildcard: name each header"),
            ("x-*", "`*` is no wildcard"),
            ("x y", "expected of `configure` header names of interest, found `x y`; that is the plugin's own list"),
            ("Location", "found `Location`: write `location`"),
        ] {
            let refused = interest(&["set-cookie".to_owned(), name.to_owned()]).unwrap_err().to_string();

            assert!(refused.contains(words), "`{words}` is not in: {refused}");
        }
    }
}
