//! The router and the rewriter, one instance of each for each worker.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::from_files::FromFiles;
use super::objections;
use super::plugins;
use super::secrets::ConfigureInput;
use crate::config::{Config, PluginUse};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::plugin::{Artifact, LoadError, RoleKind, RouterPlace, role_kind};
use crate::policy::{DeciderLabel, ObservedDecider, Rewriter, Router};
use crate::proxy::{ResponseDecider, RoutePlugin};

/// Both, and what they were made from.
#[derive(Debug)]
pub(crate) struct Deciders {
    router: ReusableRouter,
    /// The operator's own; none where that is `reverse`.
    rewriter: Option<ReusableRewriter>,
    reverse: ReusableRewriter,
    /// Those that routes name, each once.
    of_routes: BTreeMap<String, RouteDeciders>,
    keep_notes: bool,
}

type ReusableRouter = Reusable<RouterInputs, dyn Router>;
type ReusableRewriter = Reusable<RewriterInputs, dyn Rewriter>;

/// What a plugin that routes name decides: at least one of both.
#[derive(Debug)]
struct RouteDeciders {
    router: Option<ReusableRouter>,
    rewriter: Option<ReusableRewriter>,
}

/// Makes deciders, or takes them over.
struct Preparing<'a> {
    services: &'a Services,
    config: &'a Config,
    from_files: &'a FromFiles,
}

/// Something that is taken over where its inputs are equal again.
struct Reusable<I, T: ?Sized> {
    inputs: I,
    value: Arc<T>,
}

#[derive(Debug)]
struct RouterInputs {
    artifact: Arc<Artifact>,
    config: ConfigureInput,
    /// What the targets of its decisions index.
    clusters: Vec<String>,
    routes: usize,
}

#[derive(Debug)]
struct RewriterInputs {
    artifact: Arc<Artifact>,
    config: ConfigureInput,
}

impl Deciders {
    /// Those of `config`; an instance is only made where its inputs differ from those of `before`.
    pub(crate) fn prepare(
        services: &Services,
        config: &Config,
        from_files: &FromFiles,
        before: Option<&Self>,
    ) -> Result<Self, PrepareError> {
        let preparing = Preparing { services, config, from_files };
        let router = preparing.router(
            &config.router,
            "the router",
            before.map(|before| &before.router),
            RouterPlace::Gateway,
        )?;
        let (own, reverse) = match &config.reverse {
            Some(reverse) => (Some(&config.rewriter), reverse),
            None => (None, &config.rewriter),
        };
        let earlier = before.and_then(|before| before.rewriter.as_ref());
        let rewriter = own.map(|own| preparing.rewriter(own, "the rewriter", earlier)).transpose()?;
        let reverse = preparing.rewriter(reverse, "the rewriter", before.map(|before| &before.reverse))?;
        let mut of_routes = BTreeMap::new();
        for route in &config.routes {
            for used in &route.plugins {
                if !of_routes.contains_key(&used.plugin) {
                    let earlier = before.and_then(|before| before.of_routes.get(&used.plugin));
                    of_routes.insert(used.plugin.clone(), preparing.of_route(&route.name, used, earlier)?);
                }
            }
        }
        let mut artifacts = from_files.artifacts.values();
        let keep_notes = artifacts.any(|artifact| artifact.imports().any(|import| import == "notes"));
        Ok(Self { router, rewriter, reverse, of_routes, keep_notes })
    }

    pub(crate) fn router(&self) -> Arc<dyn Router> {
        self.router.value.clone()
    }

    /// Whether any plugin leaves or reads notes.
    pub(crate) fn keep_notes(&self) -> bool {
        self.keep_notes
    }

    /// The operator's own rewriter, if it is another than `reverse`.
    pub(crate) fn rewriter(&self) -> Option<Arc<dyn Rewriter>> {
        self.rewriter.as_ref().map(|rewriter| rewriter.value.clone())
    }

    pub(crate) fn reverse(&self) -> Arc<dyn Rewriter> {
        self.reverse.value.clone()
    }

    /// The plugin of this name, which a route names, as requests see it.
    pub(crate) fn of_route(&self, plugin: &str) -> Option<RoutePlugin> {
        let RouteDeciders { router, rewriter } = self.of_routes.get(plugin)?;
        Some(RoutePlugin {
            name: plugin.into(),
            router: router.as_ref().map(|router| router.value.clone()),
            rewriter: rewriter.as_ref().map(|rewriter| ResponseDecider::new(rewriter.value.clone())),
        })
    }
}

