//! Clusters with their balancers and members.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::from_files::FromFiles;
use super::objections;
use super::plugins::{Artifacts, find};
use super::secrets::ConfigureInput;
use super::upstreams::{self, UpstreamInputs, UpstreamsBefore};
use crate::cluster::{
    AddressCount, Cluster, FailurePolicy, Live, Member, Numbers, Policy, Recovery, Retry, Signals, Sticky,
};
use crate::config::{self, Config, Counting, EndpointAddress};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::plugin::Artifact;
use crate::policy::{self, Balancer, DeciderLabel, ObservedDecider};
use crate::tls::PlatformRoots;
use crate::upstream::Upstream;

/// The clusters of one generation, by name.
pub(crate) type PreparedClusters = HashMap<String, PreparedCluster>;

/// A cluster and all that it was made from: where that is equal again, it is taken over as it is.
#[derive(Debug)]
pub(crate) struct PreparedCluster {
    pub(crate) inputs: ClusterInputs,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) upstreams: Vec<Arc<Upstream>>,
}

/// See [`PreparedCluster`].
#[derive(Debug, PartialEq)]
pub(crate) struct ClusterInputs {
    pub(crate) config: config::ClusterConfig,
    /// Of the balancer's file.
    plugin: Arc<str>,
    /// Of its `[plugin]` section.
    limits: Option<config::PluginConfig>,
    /// What its balancer is configured with.
    balancer: ConfigureInput,
    /// Of the CA and identity files.
    files: Vec<Vec<u8>>,
}

/// What the clusters of one generation have in common while they are made.
struct Maker<'a> {
    services: &'a Services,
    config: &'a Config,
    artifacts: &'a Artifacts,
    platform: PlatformRoots,
    warnings: &'a mut Vec<String>,
}

/// Makes the clusters of `config`. One whose inputs are those of `before` is taken over with all its state. What works
/// but deserves a warning goes to the log and to `warnings`.
pub(crate) fn prepare(
    services: &Services,
    config: &Config,
    from_files: &FromFiles,
    before: Option<&PreparedClusters>,
    warnings: &mut Vec<String>,
) -> Result<PreparedClusters, PrepareError> {
    let mut maker =
        Maker { services, config, artifacts: &from_files.artifacts, platform: PlatformRoots::default(), warnings };
    let mut clusters = PreparedClusters::new();
    for cluster in &config.clusters {
        let artifact = find(&from_files.artifacts, &cluster.balancer)?;
        let inputs = ClusterInputs {
            config: cluster.clone(),
            plugin: artifact.digest().clone(),
            limits: config.plugins.get(&cluster.balancer.plugin).cloned(),
            balancer: ConfigureInput::of(config, &from_files.secrets, &cluster.balancer),
            files: tls_files(&cluster.tls).iter().map(|path| from_files.digests.of(path)).collect(),
        };
        let before = before.and_then(|before| before.get(&cluster.name));
        let prepared = match before {
            Some(before) if before.inputs == inputs => {
                PreparedCluster { inputs, cluster: before.cluster.clone(), upstreams: before.upstreams.clone() }
            }
            _ => maker.make(cluster, inputs, artifact, before)?,
        };
        clusters.insert(cluster.name.clone(), prepared);
    }
    Ok(clusters)
}

/// Endpoints as balancers know them.
fn balanced(endpoints: &[config::EndpointConfig]) -> Vec<policy::Endpoint> {
    let known = |endpoint: &config::EndpointConfig| policy::Endpoint {
        name: endpoint.url.clone(),
        weight: endpoint.weight,
        group: endpoint.group,
        route: endpoint.route.clone(),
        labels: endpoint.labels.clone(),
    };
    endpoints.iter().map(known).collect()
}

