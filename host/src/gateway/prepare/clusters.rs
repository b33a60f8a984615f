//! Clusters with their balancers and ways to their endpoints.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;

use super::plugins::{Artifacts, config_of, find};
use super::{Files, PrepareError, address, timeouts};
use crate::cluster::{AddressCount, Care, Cluster, Live, Member, Numbers, Policy, Recovery, Retry, Signals, Sticky};
use crate::config::{self, Config, Counting, EndpointAddress};
use crate::gateway::Base;
use crate::gateway::generation::{Generation, Kept, MadeFrom};
use crate::proxy::Destination;
use crate::tls::{self, PlatformRoots, TlsError};
use crate::upstream::{EndpointProtocol, HeadLimits, PoolLimits, Tls, Upstream, UpstreamSettings};

/// The clusters of one generation.
pub(super) struct Clusters {
    pub(super) by_name: HashMap<String, Kept>,
}

impl Clusters {
    /// In the order of the configuration, which is the order that routers know.
    pub(super) fn destinations(&self, config: &Config) -> Vec<Destination> {
        let destination = |cluster: &config::ClusterConfig| {
            let kept = self.by_name.get(&cluster.name)?;
            Some(Destination {
                cluster: kept.cluster.clone(),
                upstreams: kept.upstreams.clone(),
                balancer: cluster.balancer.plugin.as_str().into(),
                timeouts: timeouts(&cluster.timeouts),
            })
        };
        config.clusters.iter().filter_map(destination).collect()
    }
}

/// Makes the clusters of `config`. One that is made from the same as before is taken over with all its state. What works but
/// deserves a word goes to the log and to `warnings`.
pub(super) fn prepare(
    base: &Base,
    config: &Config,
    files: &Files,
    artifacts: &Artifacts,
    previous: Option<&Generation>,
    warnings: &mut Vec<String>,
) -> Result<Clusters, PrepareError> {
    let platform = PlatformRoots::default();
    let mut by_name = HashMap::new();
    for cluster in &config.clusters {
        let artifact = find(artifacts, &cluster.balancer)?;
        let made_from = MadeFrom {
            config: cluster.clone(),
            plugin: artifact.digest().clone(),
            limits: config.plugins.get(&cluster.balancer.plugin).cloned(),
            files: tls_files(&cluster.tls).iter().map(|path| files.print(path)).collect(),
        };
        let before = previous.and_then(|previous| previous.clusters.get(&cluster.name));
        let kept = match before {
            Some(before) if before.made_from == made_from => {
                Kept { made_from, cluster: before.cluster.clone(), upstreams: before.upstreams.clone() }
            }
            _ => {
                let carry = before.and_then(|before| before.cluster.save());
                let before = before.map(Ways::of);
                make(base, config, cluster, made_from, artifact, (&platform, warnings), (carry, before))?
            }
        };
        by_name.insert(cluster.name.clone(), kept);
    }
    Ok(Clusters { by_name })
}

