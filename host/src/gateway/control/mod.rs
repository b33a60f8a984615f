//! The gateway behind the control port.

mod refusals;
#[cfg(test)]
mod tests;
mod views;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::changes::{ChangeRequest, RuntimeChanges};
use super::endpoints::endpoints;
use super::generation::Generation;
use super::history::GenerationRecord;
use super::reload::{ReloadError, Reloads, Trigger};
use super::reset::reset;
use super::running::RunningSet;
use crate::cluster::ReportSource;
use crate::config::Edit;
use crate::control::{
    ChangedView, ChangesView, ClusterView, ControlError, DroppedView, GenerationView, Inspect, Operate, PluginView,
    Push, PushError, Readiness, ResetEndpoint, ResetView, TableView,
};

/// The gateway as admin and other callers see it.
pub(super) struct ControlPort {
    pub(super) set: Arc<RunningSet>,
    pub(super) changes: Arc<RuntimeChanges>,
    pub(super) reloads: Arc<Reloads>,
}

impl Inspect for ControlPort {
    fn readiness(&self) -> Readiness {
        if self.set.services.drain.has_started() {
            Readiness::Draining
        } else if self.set.listeners.have_started() {
            Readiness::Serving(self.set.generations.live().id)
        } else {
            Readiness::Starting
        }
    }

    fn metrics(&self) -> Result<String, fmt::Error> {
        self.set.services.observers.metrics.expose()
    }

    fn clusters(&self) -> Vec<ClusterView> {
        let (live, registry) = (self.live(), &self.set.services.registry);
        let (clusters, now) = (endpoints(&live, registry), registry.clock().now());
        clusters.into_iter().map(|cluster| views::cluster(cluster, now)).collect()
    }

    fn plugins(&self) -> Vec<PluginView> {
        let previous = self.set.generations.previous();
        views::plugins(&self.live(), previous.as_deref(), &self.set.services.runtime.refusals())
    }

    fn generations(&self) -> Vec<GenerationView> {
        self.set.generations.records().iter().map(views::generation).collect()
    }

    fn changes(&self) -> ChangesView {
        let (changes, dropped) = self.changes.list();
        let dropped = dropped.into_iter().map(|one| DroppedView {
            cluster: one.cluster,
            endpoint: one.url,
            change: one.what,
            why: one.why,
        });
        let persist = self.changes.path().map(|path| path.display().to_string());
        ChangesView { persist, changes, dropped: dropped.collect() }
    }

    fn folder(&self) -> PathBuf {
        self.live().file().source.parent().unwrap_or(Path::new("")).to_owned()
    }
}

impl Operate for ControlPort {
    fn push(&self, cluster: &str, push: &Push) -> Result<usize, PushError> {
        let taken = self.take_signals(cluster, push);
        if taken.is_err() {
            ReportSource::Push.count_ignored(&self.set.services.observers.metrics);
        }
        taken
    }

    fn reload(&self) -> Result<GenerationView, ControlError> {
        self.went_live(self.reloads.reload(Trigger::Request))
    }

    fn rollback(&self) -> Result<GenerationView, ControlError> {
        self.went_live(self.reloads.rollback())
    }

    fn change(&self, cluster: &str, edit: &Edit) -> Result<ChangedView, ControlError> {
        self.make(&ChangeRequest::Edit(cluster, edit))
    }

    fn undo(&self) -> Result<ChangedView, ControlError> {
        self.make(&ChangeRequest::UndoAll)
    }

    fn fill_table(&self, plugin: &str, lines: Vec<u8>) -> Result<TableView, ControlError> {
        let live = self.live();
        let artifact =
            live.artifacts().get(plugin).ok_or_else(|| refusals::no_plugin(plugin, live.artifacts().keys()))?;
        let table = artifact.table().ok_or_else(|| refusals::no_table(plugin))?;
        table.fill(lines).map_err(|error| refusals::of_table(&error))?;
        Ok(views::table(table))
    }

    fn reset(&self, cluster: &str, url: Option<&str>) -> Result<ResetView, ControlError> {
        let live = self.live();
        let reset = reset(&live, cluster, url).map_err(refusals::of_change)?;
        let reset =
            reset.into_iter().map(|one| ResetEndpoint { endpoint: one.endpoint, before: one.before, after: one.after });
        Ok(ResetView { generation: live.id, reset: reset.collect() })
    }
}

impl ControlPort {
    fn live(&self) -> Arc<Generation> {
        Arc::clone(&self.set.generations.live())
    }

    fn make(&self, request: &ChangeRequest<'_>) -> Result<ChangedView, ControlError> {
        let made = self.changes.make(request).map_err(refusals::of_runtime_change)?;
        Ok(ChangedView { generation: made.generation, persisted: made.persisted, changed: made.members })
    }

    /// The record of the generation that went live, or why none did.
    fn went_live(&self, outcome: Result<Arc<Generation>, ReloadError>) -> Result<GenerationView, ControlError> {
        let generation = outcome.map_err(|error| refusals::of_reload(&error))?;
        self.reloads.notify();
        let records = self.set.generations.records();
        // The latest of that number: a rollback brings a number back. If it has fallen out of the history, one is made.
        let record = records.iter().rev().find(|record| record.id == generation.id);
        Ok(record.map_or_else(|| views::generation(&GenerationRecord::new(&generation, None)), views::generation))
    }

    /// Takes the numbers of one endpoint of the live generation, all or none.
    fn take_signals(&self, cluster: &str, push: &Push) -> Result<usize, PushError> {
        let live = self.live();
        let cluster = &live.cluster(&cluster.to_ascii_lowercase()).ok_or(PushError::NoCluster)?.cluster;
        let mut members = cluster.members().iter();
        let member = members.find(|member| member.live.url() == push.endpoint).ok_or(PushError::NoEndpoint)?;
        let named = push.signals.iter().map(|(name, value)| (name.as_str(), *value));
        let reports = cluster
            .signals()
            .read_push(named)
            .map_err(|(signal, why)| PushError::Signal { signal: signal.to_owned(), why: why.to_string() })?;
        let metrics = &self.set.services.observers.metrics;
        Ok(cluster.signals().take(&reports, &member.live, member.live.now(), metrics))
    }
}
