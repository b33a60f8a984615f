//! The gateway as the admin server shows it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::Shared;
use super::changes::{ChangeRefused, Changed, Wanted};
use super::generation::{Generation, Past};
use super::reload::Asked;
use super::reload::ReloadError;
use crate::cluster::{Live, Reading, Signals};
use crate::config::{ChangeError, ConfigError, Edit, EndpointConfig};
use crate::control::{
    ChangedView, ChangesView, ClusterView, ControlError, DroppedView, EndpointView, FaultView, GenerationState,
    GenerationView, Inspect, Operate, PluginView, Push, PushError, Readiness, ResetEndpoint, ResetView, SignalView,
};
use crate::plugin::Artifact;
use crate::plugin::status::RoleStatus;
use crate::telemetry::clock::Rfc3339;

/// The gateway, behind the control port.
pub(super) struct Whole(pub(super) Arc<Shared>);

impl Inspect for Whole {
    fn readiness(&self) -> Readiness {
        let Self(shared) = self;
        if shared.base.drain.has_started() {
            Readiness::Draining
        } else if shared.listening.lock().has_started() {
            Readiness::Serving(shared.current.load().id)
        } else {
            Readiness::Starting
        }
    }

    fn metrics(&self) -> Result<String, fmt::Error> {
        self.0.base.observers.metrics.expose()
    }

    fn clusters(&self) -> Vec<ClusterView> {
        self.0.clusters()
    }

    fn plugins(&self) -> Vec<PluginView> {
        self.0.plugins()
    }

    fn generations(&self) -> Vec<GenerationView> {
        self.0.history.lock().iter().map(view).collect()
    }

    fn changes(&self) -> ChangesView {
        let (changes, dropped) = self.0.changes();
        let dropped = dropped.into_iter().map(|one| DroppedView {
            cluster: one.cluster,
            endpoint: one.url,
            change: one.what,
            why: one.why,
        });
        let persist = self.0.base.persist.as_ref().map(|path| path.display().to_string());
        ChangesView { persist, changes, dropped: dropped.collect() }
    }

    fn folder(&self) -> PathBuf {
        self.0.current.load().file.source.parent().unwrap_or(Path::new("")).to_owned()
    }
}

impl Operate for Whole {
    fn push(&self, cluster: &str, push: &Push) -> Result<usize, PushError> {
        self.0.pushed(cluster, push)
    }

    fn reload(&self) -> Result<GenerationView, ControlError> {
        self.done(self.0.reload(Asked::Now))
    }

    fn rollback(&self) -> Result<GenerationView, ControlError> {
        self.done(self.0.clone().rollback())
    }

    fn change(&self, cluster: &str, edit: &Edit) -> Result<ChangedView, ControlError> {
        changed(self.0.change(&Wanted::Edit(cluster, edit)))
    }

    fn undo(&self) -> Result<ChangedView, ControlError> {
        changed(self.0.change(&Wanted::Nothing))
    }

    fn reset(&self, cluster: &str, url: Option<&str>) -> Result<ResetView, ControlError> {
        let (generation, reset) = self.0.reset(cluster, url).map_err(unchangeable)?;
        let reset =
            reset.into_iter().map(|one| ResetEndpoint { endpoint: one.endpoint, before: one.before, after: one.after });
        Ok(ResetView { generation, reset: reset.collect() })
    }
}

fn changed(outcome: Result<Changed, ChangeRefused>) -> Result<ChangedView, ControlError> {
    match outcome {
        Ok(Changed { members, generation, persisted }) => Ok(ChangedView { generation, persisted, changed: members }),
        Err(ChangeRefused::Change(error)) => Err(unchangeable(error)),
        Err(ChangeRefused::Prepare(error)) => Err(refused(&ReloadError::Prepare(error))),
        Err(ChangeRefused::Draining) => Err(refused(&ReloadError::Draining)),
        Err(ChangeRefused::Persist(error)) => Err(ControlError::Failed(format!("nothing has changed: {error}"))),
    }
}

fn unchangeable(error: ChangeError) -> ControlError {
    let (text, hint) = (error.to_string(), error.hint());
    match error {
        ChangeError::NoCluster { known, .. } | ChangeError::NoEndpoint { known, .. } => {
            ControlError::Unknown { error: text, known }
        }
        _ => ControlError::Conflict { error: text, hint },
    }
}

impl Whole {
    fn done(&self, outcome: Result<Arc<Generation>, ReloadError>) -> Result<GenerationView, ControlError> {
        let generation = outcome.map_err(|error| refused(&error))?;
        self.0.changed.notify_one();
        let history = self.0.history.lock();
        // The latest of that number: a rollback brings a number back. If it has fallen out, it says what it is.
        let past = history.iter().rev().find(|past| past.id == generation.id);
        Ok(past.map_or_else(|| view(&generation.describe(None)), view))
    }
}

impl Shared {
    /// Clusters as configured, then what is gone from the configuration but still held.
    pub(super) fn clusters(&self) -> Vec<ClusterView> {
        let generation = self.current.load_full();
        let now = Instant::now();
        let mut known = HashSet::new();
        let mut views = Vec::new();
        for cluster in &generation.config.clusters {
            let Some(kept) = generation.clusters.get(&cluster.name) else { continue };
            let members = cluster.endpoints.iter().zip(kept.cluster.members());
            let endpoints = members.map(|(endpoint, member)| {
                known.insert(Arc::as_ptr(&member.live));
                EndpointView {
                    signals: signal_views(kept.cluster.signals(), &member.live, now),
                    ..endpoint_view(&member.live, Some(endpoint), now)
                }
            });
            let endpoints = endpoints.collect();
            views.push(ClusterView {
                name: cluster.name.clone(),
                balancer: Some(cluster.balancer.plugin.clone()),
                endpoints,
            });
        }
        for (name, lives) in self.base.registry.all() {
            // The generation before is kept ready, and keeps its endpoints: only those that are in use are told.
            let left = lives.iter().filter(|live| !known.contains(&Arc::as_ptr(live)) && live.in_flight() > 0);
            let left: Vec<_> = left.map(|live| endpoint_view(live, None, now)).collect();
            match views.iter_mut().find(|view| view.name == name) {
                Some(view) => view.endpoints.extend(left),
                None if left.is_empty() => {}
                None => views.push(ClusterView { name, balancer: None, endpoints: left }),
            }
        }
        views
    }

