//! The router and the rewriter, one instance of each for each worker.

use std::sync::Arc;

use super::{PrepareError, plugins};
use crate::config::Config;
use crate::gateway::Base;
use crate::gateway::generation::Generation;
use crate::plugin::Artifact;
use crate::policy::{Rewriter, Router};

/// Both, and what they were made from: made from the same again, they are taken over with all their instances.
#[derive(Debug)]
pub(crate) struct Deciders {
    router: Made<dyn Router, RouterFrom>,
    rewriter: Made<dyn Rewriter, RewriterFrom>,
}

struct Made<T: ?Sized, F> {
    from: F,
    it: Arc<T>,
}

#[derive(Debug)]
struct RouterFrom {
    artifact: Arc<Artifact>,
    config: serde_json::Value,
    /// What the targets of its decisions index.
    clusters: Vec<String>,
    routes: usize,
}

#[derive(Debug)]
struct RewriterFrom {
    artifact: Arc<Artifact>,
    config: serde_json::Value,
}

impl Deciders {
    /// Those of `config`; an instance is only made where something else is asked of it than before.
    pub(super) fn prepare(
        base: &Base,
        config: &Config,
        artifacts: &plugins::Artifacts,
        previous: Option<&Generation>,
    ) -> Result<Self, PrepareError> {
        let before = previous.map(|previous| &previous.deciders);
        let workers = base.workers.count();
        let from = RouterFrom {
            artifact: plugins::find(artifacts, &config.router)?.clone(),
            config: plugins::config_of(config, &config.router).clone(),
            clusters: config.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
            routes: config.routes.len(),
        };
        let it = match before.filter(|before| before.router.from.is(&from)) {
            Some(before) => before.router.it.clone(),
            None => from.artifact.router(&from.config, &from.clusters, from.routes, workers)?.into(),
        };
        let router = Made { from, it };
        let from = RewriterFrom {
            artifact: plugins::find(artifacts, &config.rewriter)?.clone(),
            config: plugins::config_of(config, &config.rewriter).clone(),
        };
        let it = match before.filter(|before| before.rewriter.from.is(&from)) {
            Some(before) => before.rewriter.it.clone(),
            None => from.artifact.rewriter(&from.config, workers)?.into(),
        };
        Ok(Self { router, rewriter: Made { from, it } })
    }

    pub(super) fn router(&self) -> Arc<dyn Router> {
        self.router.it.clone()
    }

    pub(super) fn rewriter(&self) -> Arc<dyn Rewriter> {
        self.rewriter.it.clone()
    }
}

impl RouterFrom {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.artifact, &other.artifact)
            && self.config == other.config
            && self.clusters == other.clusters
            && self.routes == other.routes
    }
}

impl RewriterFrom {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.artifact, &other.artifact) && self.config == other.config
    }
}

impl<T: ?Sized, F: std::fmt::Debug> std::fmt::Debug for Made<T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("from", &self.from).finish_non_exhaustive()
    }
}
