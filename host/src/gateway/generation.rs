//! One version of the running set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;

use crate::cluster::Cluster;
use crate::config::{Changes, Config};
use crate::discovery::{Known, Name};
use crate::heartbeat::Senders;
use crate::http;
use crate::listener::GateLimits;
use crate::plugin::Artifact;
use crate::proxy::Snapshot;
use crate::upstream::Upstream;

use super::prepare::{Deciders, Files};

/// Which of the configured listeners: its place among those with the same address, which only port 0 has several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ListenerKey {
    pub(super) order: usize,
    pub(super) address: std::net::SocketAddr,
}

/// Everything that one configuration and its files amount to. Immutable.
#[derive(Debug)]
pub struct Generation {
    pub(super) id: u64,
    /// What is served: the file's, with the changes laid on it and its names resolved.
    pub(super) config: Arc<Config>,
    /// What the file says.
    pub(super) file: Arc<Config>,
    pub(super) changes: Arc<Changes>,
    pub(super) known: Arc<Known>,
    pub(super) names: Arc<BTreeSet<Name>>,
    /// SHA-256 over the configuration and every file it names, hex.
    pub(super) digest: String,
    /// The same over what the file says.
    pub(super) file_digest: String,
    /// The files, so that a runtime change needs none of them.
    pub(super) files: Arc<Files>,
    pub(super) deciders: Deciders,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) listeners: BTreeMap<ListenerKey, Arc<ListenerSettings>>,
    pub(super) clusters: HashMap<String, Kept>,
    pub(super) artifacts: BTreeMap<String, Arc<Artifact>>,
    /// What works in the files that were read for it, but deserves a word.
    pub(super) warnings: Vec<String>,
}

/// What a listener does with the connections it accepts.
pub(super) struct ListenerSettings {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) gate: GateLimits,
    pub(super) http: http::Limits,
}

/// A cluster and all that it was made from: equal again, it is taken over as it is.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) made_from: MadeFrom,
    pub(super) cluster: Arc<Cluster>,
    pub(super) upstreams: Vec<Arc<Upstream>>,
}

/// See [`Kept`].
#[derive(Debug, PartialEq)]
pub(super) struct MadeFrom {
    pub(super) config: crate::config::ClusterConfig,
    /// Of the balancer's file.
    pub(super) plugin: Arc<str>,
    /// Of its `[plugin]` section.
    pub(super) limits: Option<crate::config::PluginConfig>,
    /// Of the CA and identity files.
    pub(super) files: Vec<Vec<u8>>,
}

/// A generation that is or was live, for those who look.
#[derive(Clone, Debug)]
pub struct Past {
    /// Ascending.
    pub id: u64,
    /// When it became live.
    pub since: SystemTime,
    /// SHA-256 over the configuration and every file it names, hex.
    pub digest: String,
    /// What was different from the one before.
    pub changes: Vec<String>,
    /// Whether it is live.
    pub live: bool,
    /// Whether names made it, not a person.
    pub(super) by_names: bool,
}

impl Generation {
    /// Its number, ascending from 1.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// What was changed while it ran, over what the file says.
    #[must_use]
    pub fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// The clusters, in the order that the router knows.
    pub fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.snapshot.destinations.iter().map(|destination| &destination.cluster)
    }

    /// The plugins that it uses, by name.
    #[must_use]
    pub fn artifacts(&self) -> &BTreeMap<String, Arc<Artifact>> {
        &self.artifacts
    }

    /// The endpoints that heartbeats may come from.
    pub(super) fn senders(&self) -> Senders {
        Senders::new(self.id, &self.config, |name| self.clusters.get(name).map(|kept| &kept.cluster))
    }

    /// What it is, beside the one before.
    pub(super) fn describe(&self, before: Option<&Self>) -> Past {
        let changes = before.map_or_else(|| vec!["start".to_owned()], |before| self.differences(before));
        Past {
            id: self.id,
            since: SystemTime::now(),
            digest: self.digest.clone(),
            changes,
            live: true,
            by_names: false,
        }
    }

    fn differences(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        let (old, new) = (&before.config, &self.config);
        for (name, artifact) in &self.artifacts {
            match before.artifacts.get(name) {
                Some(other) if other.digest() == artifact.digest() => {}
                Some(_) => changes.push(format!("plugin {name} replaced")),
                None => changes.push(format!("plugin {name} added")),
            }
        }
        changes.extend(gone(before.artifacts.keys(), |name| self.artifacts.contains_key(name), "plugin"));
        for (name, kept) in &self.clusters {
            match before.clusters.get(name) {
                Some(other) if other.made_from.config == kept.made_from.config => {}
                Some(_) => changes.push(format!("cluster {name} changed")),
                None => changes.push(format!("cluster {name} added")),
            }
        }
        changes.extend(gone(before.clusters.keys(), |name| self.clusters.contains_key(name), "cluster"));
        for (what, same) in [
            ("routes", old.routes == new.routes && old.router == new.router && old.rewriter == new.rewriter),
            ("listeners", old.listeners == new.listeners),
            ("gateway settings", old.gateway == new.gateway),
            ("plugin settings", old.plugins == new.plugins),
        ] {
            if !same {
                changes.push(format!("{what} changed"));
            }
        }
        if changes.is_empty() && self.digest != before.digest {
            changes.push("certificates changed".to_owned());
        }
        changes.sort();
        changes
    }
}

fn gone<'a>(
    names: impl Iterator<Item = &'a String> + 'a,
    stays: impl Fn(&String) -> bool + 'a,
    what: &'static str,
) -> impl Iterator<Item = String> + 'a {
    names.filter(move |name| !stays(name)).map(move |name| format!("{what} {name} removed"))
}

impl std::fmt::Debug for ListenerSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerSettings")
            .field("tls", &self.tls.is_some())
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
