//! Endpoints, plugins and generations as the control port shows them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use crate::cluster::{Live, Reading, Signals};
use crate::control::{ClusterView, EndpointView, GenerationState, GenerationView, PluginView, SignalView, TableView};
use crate::gateway::endpoints::{ClusterEndpoints, KnownEndpoint};
use crate::gateway::generation::Generation;
use crate::gateway::history::GenerationRecord;
use crate::plugin::status::{LastRefusal, RoleStatus};
use crate::plugin::{Artifact, PluginTable};
use crate::telemetry::date::Rfc3339;
use crate::upstream::SpokenProtocol;

pub(super) fn cluster(cluster: ClusterEndpoints<'_>, now: Instant) -> ClusterView {
    ClusterView {
        name: cluster.name,
        balancer: cluster.config.map(|config| config.balancer.plugin.clone()),
        protocol: cluster.config.map(|config| config.protocol.as_str()),
        endpoints: cluster.endpoints.iter().map(|one| endpoint(one, now)).collect(),
    }
}

fn endpoint(KnownEndpoint { live, config, signals, spoken }: &KnownEndpoint<'_>, now: Instant) -> EndpointView {
    let latency = live.latency();
    let report = live.report(now);
    let (probes_passed, probes_failed) = live.probes();
    EndpointView {
        url: live.url().to_owned(),
        found_by: config.and_then(|config| config.found_by.clone()),
        state: config.map_or("removed", |config| config.state.as_str()),
        protocol: spoken.map(SpokenProtocol::as_str),
        health: report.health.as_str(),
        health_since: Rfc3339(SystemTime::now() - now.saturating_duration_since(report.since)).to_string(),
        health_reason: report.reason.map(Into::into),
        weight: config.map(|config| f64::from(config.weight) / 100.0),
        group: config.map(|config| config.group),
        in_flight: live.in_flight(),
        picks: live.picks(),
        bytes_sent: live.sent(),
        bytes_received: live.received(),
        failures: live.failures(),
        ejections: live.ejections(),
        probes_passed,
        probes_failed,
        signals: signals.map(|signals| signal_views(signals, live, now)).unwrap_or_default(),
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

/// The plugins of the live generation, then those that only the one before has, then those that were never loaded.
pub(super) fn plugins(live: &Generation, previous: Option<&Generation>, refusals: &[LastRefusal]) -> Vec<PluginView> {
    let refusal = |name: &str| refusals.iter().find(|one| one.plugin == name).map(|one| one.reason.clone());
    let mut views = Vec::new();
    let mut show = |generation: &Generation, artifacts: &[&Arc<Artifact>]| {
        for artifact in artifacts {
            let roles = artifact.status().into_iter();
            views.extend(roles.map(|status| plugin(status, artifact, generation.id(), refusal)));
        }
    };
    show(live, &live.artifacts().values().collect::<Vec<_>>());
    if let Some(before) = previous {
        let is_live = |artifact: &Arc<Artifact>| live.artifacts().values().any(|other| Arc::ptr_eq(artifact, other));
        show(before, &before.artifacts().values().filter(|artifact| !is_live(artifact)).collect::<Vec<_>>());
    }
    let unknown = refusals.iter().filter(|one| views.iter().all(|view: &PluginView| view.name != one.plugin));
    let unknown: Vec<_> = unknown.map(|one| never_loaded(&one.plugin, &one.reason)).collect();
    views.extend(unknown);
    views
}

fn plugin(
    status: RoleStatus,
    artifact: &Artifact,
    generation: u64,
    refusal: impl Fn(&str) -> Option<String>,
) -> PluginView {
    PluginView {
        time_per_call_ns: status.nanos_per_call(),
        role: Some(status.role.as_str()),
        file: Some(artifact.origin().to_string()),
        digest: Some(status.digest),
        generation: Some(generation),
        instances: status.instances,
        calls: status.calls,
        faults: status.faults.into_iter().collect(),
        aside: status.open_circuits,
        last_fault: status.last_fault,
        last_refusal: refusal(&status.plugin),
        table: artifact.table().map(|found| table(found)),
        name: status.plugin,
    }
}

pub(super) fn table(table: &PluginTable) -> TableView {
    let status = table.status();
    TableView {
        file: status.path.display().to_string(),
        version: status.version(),
        entries: status.entries,
        memory_bytes: status.memory,
        since: Rfc3339(status.since).to_string(),
        swaps: status.swaps,
        last_refusal: status.refusal,
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
        table: None,
    }
}

pub(super) fn generation(record: &GenerationRecord) -> GenerationView {
    GenerationView {
        id: record.id,
        since: Rfc3339(record.since).to_string(),
        digest: record.digest.clone(),
        changes: record.changes.clone(),
        state: if record.live { GenerationState::Live } else { GenerationState::Retired },
    }
}