fn make(
    base: &Base,
    config: &Config,
    cluster: &config::ClusterConfig,
    made_from: MadeFrom,
    artifact: &Arc<crate::plugin::Artifact>,
    tls: (&PlatformRoots, &mut Vec<String>),
    (carry, before): (Option<Vec<u8>>, Option<Ways<'_>>),
) -> Result<Kept, PrepareError> {
    let lives: Vec<Arc<Live>> =
        cluster.endpoints.iter().map(|endpoint| base.registry.live(&cluster.name, &endpoint.url)).collect();
    let cares = Care::of(cluster, &lives);
    let signals = Arc::new(Signals::new(&base.registry, &cluster.signals, cluster.signal_expiry));
    let numbers = Arc::new(Numbers::new(lives.clone()).with_signals(signals.clone()));
    let balancer = artifact.balancer(config_of(config, &cluster.balancer), &cluster.endpoints, numbers, carry)?;
    let members = cluster.endpoints.iter().zip(lives).zip(cares).map(|((endpoint, live), care)| Member {
        live,
        care,
        group: endpoint.group,
        state: endpoint.state,
        max_connections: endpoint.max_connections,
        shared: shared(base, cluster.count, &endpoint.address),
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
    let cluster_view = Cluster::new(cluster.name.as_str().into(), members.collect(), balancer);
    let cluster_view = cluster_view.with_signals(signals).with_recovery(recovery).under(policy);
    let before = before.filter(|before| before.lead_on(&made_from));
    let upstreams = upstreams(base, cluster, tls, before.as_ref())?;
    Ok(Kept { made_from, cluster: Arc::new(cluster_view), upstreams })
}

/// What the address of an endpoint holds, if that is what its cluster counts.
fn shared(base: &Base, count: Counting, address: &EndpointAddress) -> Option<Arc<AddressCount>> {
    match (count, address) {
        (Counting::Address, EndpointAddress::Tcp(host, port)) => Some(base.registry.address(host, *port)),
        (Counting::Address, EndpointAddress::Unix(path)) => Some(base.registry.address(&path.to_string_lossy(), 0)),
        (Counting::Cluster, _) => None,
    }
}

/// The ways to the endpoints of the cluster before, with their open connections.
struct Ways<'a> {
    made_from: &'a MadeFrom,
    upstreams: &'a [Arc<Upstream>],
}

impl<'a> Ways<'a> {
    fn of(kept: &'a Kept) -> Self {
        Self { made_from: &kept.made_from, upstreams: &kept.upstreams }
    }

    /// Whether they are the ways of a cluster that is made from `other`, too.
    fn lead_on(&self, other: &MadeFrom) -> bool {
        let (ours, theirs) = (&self.made_from.config, &other.config);
        let limits = |cluster: &config::ClusterConfig| {
            (cluster.pool_size, cluster.pool_idle, cluster.head_bytes, cluster.head_fields)
        };
        let same_tls = ours.tls == theirs.tls && self.made_from.files == other.files;
        same_tls && limits(ours) == limits(theirs)
    }

    fn by_url(&self) -> HashMap<&'a str, (&'a config::EndpointConfig, &'a Arc<Upstream>)> {
        let all = self.made_from.config.endpoints.iter().zip(self.upstreams);
        all.map(|(endpoint, upstream)| (endpoint.url.as_str(), (endpoint, upstream))).collect()
    }

    fn tls(&self) -> Option<Arc<rustls::ClientConfig>> {
        self.upstreams.iter().find_map(|upstream| upstream.tls()).map(|tls| tls.config.clone())
    }
}

/// Whether both are reached alike. What an operator says of them does not matter.
fn same_way(one: &config::EndpointConfig, other: &config::EndpointConfig) -> bool {
    let same_text = one.authority == other.authority && one.base_path == other.base_path;
    same_text && one.address == other.address && one.tls == other.tls
}

fn upstreams(
    base: &Base,
    cluster: &config::ClusterConfig,
    (platform, warnings): (&PlatformRoots, &mut Vec<String>),
    before: Option<&Ways<'_>>,
) -> Result<Vec<Arc<Upstream>>, PrepareError> {
    let wrong = |source: TlsError| PrepareError::Tls { context: format!("cluster {}", cluster.name), source };
    let tls_before = before.and_then(Ways::tls);
    let tls_config = if tls_before.is_some() {
        tls_before
    } else if cluster.endpoints.iter().any(|endpoint| endpoint.tls) {
        let built = tls::client_config(&cluster.tls, &cluster.endpoints, platform).map_err(wrong)?;
        for warning in &built.warnings {
            tracing::warn!(cluster = %cluster.name, "{warning}");
        }
        warnings.extend(built.warnings.iter().map(|warning| format!("cluster {}: {warning}", cluster.name)));
        Some(built.value)
    } else {
        None
    };
    let known: HashMap<_, _> = before.map(Ways::by_url).unwrap_or_default();
    let upstream = |endpoint: &config::EndpointConfig| {
        if let Some((_, upstream)) = known.get(endpoint.url.as_str()).filter(|(known, _)| same_way(known, endpoint)) {
            return Ok(Arc::clone(upstream));
        }
        let tls = match (&tls_config, endpoint.tls) {
            (Some(config), true) => {
                let name = tls::server_name(&cluster.tls, endpoint).map_err(wrong)?;
                Some(Tls { config: config.clone(), name })
            }
            _ => None,
        };
        let authority = HeaderValue::from_str(&endpoint.authority).map_err(|_not_a_value| PrepareError::Authority {
            cluster: cluster.name.clone(),
            url: endpoint.url.clone(),
        })?;
        let settings = UpstreamSettings {
            url: endpoint.url.as_str().into(),
            known_as: endpoint.known_as().into(),
            address: address(&endpoint.address),
            tls,
            authority,
            base_path: endpoint.base_path.clone(),
            pool: PoolLimits { size: cluster.pool_size, idle: cluster.pool_idle },
            head: HeadLimits { bytes: cluster.head_bytes, fields: cluster.head_fields },
            protocol: EndpointProtocol::Http1,
        };
        Ok(Upstream::new(settings, base.workers.count()))
    };
    cluster.endpoints.iter().map(upstream).collect()
}

fn tls_files(tls: &config::ClientTls) -> Vec<PathBuf> {
    let identity = tls.identity.iter().flat_map(|files| [files.certificate.clone(), files.key.clone()]);
    tls.ca.iter().cloned().chain(identity).collect()
}
