//! What listeners do with connections, and the sockets they need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use super::PrepareError;
use crate::config::{self, Config};
use crate::gateway::Base;
use crate::gateway::generation::{ListenerKey, ListenerSettings};
use crate::http;
use crate::listener::{Bound, GateLimits};
use crate::net;
use crate::tls;

type Settings = BTreeMap<ListenerKey, Arc<ListenerSettings>>;

/// Settings of every listener, and sockets for those that are not `open` yet. What works but deserves a word goes to the log and
/// to `warnings`.
pub(super) fn prepare(
    base: &Base,
    config: &Config,
    open: &BTreeSet<ListenerKey>,
    warnings: &mut Vec<String>,
) -> Result<(Settings, Vec<(ListenerKey, Bound)>), PrepareError> {
    let mut settings = Settings::new();
    for (order, listener) in config.listeners.iter().enumerate() {
        settings.insert(key(config, order, listener), Arc::new(settings_of(base, listener, warnings)?));
    }
    let bound = bind(base, settings.keys(), open)?;
    Ok((settings, bound))
}

/// Says whether every listener could be bound, by this process alone.
pub(crate) fn probe(config: &Config) -> Result<(), PrepareError> {
    for listener in &config.listeners {
        let address = listener.address;
        net::probe(address).map_err(|source| PrepareError::Bind { address, source })?;
    }
    Ok(())
}

/// Binds what is not `open`.
pub(super) fn bind<'a>(
    base: &Base,
    keys: impl Iterator<Item = &'a ListenerKey>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Vec<(ListenerKey, Bound)>, PrepareError> {
    let mut bound = Vec::new();
    for key in keys.filter(|key| !open.contains(key)) {
        let address = key.address;
        // `SO_REUSEPORT` would let us join another process there. Where a socket of our own has the port, it cannot be
        // told apart, and need not be.
        if address.port() != 0 && !open.iter().any(|ours| ours.address.port() == address.port()) {
            net::probe(address).map_err(|source| PrepareError::Bind { address, source })?;
        }
        let socket =
            Bound::bind(address, base.workers.count()).map_err(|source| PrepareError::Bind { address, source })?;
        bound.push((*key, socket));
    }
    Ok(bound)
}

/// A listener is the same as before if its address is; several on port 0 are told apart by their order.
fn key(config: &Config, order: usize, listener: &config::ListenerConfig) -> ListenerKey {
    let address = listener.address;
    let earlier = config.listeners.iter().take(order).filter(|other| other.address == address).count();
    ListenerKey { order: earlier, address }
}

fn settings_of(
    base: &Base,
    listener: &config::ListenerConfig,
    warnings: &mut Vec<String>,
) -> Result<ListenerSettings, PrepareError> {
    let context = || format!("listener {}", listener.address);
    let tls = match &listener.tls {
        Some(tls) => {
            let built = tls::server_config(tls, &base.tickets)
                .map_err(|source| PrepareError::Tls { context: context(), source })?;
            for warning in &built.warnings {
                tracing::warn!(listener = %listener.address, "{warning}");
            }
            warnings.extend(built.warnings);
            Some(TlsAcceptor::from(built.value))
        }
        None => None,
    };
    let limits = &listener.limits;
    Ok(ListenerSettings {
        tls,
        gate: GateLimits { connections: limits.connections, per_client: limits.connections_per_client },
        http: http::Limits {
            head_bytes: limits.head_bytes,
            head_fields: limits.head_fields,
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            body_timeout: limits.body_timeout,
            linger: limits.linger,
            linger_bytes: limits.linger_bytes,
            half_close: limits.half_close,
        },
    })
}