impl Preparing<'_> {
    fn artifact(&self, used: &PluginUse) -> Result<Arc<Artifact>, PrepareError> {
        plugins::find(&self.from_files.artifacts, used).cloned()
    }

    fn refused(&self, used: &PluginUse, for_whom: &str, error: LoadError) -> PrepareError {
        objections::place(self.config, used, for_whom, &self.from_files.artifacts, error)
    }

    fn router(
        &self,
        used: &PluginUse,
        for_whom: &str,
        before: Option<&ReusableRouter>,
        place: RouterPlace,
    ) -> Result<ReusableRouter, PrepareError> {
        let inputs = RouterInputs {
            artifact: self.artifact(used)?,
            config: ConfigureInput::of(self.config, &self.from_files.secrets, used),
            clusters: self.config.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
            routes: self.config.routes.len(),
        };
        Reusable::take_over_or(before, inputs, |new| {
            let (config, workers) = (new.config.whole(), self.services.workers.count());
            let made = new.artifact.router(&config, &new.clusters, new.routes, workers, place);
            let router = made.map_err(|error| self.refused(used, for_whom, error))?;
            let Some(observer) = &self.services.decisions else { return Ok(router.into()) };
            let label = label(used, &new.artifact, &new.clusters);
            Ok(Arc::new(ObservedDecider::new(router, label, observer.clone())))
        })
    }

    fn rewriter(
        &self,
        used: &PluginUse,
        for_whom: &str,
        before: Option<&ReusableRewriter>,
    ) -> Result<ReusableRewriter, PrepareError> {
        let inputs = RewriterInputs {
            artifact: self.artifact(used)?,
            config: ConfigureInput::of(self.config, &self.from_files.secrets, used),
        };
        Reusable::take_over_or(before, inputs, |new| {
            let made = new.artifact.rewriter(&new.config.whole(), self.services.workers.count());
            let rewriter = made.map_err(|error| self.refused(used, for_whom, error))?;
            let Some(observer) = &self.services.decisions else { return Ok(rewriter.into()) };
            let label = label(used, &new.artifact, &[]);
            Ok(Arc::new(ObservedDecider::new(rewriter, label, observer.clone())))
        })
    }

    fn of_route(
        &self,
        route: &str,
        used: &PluginUse,
        before: Option<&RouteDeciders>,
    ) -> Result<RouteDeciders, PrepareError> {
        let artifact = self.artifact(used)?;
        let fills = |kind| artifact.roles().iter().any(|role| role_kind(*role) == Some(kind));
        if !fills(RoleKind::Router) && !fills(RoleKind::Rewriter) {
            return Err(objections::no_decider(self.config, route, used, &artifact));
        }
        let for_whom = format!("route {route}");
        let router = fills(RoleKind::Router).then(|| {
            let before = before.and_then(|before| before.router.as_ref());
            self.router(used, &for_whom, before, RouterPlace::Route)
        });
        let rewriter = fills(RoleKind::Rewriter).then(|| {
            let before = before.and_then(|before| before.rewriter.as_ref());
            self.rewriter(used, &for_whom, before)
        });
        Ok(RouteDeciders { router: router.transpose()?, rewriter: rewriter.transpose()? })
    }
}

/// What an observer is shown a decider by. `names` are what its ids index.
fn label(used: &PluginUse, artifact: &Artifact, names: &[String]) -> DeciderLabel {
    let (plugin, digest) = (used.plugin.clone(), artifact.digest().clone());
    DeciderLabel { plugin, digest, cluster: None, names: names.to_vec() }
}

impl<I: PartialEq, T: ?Sized> Reusable<I, T> {
    /// The value of `before` if it was made from equal inputs, else one that `make` makes.
    fn take_over_or(
        before: Option<&Self>,
        inputs: I,
        make: impl FnOnce(&I) -> Result<Arc<T>, PrepareError>,
    ) -> Result<Self, PrepareError> {
        let value = match before.filter(|before| before.inputs == inputs) {
            Some(before) => before.value.clone(),
            None => make(&inputs)?,
        };
        Ok(Self { inputs, value })
    }
}

impl PartialEq for RouterInputs {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.artifact, &other.artifact)
            && self.config == other.config
            && self.clusters == other.clusters
            && self.routes == other.routes
    }
}

impl PartialEq for RewriterInputs {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.artifact, &other.artifact) && self.config == other.config
    }
}

impl<I: std::fmt::Debug, T: ?Sized> std::fmt::Debug for Reusable<I, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reusable").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}
