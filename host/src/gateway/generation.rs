//! One version of the running set.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::composed::Composed;
use super::parts::clusters::{PreparedCluster, PreparedClusters};
use super::parts::deciders::Deciders;
use super::parts::from_files::FromFiles;
use super::parts::listeners::ListenerTable;
use crate::cluster::Cluster;
use crate::config::{Changes, Config};
use crate::heartbeat::HeartbeatSenders;
use crate::plugin::Artifact;
use crate::proxy::Snapshot;

/// Everything that one configuration and its files amount to. Immutable.
#[derive(Debug)]
pub struct Generation {
    pub(super) id: u64,
    /// See [`FromFiles::digest`].
    pub(super) digest: String,
    pub(super) composed: Composed,
    pub(super) from_files: Arc<FromFiles>,
    pub(super) deciders: Deciders,
    pub(super) clusters: PreparedClusters,
    pub(super) snapshot: Arc<Snapshot>,
    /// What works in the files that were read for it, but deserves a warning.
    pub(super) warnings: Vec<String>,
}

impl Generation {
    /// Its number, ascending from 1.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it serves: the configuration of the file, with the runtime changes laid on it and its names resolved.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.composed.used
    }

    /// The runtime changes that lie over the file.
    #[must_use]
    pub fn changes(&self) -> &Arc<Changes> {
        &self.composed.changes
    }

    /// The clusters, in the order that the router knows.
    pub fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.snapshot.destinations.iter().map(|destination| &destination.cluster)
    }

    /// The plugins that it uses, by name.
    #[must_use]
    pub fn artifacts(&self) -> &BTreeMap<String, Arc<Artifact>> {
        &self.from_files.artifacts
    }

    /// The configuration of the file.
    pub(super) fn file(&self) -> &Arc<Config> {
        &self.composed.file
    }

    pub(super) fn listeners(&self) -> &ListenerTable {
        &self.from_files.listeners
    }

    pub(super) fn cluster(&self, name: &str) -> Option<&PreparedCluster> {
        self.clusters.get(name)
    }

    /// The endpoints that heartbeats may come from.
    pub(super) fn senders(&self) -> HeartbeatSenders {
        HeartbeatSenders::new(self.id, self.config(), |name| self.cluster(name).map(|prepared| &prepared.cluster))
    }
}
