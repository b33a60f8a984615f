//! The router and the rewriter, one instance of each for each worker.

use std::sync::Arc;

use super::from_files::FromFiles;
use super::objections;
use super::plugins;
use super::secrets::ConfigureInput;
use crate::config::{Config, PluginUse};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::plugin::Artifact;
use crate::policy::{DeciderLabel, ObservedDecider, Rewriter, Router};

/// Both, and what they were made from.
#[derive(Debug)]
pub(crate) struct Deciders {
    router: Reusable<RouterInputs, dyn Router>,
    rewriter: Reusable<RewriterInputs, dyn Rewriter>,
    keep_notes: bool,
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
        let artifacts = &from_files.artifacts;
        let workers = services.workers.count();
        let inputs = RouterInputs {
            artifact: plugins::find(artifacts, &config.router)?.clone(),
            config: ConfigureInput::of(config, &from_files.secrets, &config.router),
            clusters: config.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
            routes: config.routes.len(),
        };
        let router = Reusable::take_over_or(before.map(|before| &before.router), inputs, |new| {
            let made = new.artifact.router(&new.config.whole(), &new.clusters, new.routes, workers);
            let router =
                made.map_err(|error| objections::place(config, &config.router, "the router", artifacts, error))?;
            let Some(observer) = &services.decisions else { return Ok(router.into()) };
            let label = label(&config.router, &new.artifact, &new.clusters);
            Ok(Arc::new(ObservedDecider::new(router, label, observer.clone())))
        })?;
        let inputs = RewriterInputs {
            artifact: plugins::find(artifacts, &config.rewriter)?.clone(),
            config: ConfigureInput::of(config, &from_files.secrets, &config.rewriter),
        };
        let rewriter = Reusable::take_over_or(before.map(|before| &before.rewriter), inputs, |new| {
            let made = new.artifact.rewriter(&new.config.whole(), workers);
            let rewriter =
                made.map_err(|error| objections::place(config, &config.rewriter, "the rewriter", artifacts, error))?;
            let Some(observer) = &services.decisions else { return Ok(rewriter.into()) };
            let label = label(&config.rewriter, &new.artifact, &[]);
            Ok(Arc::new(ObservedDecider::new(rewriter, label, observer.clone())))
        })?;
        let keep_notes = artifacts.values().any(|artifact| artifact.imports().any(|import| import == "notes"));
        Ok(Self { router, rewriter, keep_notes })
    }

    pub(crate) fn router(&self) -> Arc<dyn Router> {
        self.router.value.clone()
    }

    /// Whether any plugin leaves or reads notes.
    pub(crate) fn keep_notes(&self) -> bool {
        self.keep_notes
    }

    pub(crate) fn rewriter(&self) -> Arc<dyn Rewriter> {
        self.rewriter.value.clone()
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
