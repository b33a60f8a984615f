//! Numbers that live in other places, for the metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::Shared;
use crate::plugin::status::Refusal;
use crate::telemetry::names::{
    ENDPOINT_BYTES, ENDPOINT_FAILURES, ENDPOINT_HEALTHY, ENDPOINT_IN_FLIGHT, ENDPOINT_PICKS, ENDPOINT_SIGNAL,
    LISTENER_CONNECTIONS, NAME_ADDRESSES, PLUGIN_ASIDE, PLUGIN_CALLS, PLUGIN_FAULTS, PLUGIN_INSTANCES, PLUGIN_REFUSED,
    PLUGIN_SECONDS, RUNTIME_CHANGES, WORKER_CONNECTIONS,
};
use crate::telemetry::{Samples, process};

type Labels = Vec<(&'static str, String)>;

impl Shared {
    /// Lets a scrape see endpoints, plugins, listeners, workers and the process. Every label is a name of the
    /// configuration or one of a fixed set.
    pub(super) fn add_sources(self: &Arc<Self>) {
        let metrics = &self.base.observers.metrics;
        // Weak: the metrics belong to what is measured.
        let shared: Weak<Self> = Arc::downgrade(self);
        metrics.add_source(move |samples| {
            if let Some(shared) = shared.upgrade() {
                shared.endpoints(samples);
                shared.plugin_numbers(samples);
                shared.connections(samples);
                shared.members(samples);
            }
        });
        process::report(metrics);
    }

    fn endpoints(&self, samples: &mut Samples) {
        for cluster in self.clusters() {
            for endpoint in &cluster.endpoints {
                let labels =
                    || -> Labels { vec![("cluster", cluster.name.clone()), ("endpoint", endpoint.url.clone())] };
                let towards = |direction: &str| [labels(), vec![("direction", direction.to_owned())]].concat();
                let healthy = if endpoint.health == "healthy" { 1.0 } else { 0.0 };
                samples.add(&ENDPOINT_IN_FLIGHT, labels(), f64::from(endpoint.in_flight));
                samples.add(&ENDPOINT_HEALTHY, labels(), healthy);
                samples.add(&ENDPOINT_PICKS, labels(), float(endpoint.picks));
                samples.add(&ENDPOINT_FAILURES, labels(), float(endpoint.failures));
                samples.add(&ENDPOINT_BYTES, towards("to_endpoint"), float(endpoint.bytes_sent));
                samples.add(&ENDPOINT_BYTES, towards("to_client"), float(endpoint.bytes_received));
                for (name, signal) in endpoint.signals.iter().filter(|(_, signal)| signal.fresh) {
                    let labels = [labels(), vec![("signal", name.clone())]].concat();
                    samples.add(&ENDPOINT_SIGNAL, labels, signal.value.unwrap_or(f64::NAN));
                }
            }
        }
    }

    fn members(&self, samples: &mut Samples) {
        let changes = self.current.load().changes.count();
        samples.add(&RUNTIME_CHANGES, Vec::new(), count(changes));
        let known = self.base.discovery.known();
        for name in self.current.load().names.iter() {
            let found = known.get(name).map_or(0, Vec::len);
            samples.add(&NAME_ADDRESSES, vec![("name", name.host.clone())], count(found));
        }
    }

    fn plugin_numbers(&self, samples: &mut Samples) {
        let runtime = &self.base.runtime;
        let statuses = runtime.status();
        let refusals = runtime.refusals();
        for total in runtime.totals() {
            let labels =
                || -> Labels { vec![("plugin", total.plugin.clone()), ("role", total.role.as_str().to_owned())] };
            samples.add(&PLUGIN_CALLS, labels(), float(total.calls));
            samples.add(&PLUGIN_SECONDS, labels(), float(total.nanos) / 1e9);
            for (kind, count) in &total.faults {
                let labels = [labels(), vec![("kind", (*kind).to_owned())]].concat();
                samples.add(&PLUGIN_FAULTS, labels, float(*count));
            }
            let mine = || statuses.iter().filter(|one| one.plugin == total.plugin && one.role == total.role);
            samples.add(&PLUGIN_INSTANCES, labels(), count(mine().map(|one| one.instances).sum()));
            samples.add(&PLUGIN_ASIDE, labels(), count(mine().map(|one| one.aside).sum()));
        }
        for (name, refused) in plugin_names(self, &refusals) {
            samples.add(&PLUGIN_REFUSED, vec![("plugin", name)], if refused { 1.0 } else { 0.0 });
        }
    }

    fn connections(&self, samples: &mut Samples) {
        for (address, open) in self.listening.lock().connections() {
            samples.add(&LISTENER_CONNECTIONS, vec![("listener", address.to_string())], count(open));
        }
        for (worker, load) in self.base.workers.loads().into_iter().enumerate() {
            samples.add(&WORKER_CONNECTIONS, vec![("worker", worker.to_string())], count(load));
        }
    }
}

/// Every plugin of the live generation and every one that was refused, and whether it was.
fn plugin_names(shared: &Shared, refusals: &[Refusal]) -> BTreeMap<String, bool> {
    let mut names: BTreeMap<_, _> = shared.current.load().artifacts.keys().map(|name| (name.clone(), false)).collect();
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