impl Maker<'_> {
    fn make(
        &mut self,
        cluster: &config::ClusterConfig,
        inputs: ClusterInputs,
        artifact: &Arc<Artifact>,
        before: Option<&PreparedCluster>,
    ) -> Result<PreparedCluster, PrepareError> {
        let carry = before.and_then(|before| before.cluster.save());
        let registry = &self.services.registry;
        let lives: Vec<Arc<Live>> =
            cluster.endpoints.iter().map(|endpoint| registry.live(&cluster.name, &endpoint.url)).collect();
        let policies = FailurePolicy::of(cluster, &lives);
        let signals = Arc::new(Signals::new(registry, &cluster.signals, cluster.signal_expiry));
        let numbers = Arc::new(Numbers::new(lives.clone()).with_signals(signals.clone()));
        let balancer = artifact.balancer(&inputs.balancer.whole(), &balanced(&cluster.endpoints), numbers, carry);
        let balancer = balancer.map_err(|error| {
            let whom = format!("cluster {}", cluster.name);
            objections::place(self.config, &cluster.balancer, &whom, self.artifacts, error)
        })?;
        let balancer = self.observed(balancer, cluster, artifact);
        let members =
            cluster.endpoints.iter().zip(lives).zip(policies).map(|((endpoint, live), failure_policy)| Member {
                live,
                failure_policy,
                group: endpoint.group,
                state: endpoint.state,
                max_connections: endpoint.max_connections,
                shared: self.address_count(cluster.count, &endpoint.address),
            });
        let recovery = Recovery {
            is_forced: cluster.force_recovery,
            slow_start: cluster.slow_start,
            wait: cluster.wait,
            has_probes: cluster.health.is_some(),
        };
        let policy = Policy {
            sticky: cluster.sticky.as_ref().map(|sticky| Sticky::new(sticky, &cluster.name, &cluster.endpoints)),
            affinity: cluster.affinity.clone(),
            retry: Retry::new(&cluster.retry),
            fail_on: (!cluster.fail_on.is_empty()).then(|| cluster.fail_on.as_slice().into()),
        };
        let made = Cluster::new(cluster.name.as_str().into(), members.collect(), balancer);
        let made = made.with_signals(signals).with_recovery(recovery).under(policy);
        let reusable = before.and_then(|before| {
            UpstreamsBefore { inputs: before.inputs.of_upstreams(), upstreams: &before.upstreams }
                .reusable_for(&inputs.of_upstreams())
        });
        let upstreams = upstreams::prepare(cluster, reusable, &self.platform, self.services, self.warnings)?;
        Ok(PreparedCluster { inputs, cluster: Arc::new(made), upstreams })
    }

    /// The same, seen by whoever wants to see its decisions.
    fn observed(
        &self,
        balancer: Box<dyn Balancer>,
        cluster: &config::ClusterConfig,
        artifact: &Artifact,
    ) -> Box<dyn Balancer> {
        let Some(observer) = &self.services.decisions else { return balancer };
        let label = DeciderLabel {
            plugin: cluster.balancer.plugin.clone(),
            digest: artifact.digest().clone(),
            cluster: Some(cluster.name.clone()),
            names: cluster.endpoints.iter().map(|endpoint| endpoint.url.clone()).collect(),
        };
        Box::new(ObservedDecider::new(balancer, label, observer.clone()))
    }

    /// What the address of an endpoint holds, if that is what its cluster counts.
    fn address_count(&self, count: Counting, address: &EndpointAddress) -> Option<Arc<AddressCount>> {
        let registry = &self.services.registry;
        match (count, address) {
            (Counting::Address, EndpointAddress::Tcp(host, port)) => Some(registry.address(host, *port)),
            (Counting::Address, EndpointAddress::Unix(path)) => Some(registry.address(&path.to_string_lossy(), 0)),
            (Counting::Cluster, _) => None,
        }
    }
}

impl ClusterInputs {
    fn of_upstreams(&self) -> UpstreamInputs<'_> {
        UpstreamInputs { cluster: &self.config, files: &self.files }
    }
}

fn tls_files(tls: &config::ClientTls) -> Vec<PathBuf> {
    let identity = tls.identity.iter().flat_map(|files| [files.certificate.clone(), files.key.clone()]);
    tls.ca.iter().cloned().chain(identity).collect()
}
