//! Numbers that live in other places, for the metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::endpoints::endpoints;
use super::generation::Generation;
use super::running::RunningSet;
use crate::cluster::Health;
use crate::plugin::status::{LastRefusal, MeasuredValue, OBSERVATION_BOUNDS};
use crate::telemetry::names::{
    BALANCER_SECONDS, ENDPOINT_BYTES, ENDPOINT_EJECTIONS, ENDPOINT_FAILURES, ENDPOINT_HEALTHY, ENDPOINT_HTTP2,
    ENDPOINT_IN_FLIGHT, ENDPOINT_PICKS, ENDPOINT_PROBES, ENDPOINT_SIGNAL, LISTENER_CONNECTIONS, NAME_ADDRESSES,
    PLUGIN_ASIDE, PLUGIN_CALLS, PLUGIN_COUNT, PLUGIN_FAULTS, PLUGIN_INSTANCES, PLUGIN_LEVEL, PLUGIN_METRICS_DROPPED,
    PLUGIN_OBSERVED, PLUGIN_REFUSED, PLUGIN_SECONDS, PLUGIN_TABLE_AGE, PLUGIN_TABLE_BYTES, PLUGIN_TABLE_ENTRIES,
    PLUGIN_TABLE_REFUSED, PLUGIN_TABLE_SWAPS, PLUGIN_TABLE_VERSION, RUNTIME_CHANGES, WORKER_CONNECTIONS,
};
use crate::telemetry::{Labels, SampledSizes, Samples, process};
use crate::upstream::SpokenProtocol;

/// Lets a scrape see endpoints, plugins, listeners, workers and the process. Every label is a name of the configuration
/// or one of a fixed set, but for what plugins measure themselves, which is bounded.
pub(super) fn add_sources(set: &Arc<RunningSet>) {
    let metrics = &set.services.observers.metrics;
    // Weak: the metrics belong to what is measured.
    let set: Weak<RunningSet> = Arc::downgrade(set);
    metrics.add_source(move |samples| {
        if let Some(set) = set.upgrade() {
            let live = Arc::clone(&set.generations.live());
            add_endpoints(&set, &live, samples);
            add_plugins(&set, &live, samples);
            add_tables(&live, samples);
            add_measured(&set, samples);
            add_balancers(&live, samples);
            add_connections(&set, samples);
            add_members(&set, &live, samples);
        }
    });
    process::report(metrics);
}

fn add_endpoints(set: &RunningSet, live: &Generation, samples: &mut Samples) {
    let now = set.services.registry.clock().now();
    for cluster in endpoints(live, &set.services.registry) {
        for endpoint in &cluster.endpoints {
            let live = &endpoint.live;
            let labels = || -> Labels { vec![("cluster", cluster.name.clone()), ("endpoint", live.url().to_owned())] };
            let towards = |direction: &str| [labels(), vec![("direction", direction.to_owned())]].concat();
            let probes = |outcome: &str| [labels(), vec![("outcome", outcome.to_owned())]].concat();
            let healthy = if live.report(now).health == Health::Healthy { 1.0 } else { 0.0 };
            let (passed, failed) = live.probes();
            samples.add(&ENDPOINT_IN_FLIGHT, labels(), f64::from(live.in_flight()));
            samples.add(&ENDPOINT_HEALTHY, labels(), healthy);
            if let Some(spoken) = endpoint.spoken {
                samples.add(&ENDPOINT_HTTP2, labels(), if spoken == SpokenProtocol::Http2 { 1.0 } else { 0.0 });
            }
            samples.add(&ENDPOINT_PICKS, labels(), float(live.picks()));
            samples.add(&ENDPOINT_FAILURES, labels(), float(live.failures()));
            samples.add(&ENDPOINT_EJECTIONS, labels(), float(live.ejections()));
            samples.add(&ENDPOINT_PROBES, probes("passed"), float(passed));
            samples.add(&ENDPOINT_PROBES, probes("failed"), float(failed));
            samples.add(&ENDPOINT_BYTES, towards("to_endpoint"), float(live.sent()));
            samples.add(&ENDPOINT_BYTES, towards("to_client"), float(live.received()));
            let readings = endpoint.signals.map(|signals| signals.readings(live, now)).unwrap_or_default();
            for reading in readings.into_iter().filter(|reading| reading.fresh) {
                let labels = [labels(), vec![("signal", reading.name.to_owned())]].concat();
                samples.add(&ENDPOINT_SIGNAL, labels, reading.last.map_or(f64::NAN, |last| last.value));
            }
        }
    }
}

fn add_members(set: &RunningSet, live: &Generation, samples: &mut Samples) {
    samples.add(&RUNTIME_CHANGES, Vec::new(), count(live.changes().count()));
    let known = set.names.known();
    for name in live.composed.names.iter() {
        let found = known.get(name).map_or(0, Vec::len);
        samples.add(&NAME_ADDRESSES, vec![("name", name.host.clone())], count(found));
    }
}

