//! Whether a configuration could be served, without serving it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use super::Gateway;
use super::build::{BuildError, BuildOptions, BuildPurpose};
use super::parts::listeners::probe;
use crate::config::{self, Config};
use crate::plugin::Compiler;
use crate::{admin, heartbeat, net};

/// What [`Gateway::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What would be served, in one line.
    pub summary: String,
    /// What works in the files that the configuration names, but deserves a warning: one sentence each.
    pub warnings: Vec<String>,
}

impl Gateway {
    /// Prepares as [`Self::build`] does, says in one line what would be served, and takes everything down again.
    /// Sockets that are in use are no fault here: mostly it is the gateway that runs with an earlier version of the
    /// file.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn check(config: Config, compiler: Compiler) -> Result<Checked, BuildError> {
        let config = Config { log: config::LogConfig { access: config::AccessLogConfig::Off, ..config.log }, ..config };
        let (listeners, routes, clusters) = (config.listeners.len(), config.routes.len(), config.clusters.len());
        let mut summary = format!("good: {listeners} listeners, {routes} routes, {clusters} clusters");
        summary += &protocols(&config);
        for address in addresses_in_use(&config)? {
            summary += &format!("; {address} is in use, by a running gateway?");
        }
        let options = BuildOptions { compiler, ..BuildOptions::default() };
        let gateway = Self::prepared(elsewhere(config), options, BuildPurpose::Check)?;
        let warnings = gateway.set.generations.live().warnings.clone();
        Ok(Checked { summary, warnings })
    }
}

/// What is spoken, with clients of each listener and endpoints of each cluster.
fn protocols(config: &Config) -> String {
    let listeners = config.listeners.iter().map(|one| (one.protocol.as_str(), one.address.to_string()));
    let clusters = config.clusters.iter().map(|one| (one.protocol.as_str(), one.name.clone()));
    format!("; clients may speak {}; endpoints are spoken to in {}", by_protocol(listeners), by_protocol(clusters))
}

/// Names by their protocols, a few of each.
fn by_protocol(all: impl Iterator<Item = (&'static str, String)>) -> String {
    const SHOWN: usize = 5;
    let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (protocol, name) in all {
        names.entry(protocol).or_default().push(name);
    }
    let each = names.into_iter().map(|(protocol, mut names)| {
        let left_out = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let more = if left_out > 0 { format!(" and {left_out} more") } else { String::new() };
        format!("{protocol} ({}{more})", names.join(", "))
    });
    let each: Vec<_> = each.collect();
    if each.is_empty() { "nothing".to_owned() } else { each.join(", ") }
}

/// Addresses that another process listens at: of the listeners the first, then those of `[admin]` and `[heartbeat]`.
fn addresses_in_use(config: &Config) -> Result<Vec<SocketAddr>, BuildError> {
    let mut in_use = Vec::new();
    if let Err(error) = probe(config, &BTreeSet::new()) {
        in_use.push(error.address_in_use().ok_or(error)?);
    }
    if let Some(address) = config.admin.as_ref().map(|admin| admin.address)
        && let Err(source) = net::probe(address)
    {
        if source.kind() != io::ErrorKind::AddrInUse {
            return Err(admin::BindError::Address { address, source }.into());
        }
        in_use.push(address);
    }
    if let Some(Err(error)) = config.heartbeat.as_ref().map(|config| heartbeat::Receiver::bind(config, None)) {
        in_use.push(error.address_in_use().ok_or(error)?);
    }
    Ok(in_use)
}

/// The same on free ports: sockets that listen, however shortly, would take connections from a running gateway.
fn elsewhere(config: Config) -> Config {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listeners = config.listeners.into_iter().map(|listener| config::ListenerConfig { address: free, ..listener });
    Config {
        listeners: listeners.collect(),
        admin: config.admin.map(|admin| config::AdminConfig { address: free, ..admin }),
        heartbeat: config.heartbeat.map(|heartbeat| config::HeartbeatConfig { listen: free, ..heartbeat }),
        ..config
    }
}
