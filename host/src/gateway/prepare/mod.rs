//! Everything that may fail before a generation goes live: files, certificates, plugins, sockets.
//!
//! Nothing here touches what runs. A failure leaves no trace but its message.

mod clusters;
mod deciders;
mod files;
mod listeners;
mod plugins;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::Base;
use super::compose::Composed;
use super::generation::{Generation, ListenerKey};
use crate::config::{self, Config, EndpointAddress};
use crate::files::ReadError;
use crate::http::Forwarding;
use crate::listener::Bound;
use crate::plugin::LoadError;
use crate::proxy::{Rules, Snapshot, Timeouts, Upgrades};
use crate::tls::TlsError;

pub(super) use deciders::Deciders;
pub(super) use files::Files;
pub(super) use listeners::probe;

/// A generation that is ready to go live, and the sockets it needs beyond those that are open.
#[derive(Debug)]
#[must_use = "a prepared generation serves nobody until it is committed"]
pub(super) struct Prepared {
    generation: Arc<Generation>,
    bound: Vec<(ListenerKey, Bound)>,
}

impl Prepared {
    /// The runtime changes in it.
    pub(super) fn changes(&self) -> &crate::config::Changes {
        self.generation.changes()
    }

    pub(super) fn into_parts(self) -> (Arc<Generation>, Vec<(ListenerKey, Bound)>) {
        (self.generation, self.bound)
    }
}

/// Why a configuration cannot go live.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A plugin was refused.
    #[error("{0}")]
    Plugin(#[from] LoadError),
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// A certificate, key or CA file cannot be used.
    #[error("{context}: {}", whole(source))]
    Tls {
        /// Whose: `listener 0.0.0.0:443`, `cluster chat`.
        context: String,
        /// What is wrong with it.
        #[source]
        source: TlsError,
    },
    /// A listener's address cannot be bound.
    #[error("cannot listen on {address}: {source}{}", bind_hint(source))]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Host of an endpoint that cannot be a header value.
    #[error("cluster {cluster}: endpoint {url} has a host that cannot be sent")]
    Authority {
        /// Which cluster.
        cluster: String,
        /// Which endpoint.
        url: String,
    },
}

impl PrepareError {
    /// What to do about it, if that can be told.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tls { source, .. } => source.hint(),
            _ => None,
        }
    }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn bind_hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "; another process listens there: `ss -ltnp` shows which",
        std::io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need CAP_NET_BIND_SERVICE: `setcap cap_net_bind_service=+ep` on the binary, or a higher port"
        }
        std::io::ErrorKind::AddrNotAvailable => "; no interface of this machine has that address",
        _ => "",
    }
}

/// Makes generation `id` out of `composed` and its `files`, taking over from `previous` what has not changed. `open` are
/// the sockets that need not be bound.
pub(super) fn prepare(
    base: &Base,
    composed: Composed,
    files: &Files,
    id: u64,
    previous: Option<&Generation>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Prepared, PrepareError> {
    let config = &composed.used;
    let artifacts = plugins::load(base, config, files, previous)?;
    let deciders = Deciders::prepare(base, config, &artifacts, previous)?;
    let mut warnings = Vec::new();
    let (listeners, bound) = listeners::prepare(base, config, open, &mut warnings)?;
    // Last, because it asks running balancers what their successors should know: the later, the fewer picks are missing.
    let clusters = clusters::prepare(base, config, files, &artifacts, previous, &mut warnings)?;
    let snapshot = Arc::new(snapshot(base, config, id, &deciders, &clusters));
    for warning in config.warnings.iter().chain(&super::shortage_of_descriptors(config)) {
        tracing::warn!("{warning}");
    }
    let generation = Generation {
        id,
        digest: files.digest(config),
        file_digest: files.digest(&composed.file),
        files: Arc::new(files.prints()),
        config: Arc::new(composed.used),
        file: composed.file,
        changes: composed.changes,
        known: composed.known,
        names: composed.names,
        deciders,
        snapshot,
        listeners,
        clusters: clusters.by_name,
        artifacts,
        warnings,
    };
    Ok(Prepared { generation: Arc::new(generation), bound })
}

/// Makes generation `id` out of `previous` and other members of its clusters. No file is read and nothing is bound: what
/// has become of the files since does not matter.
pub(super) fn vary(base: &Base, composed: Composed, id: u64, previous: &Generation) -> Result<Prepared, PrepareError> {
    let config = &composed.used;
    let files = &previous.files;
    let artifacts = previous.artifacts.clone();
    let deciders = Deciders::prepare(base, config, &artifacts, Some(previous))?;
    let mut warnings = Vec::new();
    let clusters = clusters::prepare(base, config, files, &artifacts, Some(previous), &mut warnings)?;
    let snapshot = Arc::new(snapshot(base, config, id, &deciders, &clusters));
    let generation = Generation {
        id,
        digest: files.digest(config),
        file_digest: previous.file_digest.clone(),
        files: files.clone(),
        config: Arc::new(composed.used),
        file: composed.file,
        changes: composed.changes,
        known: composed.known,
        names: composed.names,
        deciders,
        snapshot,
        listeners: previous.listeners.clone(),
        clusters: clusters.by_name,
        artifacts,
        warnings,
    };
    Ok(Prepared { generation: Arc::new(generation), bound: Vec::new() })
}

/// Binds again what `generation` listens on and is not among `open`, so that it can go live once more.
pub(super) fn prepare_again(
    base: &Base,
    generation: Arc<Generation>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Prepared, PrepareError> {
    let bound = listeners::bind(base, generation.listeners.keys(), open)?;
    Ok(Prepared { generation, bound })
}

fn snapshot(base: &Base, config: &Config, id: u64, deciders: &Deciders, clusters: &clusters::Clusters) -> Snapshot {
    let defaults = Rules {
        name: "-".into(),
        upgrades: Upgrades::Only(vec!["websocket".to_owned()]),
        reverse: true,
        timeouts: None,
        request_headers: crate::proxy::HeaderEdits::default(),
        response_headers: crate::proxy::HeaderEdits::default(),
        preserve_host: false,
    };
    let forwarded = &config.gateway.forwarded;
    Snapshot {
        generation: id,
        router: deciders.router(),
        rewriter: deciders.rewriter(),
        destinations: clusters.destinations(config),
        routes: config.routes.iter().map(rules).collect(),
        defaults,
        forwarding: Forwarding {
            x_forwarded: forwarded.x_forwarded,
            forwarded: forwarded.forwarded,
            trusted: forwarded.trusted.clone(),
            underscores: forwarded.underscores,
        },
        pseudonym: base.pseudonym.clone(),
    }
}

fn rules(route: &config::RouteConfig) -> Rules {
    let edits = |edits: &config::HeaderEditsConfig| crate::proxy::HeaderEdits {
        remove: edits.remove.clone(),
        set: edits.set.clone(),
    };
    Rules {
        name: route.name.clone(),
        upgrades: match &route.upgrade {
            config::UpgradeConfig::Any => Upgrades::Any,
            config::UpgradeConfig::Only(these) => Upgrades::Only(these.clone()),
        },
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

/// Addresses that need no name service are parsed once, here.
fn address(address: &EndpointAddress) -> crate::upstream::Address {
    use crate::upstream::Address;
    match address {
        EndpointAddress::Tcp(host, port) => match host.parse::<std::net::IpAddr>() {
            Ok(ip) => Address::Socket((ip, *port).into()),
            Err(_a_name) => Address::Name(host.clone(), *port),
        },
        EndpointAddress::Unix(path) => Address::Unix(path.clone()),
    }
}
