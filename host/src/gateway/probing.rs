//! Whose endpoints are probed: those of the generation that serves, each cluster as long as it stays the same.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::Shared;
use super::generation::{Generation, Kept};
use crate::cluster::{Cluster, Signals};
use crate::probe::{OnAnswer, Prober, Probes};
use crate::telemetry::Metrics;

/// Probes under way, by the name of the cluster.
#[derive(Debug, Default)]
pub(super) struct Probing {
    running: HashMap<String, Running>,
}

#[derive(Debug)]
struct Running {
    /// Weak: probes keep no balancer.
    cluster: Weak<Cluster>,
    _probes: Probes,
}

impl Probing {
    /// Ends the probes of clusters that `generation` has not, and begins those of clusters that are new in it.
    fn follow(&mut self, generation: &Generation, prober: &Prober, metrics: &Arc<Metrics>) {
        let is_same = |name: &String, running: &Running| {
            let now = generation.clusters.get(name);
            now.is_some_and(|now| std::ptr::eq(Arc::as_ptr(&now.cluster), running.cluster.as_ptr()))
        };
        self.running.retain(|name, running| is_same(name, running));
        for (name, kept) in &generation.clusters {
            if let Some(health) = kept.made_from.config.health.as_ref().filter(|_| !self.running.contains_key(name)) {
                let on_answer = on_answer(kept.cluster.signals(), metrics);
                let probes = prober.start(&kept.cluster, &kept.upstreams, health, &on_answer);
                let running = Running { cluster: Arc::downgrade(&kept.cluster), _probes: probes };
                self.running.insert(name.clone(), running);
            }
        }
    }
}

/// Reads what endpoints report about themselves out of their answers to probes.
fn on_answer(signals: &Arc<Signals>, metrics: &Arc<Metrics>) -> OnAnswer {
    let (signals, metrics) = (signals.clone(), metrics.clone());
    Arc::new(move |live, headers, body| {
        let reports = signals.read_answer(headers, body);
        signals.take(&reports, live, Instant::now(), &metrics);
    })
}

impl Shared {
    /// Probes the endpoints of the generation that serves, and nobody else's.
    pub(super) fn probe_endpoints(&self) {
        let mut probing = self.probing.lock();
        probing.follow(&self.current.load(), &self.base.prober, &self.base.observers.metrics);
    }
}

/// The clusters of `generation` take the places of those of `before`.
pub(super) fn take_over(generation: &Generation, before: &Generation) {
    let now = Instant::now();
    for (name, Kept { cluster, .. }) in &generation.clusters {
        cluster.take_over(before.clusters.get(name).map(|kept| &*kept.cluster), now);
    }
}