    /// The plugins of the live generation, then those that only the one before has, then those that never came in.
    fn plugins(&self) -> Vec<PluginView> {
        let refusals = self.base.runtime.refusals();
        let refusal = |name: &str| refusals.iter().find(|one| one.plugin == name).map(|one| one.reason.clone());
        let live = self.current.load_full();
        let before = self.previous.lock().clone();
        let mut views = Vec::new();
        let mut show = |generation: &Generation, artifacts: &[&Arc<Artifact>]| {
            for artifact in artifacts {
                let shown = artifact.status().into_iter();
                views.extend(shown.map(|status| plugin_view(status, artifact.origin(), generation.id, refusal)));
            }
        };
        show(&live, &live.artifacts.values().collect::<Vec<_>>());
        if let Some(before) = &before {
            let kept = |artifact: &Arc<Artifact>| live.artifacts.values().any(|other| Arc::ptr_eq(artifact, other));
            show(before, &before.artifacts.values().filter(|artifact| !kept(artifact)).collect::<Vec<_>>());
        }
        let strangers = refusals.iter().filter(|one| views.iter().all(|view: &PluginView| view.name != one.plugin));
        let strangers: Vec<_> = strangers.map(|one| never_loaded(&one.plugin, &one.reason)).collect();
        views.extend(strangers);
        views
    }
}

fn endpoint_view(live: &Live, endpoint: Option<&EndpointConfig>, now: Instant) -> EndpointView {
    let latency = live.latency();
    let report = live.report(now);
    let (probes_passed, probes_failed) = live.probes();
    EndpointView {
        url: live.url().to_owned(),
        found_by: endpoint.and_then(|endpoint| endpoint.found_by.clone()),
        state: endpoint.map_or("removed", |endpoint| endpoint.state.as_str()),
        health: report.standing.as_str(),
        health_since: Rfc3339(SystemTime::now() - now.saturating_duration_since(report.since)).to_string(),
        health_reason: report.reason.map(Into::into),
        weight: endpoint.map(|endpoint| f64::from(endpoint.weight) / 100.0),
        group: endpoint.map(|endpoint| endpoint.group),
        in_flight: live.in_flight(),
        picks: live.picks(),
        bytes_sent: live.sent(),
        bytes_received: live.received(),
        failures: live.failures(),
        ejections: live.ejections(),
        probes_passed,
        probes_failed,
        signals: BTreeMap::new(),
        latency_us: (!latency.is_nan()).then(|| (latency * 10.0).round() / 10.0),
    }
}

fn signal_views(signals: &Signals, live: &Live, now: Instant) -> BTreeMap<String, SignalView> {
    let view = |reading: Reading<'_>| {
        let view = SignalView {
            value: reading.last.map(|last| last.value),
            age_ms: reading.last.map(|last| u64::try_from(last.age.as_millis()).unwrap_or(u64::MAX)),
            fresh: reading.fresh,
        };
        (reading.name.to_owned(), view)
    };
    signals.readings(live, now).into_iter().map(view).collect()
}

fn plugin_view(
    status: RoleStatus,
    file: &str,
    generation: u64,
    refusal: impl Fn(&str) -> Option<String>,
) -> PluginView {
    PluginView {
        time_per_call_ns: status.nanos_per_call(),
        role: Some(status.role.as_str()),
        file: Some(file.to_owned()),
        digest: Some(status.digest),
        generation: Some(generation),
        instances: status.instances,
        calls: status.calls,
        faults: status.faults.into_iter().collect(),
        aside: status.aside,
        last_fault: status.last_fault,
        last_refusal: refusal(&status.plugin),
        name: status.plugin,
    }
}

fn never_loaded(name: &str, reason: &str) -> PluginView {
    PluginView {
        name: name.to_owned(),
        role: None,
        file: None,
        digest: None,
        generation: None,
        instances: 0,
        calls: 0,
        faults: BTreeMap::new(),
        time_per_call_ns: None,
        aside: 0,
        last_fault: None,
        last_refusal: Some(reason.to_owned()),
    }
}

fn view(past: &Past) -> GenerationView {
    GenerationView {
        id: past.id,
        since: Rfc3339(past.since).to_string(),
        digest: past.digest.clone(),
        changes: past.changes.clone(),
        state: if past.live { GenerationState::Live } else { GenerationState::Retired },
    }
}

fn refused(error: &ReloadError) -> ControlError {
    match error {
        ReloadError::NoEarlier => ControlError::NoEarlier,
        ReloadError::Config(faults) => ControlError::Faults(faults.faults.iter().map(config_fault).collect()),
        ReloadError::Draining => ControlError::Faults(vec![FaultView { message: error.to_string(), hint: None }]),
        ReloadError::Prepare(error) => {
            ControlError::Faults(vec![FaultView { message: error.to_string(), hint: error.hint() }])
        }
    }
}

fn config_fault(error: &ConfigError) -> FaultView {
    let bare = ConfigError { hint: None, ..error.clone() };
    FaultView { message: bare.to_string(), hint: error.hint.clone() }
}

#[cfg(test)]
mod tests;
