//! Every endpoint that the live generation serves, and those that are gone from it but still held.

use std::collections::HashSet;
use std::sync::Arc;

use super::generation::Generation;
use crate::cluster::{Live, Registry, Signals};
use crate::config;
use crate::upstream::SpokenProtocol;

/// One cluster.
pub(super) struct ClusterEndpoints<'a> {
    pub(super) name: String,
    /// None if it is no longer configured.
    pub(super) config: Option<&'a config::ClusterConfig>,
    /// In the order of the configuration, removed ones last.
    pub(super) endpoints: Vec<KnownEndpoint<'a>>,
}

/// One endpoint of one cluster.
pub(super) struct KnownEndpoint<'a> {
    pub(super) live: Arc<Live>,
    /// None if it is no longer configured, but holds requests or tunnels.
    pub(super) config: Option<&'a config::EndpointConfig>,
    /// What its cluster reads of the reports of endpoints; none if it is no longer configured.
    pub(super) signals: Option<&'a Signals>,
    /// What it is spoken to in; none if it has yet to choose, or is no longer configured.
    pub(super) spoken: Option<SpokenProtocol>,
}

/// Clusters as `generation` has them, then those that are gone from the configuration but still held.
pub(super) fn endpoints<'a>(generation: &'a Generation, registry: &Registry) -> Vec<ClusterEndpoints<'a>> {
    let mut known = HashSet::new();
    let mut clusters = Vec::new();
    for config in &generation.config().clusters {
        let Some(prepared) = generation.cluster(&config.name) else { continue };
        let members = config.endpoints.iter().zip(prepared.cluster.members()).zip(&prepared.upstreams);
        let endpoints = members.map(|((endpoint, member), upstream)| {
            known.insert(Arc::as_ptr(&member.live));
            let signals = Some(&**prepared.cluster.signals());
            KnownEndpoint { live: member.live.clone(), config: Some(endpoint), signals, spoken: upstream.spoken() }
        });
        let endpoints = endpoints.collect();
        clusters.push(ClusterEndpoints { name: config.name.clone(), config: Some(config), endpoints });
    }
    for (name, lives) in registry.all() {
        // The generation before is kept ready, and keeps its endpoints: only those that are in use are listed.
        let removed = lives.into_iter().filter(|live| !known.contains(&Arc::as_ptr(live)) && live.in_flight() > 0);
        let removed = removed.map(|live| KnownEndpoint { live, config: None, signals: None, spoken: None });
        let removed: Vec<_> = removed.collect();
        match clusters.iter_mut().find(|cluster| cluster.name == name) {
            Some(cluster) => cluster.endpoints.extend(removed),
            None if removed.is_empty() => {}
            None => clusters.push(ClusterEndpoints { name, config: None, endpoints: removed }),
        }
    }
    clusters
}
