//! The part of a generation that a request sees, in the terms of `proxy`.

use std::sync::Arc;

use ::http::{HeaderName, HeaderValue};

use super::parts::clusters::PreparedClusters;
use super::parts::deciders::Deciders;
use super::parts::files::Pages;
use super::parts::from_files::FromFiles;
use super::parts::listeners::{certificate_rules, tls_ports};
use super::services::Services;
use crate::config::{self, Config};
use crate::http::Forwarding;
use crate::net::{FieldEditKind, UpgradeProtocol};
use crate::policy::ClusterId;
use crate::proxy::{
    AccessRules, Destination, ErrorPage, ErrorPages, ForwardAuth, HeaderEdits, ResponseDecider, RouteRules, Snapshot,
    Timeouts, Upgrades,
};

/// What requests of generation `id` are routed by.
pub(super) fn snapshot(
    services: &Services,
    config: &Config,
    id: u64,
    deciders: &Deciders,
    clusters: &PreparedClusters,
    from_files: &FromFiles,
) -> Snapshot {
    let error_pages = pages(&config.gateway.error_pages, &from_files.pages);
    let defaults = RouteRules {
        name: "-".into(),
        upgrades: Upgrades::Only(vec![UpgradeProtocol::Websocket]),
        plugins: Vec::new(),
        reverse: true,
        timeouts: None,
        request_headers: HeaderEdits::default(),
        withheld_trailers: None,
        response_headers: HeaderEdits::default(),
        preserve_host: false,
        access: None,
        error_pages: error_pages.clone(),
    };
    let forwarded = &config.gateway.forwarded;
    Snapshot {
        generation: id,
        sight: deciders.router().sight(),
        router: deciders.router(),
        rewriter: deciders.rewriter().map(ResponseDecider::new),
        reverse: ResponseDecider::new(deciders.reverse()),
        destinations: destinations(config, clusters),
        routes: routes(services, config, deciders, from_files, &error_pages),
        defaults,
        forwarding: Forwarding {
            x_forwarded: forwarded.x_forwarded,
            forwarded: forwarded.forwarded,
            trusted: forwarded.trusted.clone(),
            underscores: forwarded.underscores,
        },
        certificate_rules: certificate_rules(&from_files.listeners),
        tls_ports: tls_ports(&from_files.listeners),
        error_pages,
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

/// In the order of the configuration. Those that have no pages of their own share the gateway's.
fn routes(
    services: &Services,
    config: &Config,
    deciders: &Deciders,
    from_files: &FromFiles,
    gateways: &Option<Arc<ErrorPages>>,
) -> Vec<RouteRules> {
    let rules = |route: &config::RouteConfig| {
        let is_same = route.error_pages == config.gateway.error_pages;
        let pages = if is_same { gateways.clone() } else { pages(&route.error_pages, &from_files.pages) };
        rules(route, deciders, access(services, &route.access, config, from_files), pages)
    };
    config.routes.iter().map(rules).collect()
}

fn pages(pages: &config::ErrorPagesConfig, contents: &Pages) -> Option<Arc<ErrorPages>> {
    let page = |page: &config::ErrorPageConfig| ErrorPage {
        statuses: page.statuses.clone(),
        content_type: HeaderValue::from_static(page.content_type),
        content: contents.get(&page.file).cloned().unwrap_or_default(),
    };
    let made = ErrorPages { pages: pages.pages.iter().map(page).collect(), intercept: pages.intercept };
    (!made.pages.is_empty()).then(|| Arc::new(made))
}

fn rules(
    route: &config::RouteConfig,
    deciders: &Deciders,
    access: Option<Box<AccessRules>>,
    error_pages: Option<Arc<ErrorPages>>,
) -> RouteRules {
    let edits = |edits: &config::HeaderEditsConfig| HeaderEdits {
        remove: edits.remove.clone(),
        set: edits.set.clone(),
        more: (!edits.more.is_empty()).then(|| edits.more.clone().into()),
    };
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
        withheld_trailers: withheld_trailers(route),
        response_headers: edits(&route.response_headers),
        preserve_host: route.preserve_host,
        access,
        error_pages,
    }
}

/// What is taken out of the heads of a route's requests, or replaced there, must not come behind their bodies: some servers put
/// trailers to the head, which RFC 9110 §6.5.1 lets none do unasked.
fn withheld_trailers(route: &config::RouteConfig) -> Option<Arc<[HeaderName]>> {
    let edits = &route.request_headers;
    let set = edits.set.iter().map(|(name, _)| name);
    let set_anew = edits.more.iter().filter(|edit| edit.kind == FieldEditKind::Set).map(|edit| &edit.name);
    let said_of_clients = route.access.forward.iter().flat_map(|auth| &auth.headers);
    let names: Vec<_> = edits.remove.iter().chain(set).chain(set_anew).chain(said_of_clients).cloned().collect();
    (!names.is_empty()).then(|| names.into())
}

fn access(
    services: &Services,
    access: &config::AccessConfig,
    config: &Config,
    from_files: &FromFiles,
) -> Option<Box<AccessRules>> {
    if access.is_open() {
        return None;
    }
    let config::AccessConfig { allow, deny, origins, basic, forward } = access.clone();
    let basic = basic.map(|basic| from_files.passwords.basic_auth(&basic, &services.password_checks));
    let forward = forward.map(|auth| Box::new(forward_auth(auth, config)));
    Some(Box::new(AccessRules { allow, deny, origins, basic, forward }))
}

fn forward_auth(auth: config::ForwardAuthConfig, config: &Config) -> ForwardAuth {
    let config::ForwardAuthConfig { cluster, path, headers, timeout } = auth;
    let place = config.clusters.iter().position(|known| known.name == cluster);
    // One that does not exist leads nowhere, and nobody gets in.
    let cluster = ClusterId(place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX));
    ForwardAuth { cluster, path: path.into(), headers: headers.into(), timeout }
}

fn timeouts(timeouts: &config::TimeoutsConfig) -> Timeouts {
    Timeouts {
        connect: timeouts.connect,
        response: timeouts.response,
        tunnel_idle: timeouts.tunnel_idle,
        tunnel_ping: timeouts.tunnel_ping,
    }
}
