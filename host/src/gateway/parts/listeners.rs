//! What listeners do with connections, and the sockets they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::config::{self, Config};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::http;
use crate::listener::{Bound, GateLimits};
use crate::net::{self, CertificateRules, ServerNames};
use crate::proxy::{ListenerKey, ListenerRules, RulesByListener, TlsPorts};
use crate::tls::{self, RuledConfig, ServerConfigs};

/// What a listener does with the connections it accepts.
pub(crate) struct ListenerSettings {
    pub(crate) name: Option<String>,
    pub(crate) tls: Option<Handshakes>,
    pub(crate) gate: GateLimits,
    pub(crate) http: http::ClientLimits,
    /// The port of TLS that its clients are sent to.
    pub(crate) redirect_to_tls: Option<u16>,
}

/// How TLS begins.
#[derive(Clone)]
pub(crate) enum Handshakes {
    /// Alike for every server name.
    Alike(TlsAcceptor, CertificateRules),
    /// By the server name, which is read first.
    ByName(ServerNames<RuledConfig>),
}

/// Sockets that a generation needs and that were not open.
#[derive(Debug)]
pub(crate) struct NewSockets {
    pub(crate) key: ListenerKey,
    pub(crate) bound: Bound,
    /// The same sockets again, to be handed on. Duplicated here, for it may fail.
    pub(crate) kept: Bound,
}

/// The settings of every listener.
pub(crate) type ListenerTable = BTreeMap<ListenerKey, Arc<ListenerSettings>>;

/// Makes the settings of every listener. What works but deserves a warning goes to the log and to `warnings`.
pub(super) fn prepare(
    services: &Services,
    config: &Config,
    warnings: &mut Vec<String>,
) -> Result<ListenerTable, PrepareError> {
    let mut table = ListenerTable::new();
    for (order, listener) in config.listeners.iter().enumerate() {
        table.insert(key(config, order, listener), Arc::new(settings_of(services, listener, warnings)?));
    }
    Ok(table)
}

/// Which rules about client certificates a name has, of the listeners that ask for any.
pub(crate) fn certificate_rules(table: &ListenerTable) -> RulesByListener {
    let rules = table.iter().filter_map(|(key, settings)| match &settings.tls {
        Some(Handshakes::ByName(names)) => Some((*key, ListenerRules::ByName(names.map(|ruled| ruled.rules.clone())))),
        Some(Handshakes::Alike(_, rules)) => rules.ask().then(|| (*key, ListenerRules::One(rules.clone()))),
        None => None,
    });
    rules.collect()
}

/// The port of TLS that clients are sent to, of the listeners that send theirs there.
pub(crate) fn tls_ports(table: &ListenerTable) -> TlsPorts {
    table.iter().filter_map(|(key, settings)| Some((*key, settings.redirect_to_tls?))).collect()
}

/// Those of `sockets`, handed on by another process, that a listener of `config` is to have. One on port 0 gets none.
pub(crate) fn inherit(config: &Config, mut sockets: Vec<Bound>) -> Result<Vec<NewSockets>, PrepareError> {
    let mut inherited = Vec::new();
    for (order, listener) in config.listeners.iter().enumerate() {
        let address = listener.address;
        if let Some(place) = sockets.iter().position(|bound| bound.address() == address) {
            inherited.push(new_sockets(key(config, order, listener), sockets.swap_remove(place))?);
        }
    }
    Ok(inherited)
}

/// Whether every listener that is not `open` could be bound, by this process alone.
pub(crate) fn probe(config: &Config, open: &BTreeSet<ListenerKey>) -> Result<(), PrepareError> {
    for (order, listener) in config.listeners.iter().enumerate() {
        let address = listener.address;
        if !open.contains(&key(config, order, listener)) {
            net::probe(address).map_err(|source| PrepareError::Bind { address, source })?;
        }
    }
    Ok(())
}

/// Binds what is not `open`.
pub(crate) fn bind<'a>(
    services: &Services,
    keys: impl Iterator<Item = &'a ListenerKey>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Vec<NewSockets>, PrepareError> {
    let mut bound = Vec::new();
    for key in keys.filter(|key| !open.contains(key)) {
        let address = key.address;
        // `SO_REUSEPORT` would let us join another process there. Where a socket of our own has the port, it cannot be
        // told apart, and need not be.
        if address.port() != 0 && !open.iter().any(|ours| ours.address.port() == address.port()) {
            net::probe(address).map_err(|source| PrepareError::Bind { address, source })?;
        }
        let sockets =
            Bound::bind(address, services.workers.count()).map_err(|source| PrepareError::Bind { address, source })?;
        bound.push(new_sockets(*key, sockets)?);
    }
    Ok(bound)
}

fn new_sockets(key: ListenerKey, bound: Bound) -> Result<NewSockets, PrepareError> {
    let kept = bound.try_clone().map_err(|source| PrepareError::Bind { address: key.address, source })?;
    Ok(NewSockets { key, bound, kept })
}

/// A listener is the same as before if its address is; several on port 0 are told apart by their order.
fn key(config: &Config, order: usize, listener: &config::ListenerConfig) -> ListenerKey {
    let address = listener.address;
    let earlier = config.listeners.iter().take(order).filter(|other| other.address == address).count();
    ListenerKey { order: earlier, address }
}

fn settings_of(
    services: &Services,
    listener: &config::ListenerConfig,
    warnings: &mut Vec<String>,
) -> Result<ListenerSettings, PrepareError> {
    let context = || format!("listener {}", listener.address);
    let versions = match listener.protocol {
        config::ListenerProtocol::Negotiated => http::HttpVersions::Any,
        config::ListenerProtocol::Http1 => http::HttpVersions::Http1,
        config::ListenerProtocol::Http2 => http::HttpVersions::Http2,
    };
    let tls = match &listener.tls {
        Some(tls) => {
            let built = tls::server_configs(tls, &services.tickets, versions.alpn())
                .map_err(|source| PrepareError::Tls { context: context(), source })?;
            for warning in &built.warnings {
                tracing::warn!(listener = %listener.address, "{warning}");
            }
            warnings.extend(built.warnings);
            Some(match built.value {
                ServerConfigs::One(ruled) => Handshakes::Alike(TlsAcceptor::from(ruled.config), ruled.rules),
                ServerConfigs::ByName(names) => Handshakes::ByName(names),
            })
        }
        None => None,
    };
    let limits = &listener.limits;
    Ok(ListenerSettings {
        name: listener.name.clone(),
        tls,
        redirect_to_tls: listener.redirect_to_tls,
        gate: GateLimits { connections: limits.connections, per_client: limits.connections_per_client },
        http: http::ClientLimits {
            head_bytes: limits.head_bytes,
            head_fields: limits.head_fields,
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            body_timeout: limits.body_timeout,
            linger: limits.linger,
            linger_bytes: limits.linger_bytes,
            half_close: limits.half_close,
            versions,
            streams: u32::try_from(limits.streams).unwrap_or(u32::MAX),
        },
    })
}

impl fmt::Debug for ListenerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerSettings")
            .field("tls", &self.tls.is_some())
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
