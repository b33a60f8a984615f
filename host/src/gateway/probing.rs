//! Whose endpoints are probed: those of the generation that serves, each cluster as long as it stays the same.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::generation::Generation;
use crate::cluster::{Cluster, Signals};
use crate::probe::{OnReports, OnResponse, Prober, Probes};
use crate::telemetry::Metrics;

/// Probes under way, by the name of the cluster.
#[derive(Debug)]
pub(super) struct Probing {
    prober: Prober,
    metrics: Arc<Metrics>,
    running: Mutex<HashMap<String, ProbedCluster>>,
}

#[derive(Debug)]
struct ProbedCluster {
    /// Weak: probes keep no balancer.
    cluster: Weak<Cluster>,
    _probes: Vec<Probes>,
}

impl Probing {
    pub(super) fn new(prober: Prober, metrics: Arc<Metrics>) -> Self {
        Self { prober, metrics, running: Mutex::default() }
    }

    /// Ends the probes of clusters that `generation` has not, and begins those of clusters that are new in it.
    pub(super) fn follow(&self, generation: &Generation) {
        let mut running = self.running.lock();
        let is_same = |name: &String, probed: &ProbedCluster| {
            let now = generation.cluster(name);
            now.is_some_and(|now| std::ptr::eq(Arc::as_ptr(&now.cluster), probed.cluster.as_ptr()))
        };
        running.retain(|name, probed| is_same(name, probed));
        for (name, prepared) in &generation.clusters {
            if running.contains_key(name) {
                continue;
            }
            let (cluster, upstreams) = (&prepared.cluster, &prepared.upstreams);
            let signals = cluster.signals();
            let health = prepared.inputs.config.health.as_ref();
            let probes = health.map(|health| self.prober.start(cluster, upstreams, health, &self.on_answer(signals)));
            let reports = self.prober.ask(cluster, upstreams, signals, &self.on_reports(signals));
            let probes: Vec<_> = probes.into_iter().chain(reports).collect();
            if !probes.is_empty() {
                running.insert(name.clone(), ProbedCluster { cluster: Arc::downgrade(cluster), _probes: probes });
            }
        }
    }

    /// Writes down what endpoints report when they are asked for it alone.
    fn on_reports(&self, signals: &Arc<Signals>) -> OnReports {
        let (signals, metrics) = (signals.clone(), self.metrics.clone());
        Arc::new(move |live, reports| {
            signals.take(reports, live, live.now(), &metrics);
        })
    }

    /// Reads what endpoints report about themselves out of their responses to probes.
    fn on_answer(&self, signals: &Arc<Signals>) -> OnResponse {
        let (signals, metrics) = (signals.clone(), self.metrics.clone());
        Arc::new(move |live, headers, body| {
            let reports = signals.read_answer(headers, body);
            signals.take(&reports, live, live.now(), &metrics);
        })
    }
}
