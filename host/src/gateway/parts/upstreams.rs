//! How the endpoints of a cluster are reached.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::config::{self, ClusterProtocol, EndpointAddress};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::tls::{self, PlatformRoots, TlsError};
use crate::upstream::{Address, EndpointProtocol, HeadLimits, PoolLimits, Tls, Upstream, UpstreamSettings};

/// What the upstreams of a cluster are made from.
#[derive(Clone, Copy)]
pub(super) struct UpstreamInputs<'a> {
    pub(super) cluster: &'a config::ClusterConfig,
    /// FileDigests of the CA and identity files.
    pub(super) files: &'a [Vec<u8>],
}

/// The upstreams of the cluster before, with their open connections; one for each of its endpoints.
pub(super) struct UpstreamsBefore<'a> {
    pub(super) inputs: UpstreamInputs<'a>,
    pub(super) upstreams: &'a [Arc<Upstream>],
}

impl<'a> UpstreamsBefore<'a> {
    /// These, if they may serve a cluster that is made from `new`. Whether the endpoints are the same is another
    /// question.
    pub(super) fn reusable_for(self, new: &UpstreamInputs<'_>) -> Option<Self> {
        let limits = |cluster: &config::ClusterConfig| {
            (cluster.protocol, cluster.pool_size, cluster.pool_idle, cluster.head_bytes, cluster.head_fields)
        };
        let (ours, theirs) = (self.inputs.cluster, new.cluster);
        let same_tls = ours.tls == theirs.tls && self.inputs.files == new.files;
        (same_tls && limits(ours) == limits(theirs)).then_some(self)
    }

    fn by_url(&self) -> HashMap<&'a str, (&'a config::EndpointConfig, &'a Arc<Upstream>)> {
        let all = self.inputs.cluster.endpoints.iter().zip(self.upstreams);
        all.map(|(endpoint, upstream)| (endpoint.url.as_str(), (endpoint, upstream))).collect()
    }

    fn tls(&self) -> Option<Arc<rustls::ClientConfig>> {
        self.upstreams.iter().find_map(|upstream| upstream.tls()).map(|tls| tls.config.clone())
    }
}

/// Makes one for each endpoint of `cluster`; those of `before` whose endpoint is reached alike are taken over.
pub(super) fn prepare(
    cluster: &config::ClusterConfig,
    before: Option<UpstreamsBefore<'_>>,
    platform: &PlatformRoots,
    services: &Services,
    warnings: &mut Vec<String>,
) -> Result<Vec<Arc<Upstream>>, PrepareError> {
    let wrong = |source: TlsError| PrepareError::Tls { context: format!("cluster {}", cluster.name), source };
    let tls_before = before.as_ref().and_then(UpstreamsBefore::tls);
    let tls_config = if tls_before.is_some() {
        tls_before
    } else if cluster.endpoints.iter().any(|endpoint| endpoint.tls) {
        let by_tls = cluster.endpoints.iter().filter(|endpoint| endpoint.tls);
        let by_tls: Vec<_> = by_tls.map(|endpoint| endpoint.authority.clone()).collect();
        let built = tls::client_config(&cluster.tls, &by_tls, platform, cluster.protocol).map_err(wrong)?;
        for warning in &built.warnings {
            tracing::warn!(cluster = %cluster.name, "{warning}");
        }
        warnings.extend(built.warnings.iter().map(|warning| format!("cluster {}: {warning}", cluster.name)));
        Some(built.value)
    } else {
        None
    };
    let known = before.as_ref().map(UpstreamsBefore::by_url).unwrap_or_default();
    let upstream = |endpoint: &config::EndpointConfig| {
        let before = known.get(endpoint.url.as_str());
        if let Some((_, upstream)) = before.filter(|(before, _)| is_reached_alike(before, endpoint)) {
            return Ok(Arc::clone(upstream));
        }
        let tls = match (&tls_config, endpoint.tls) {
            (Some(config), true) => {
                let name = tls::server_name(&cluster.tls, &endpoint.authority).map_err(wrong)?;
                Some(Tls { config: config.clone(), name })
            }
            _ => None,
        };
        let settings = UpstreamSettings {
            url: endpoint.url.as_str().into(),
            known_as: endpoint.known_as().into(),
            address: address(&endpoint.address),
            tls,
            authority: (&endpoint.authority).into(),
            base_path: endpoint.base_path.clone(),
            protocol: protocol(cluster.protocol),
            pool: PoolLimits { size: cluster.pool_size, idle: cluster.pool_idle },
            head: HeadLimits { bytes: cluster.head_bytes, fields: cluster.head_fields },
            metrics: Arc::clone(&services.observers.metrics),
        };
        Ok(Upstream::new(settings, services.workers.count()))
    };
    cluster.endpoints.iter().map(upstream).collect()
}

/// What an endpoint of a cluster is spoken to in.
fn protocol(of_cluster: ClusterProtocol) -> EndpointProtocol {
    match of_cluster {
        ClusterProtocol::Http1 => EndpointProtocol::Http1,
        ClusterProtocol::Http2 => EndpointProtocol::Http2,
        ClusterProtocol::Negotiated => EndpointProtocol::Negotiated,
    }
}

/// Whether both are reached alike. State, weight and group do not matter.
fn is_reached_alike(one: &config::EndpointConfig, other: &config::EndpointConfig) -> bool {
    let same_text = one.authority == other.authority && one.base_path == other.base_path;
    same_text && one.address == other.address && one.tls == other.tls
}

/// Addresses that need no name service are parsed once, here.
fn address(address: &EndpointAddress) -> Address {
    match address {
        EndpointAddress::Tcp(host, port) => match host.parse::<IpAddr>() {
            Ok(ip) => Address::Socket((ip, *port).into()),
            Err(_a_name) => Address::Name(host.clone(), *port),
        },
        EndpointAddress::Unix(path) => Address::Unix(path.clone()),
    }
}
