//! The part of a generation that a request sees, in the terms of `proxy`.

use super::parts::clusters::PreparedClusters;
use super::parts::deciders::Deciders;
use super::parts::listeners::{ListenerTable, certificate_rules, tls_ports};
use super::services::Services;
use crate::config::{self, Config};
use crate::http::Forwarding;
use crate::net::UpgradeProtocol;
use crate::proxy::{Destination, HeaderEdits, ResponseDecider, RouteRules, Snapshot, Timeouts, Upgrades};

/// What requests of generation `id` are routed by.
pub(super) fn snapshot(
    services: &Services,
    config: &Config,
    id: u64,
    deciders: &Deciders,
    clusters: &PreparedClusters,
    listeners: &ListenerTable,
) -> Snapshot {
    let defaults = RouteRules {
        name: "-".into(),
        upgrades: Upgrades::Only(vec![UpgradeProtocol::Websocket]),
        plugins: Vec::new(),
        reverse: true,
        timeouts: None,
        request_headers: HeaderEdits::default(),
        response_headers: HeaderEdits::default(),
        preserve_host: false,
    };
    let forwarded = &config.gateway.forwarded;
    Snapshot {
        generation: id,
        sight: deciders.router().sight(),
        router: deciders.router(),
        rewriter: deciders.rewriter().map(ResponseDecider::new),
        reverse: ResponseDecider::new(deciders.reverse()),
        destinations: destinations(config, clusters),
        routes: config.routes.iter().map(|route| rules(route, deciders)).collect(),
        defaults,
        forwarding: Forwarding {
            x_forwarded: forwarded.x_forwarded,
            forwarded: forwarded.forwarded,
            trusted: forwarded.trusted.clone(),
            underscores: forwarded.underscores,
        },
        certificate_rules: certificate_rules(listeners),
        tls_ports: tls_ports(listeners),
        keeps_notes: deciders.keep_notes(),
        pseudonym: services.pseudonym.clone(),
    }
}

/// In the order of the configuration, which is the order that routers know.
fn destinations(config: &Config, clusters: &PreparedClusters) -> Vec<Destination> {
    let destination = |cluster: &config::ClusterConfig| {
        let prepared = clusters.get(&cluster.name)?;
        Some(Destination {
            cluster: prepared.cluster.clone(),
            upstreams: prepared.upstreams.clone(),
            balancer: cluster.balancer.plugin.as_str().into(),
            timeouts: timeouts(&cluster.timeouts),
        })
    };
    config.clusters.iter().filter_map(destination).collect()
}

fn rules(route: &config::RouteConfig, deciders: &Deciders) -> RouteRules {
    let edits =
        |edits: &config::HeaderEditsConfig| HeaderEdits { remove: edits.remove.clone(), set: edits.set.clone() };
    RouteRules {
        name: route.name.clone(),
        upgrades: match &route.upgrade {
            config::UpgradeConfig::Any => Upgrades::Any,
            config::UpgradeConfig::Only(these) => Upgrades::Only(these.clone()),
        },
        plugins: route.plugins.iter().filter_map(|used| deciders.of_route(&used.plugin)).collect(),
        reverse: route.reverse,
        timeouts: Some(timeouts(&route.timeouts)),
        request_headers: edits(&route.request_headers),
        response_headers: edits(&route.response_headers),
        preserve_host: route.preserve_host,
    }
}

fn timeouts(timeouts: &config::TimeoutsConfig) -> Timeouts {
    Timeouts { connect: timeouts.connect, response: timeouts.response, tunnel_idle: timeouts.tunnel_idle }
}