fn add_plugins(set: &RunningSet, live: &Generation, samples: &mut Samples) {
    let runtime = &set.services.runtime;
    let statuses = runtime.status();
    let refusals = runtime.refusals();
    for total in runtime.totals() {
        let labels = || -> Labels { vec![("plugin", total.plugin.clone()), ("role", total.role.as_str().to_owned())] };
        samples.add(&PLUGIN_CALLS, labels(), float(total.calls));
        samples.add(&PLUGIN_SECONDS, labels(), float(total.nanos) / 1e9);
        for (kind, count) in &total.faults {
            let labels = [labels(), vec![("kind", (*kind).to_owned())]].concat();
            samples.add(&PLUGIN_FAULTS, labels, float(*count));
        }
        let mine = || statuses.iter().filter(|one| one.plugin == total.plugin && one.role == total.role);
        samples.add(&PLUGIN_INSTANCES, labels(), count(mine().map(|one| one.instances).sum()));
        samples.add(&PLUGIN_ASIDE, labels(), count(mine().map(|one| one.open_circuits).sum()));
    }
    for (name, refused) in plugin_names(live, &refusals) {
        samples.add(&PLUGIN_REFUSED, vec![("plugin", name)], if refused { 1.0 } else { 0.0 });
    }
}

fn add_tables(live: &Generation, samples: &mut Samples) {
    for (plugin, artifact) in live.artifacts() {
        let Some(table) = artifact.table().map(|table| table.status()) else { continue };
        let labels = || -> Labels { vec![("plugin", plugin.clone())] };
        let [a, b, c, d, e, f, ..] = table.digest;
        samples.add(&PLUGIN_TABLE_ENTRIES, labels(), count(table.entries));
        samples.add(&PLUGIN_TABLE_BYTES, labels(), count(table.memory));
        samples.add(&PLUGIN_TABLE_AGE, labels(), table.since.elapsed().unwrap_or_default().as_secs_f64());
        samples.add(&PLUGIN_TABLE_VERSION, labels(), float(u64::from_be_bytes([0, 0, a, b, c, d, e, f])));
        samples.add(&PLUGIN_TABLE_SWAPS, labels(), float(table.swaps));
        samples.add(&PLUGIN_TABLE_REFUSED, labels(), if table.refusal.is_some() { 1.0 } else { 0.0 });
    }
}

/// What plugins measure themselves.
fn add_measured(set: &RunningSet, samples: &mut Samples) {
    for measured in set.services.runtime.measured() {
        let plugin = || -> Labels { vec![("plugin", measured.plugin.clone())] };
        samples.add(&PLUGIN_METRICS_DROPPED, plugin(), float(measured.dropped));
        for series in measured.series {
            let labels = [plugin(), vec![("name", series.name), ("label", series.label)]].concat();
            match series.value {
                MeasuredValue::Count(sum) => samples.add(&PLUGIN_COUNT, labels, sum),
                MeasuredValue::Level(level) => samples.add(&PLUGIN_LEVEL, labels, level),
                MeasuredValue::Sizes { sum, counts } => {
                    let bounds = OBSERVATION_BOUNDS.into_iter().chain([f64::INFINITY]);
                    let buckets = bounds.zip(counts.iter().copied()).collect();
                    samples.add_sizes(&PLUGIN_OBSERVED, labels, SampledSizes { sum, buckets });
                }
            }
        }
    }
}

/// Begins anew with another instance, as counters may.
fn add_balancers(live: &Generation, samples: &mut Samples) {
    for (name, prepared) in &live.clusters {
        if let Some(times) = prepared.cluster.balancer_times() {
            let plugin = prepared.inputs.config.balancer.plugin.clone();
            let labels = vec![("cluster", name.clone()), ("plugin", plugin)];
            samples.add(&BALANCER_SECONDS, labels, float(times.nanos) / 1e9);
        }
    }
}

fn add_connections(set: &RunningSet, samples: &mut Samples) {
    for (address, open) in set.listeners.connections() {
        samples.add(&LISTENER_CONNECTIONS, vec![("listener", address.to_string())], count(open));
    }
    for (worker, load) in set.services.workers.loads().into_iter().enumerate() {
        samples.add(&WORKER_CONNECTIONS, vec![("worker", worker.to_string())], count(load));
    }
}

/// Every plugin of the live generation and every one that was refused, and whether it was.
fn plugin_names(live: &Generation, refusals: &[LastRefusal]) -> BTreeMap<String, bool> {
    let mut names: BTreeMap<_, _> = live.artifacts().keys().map(|name| (name.clone(), false)).collect();
    names.extend(refusals.iter().map(|one| (one.plugin.clone(), true)));
    names
}

#[expect(clippy::cast_precision_loss, reason = "a metric's value is a float by format")]
fn float(value: u64) -> f64 {
    value as f64
}

fn count(value: usize) -> f64 {
    float(value as u64)
}
