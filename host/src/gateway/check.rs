//! Whether a configuration could be served, without serving it.

use std::collections::BTreeSet;
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
        for address in addresses_in_use(&config)? {
            summary += &format!("; {address} is in use, by a running gateway?");
        }
        let options = BuildOptions { compiler, ..BuildOptions::default() };
        let gateway = Self::prepared(elsewhere(config), options, BuildPurpose::Check)?;
        let warnings = gateway.set.generations.live().warnings.clone();
        Ok(Checked { summary, warnings })
    }
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
