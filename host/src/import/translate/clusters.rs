//! The clusters of all routes, each once.

use std::collections::HashMap;

use super::super::draft::ClusterDraft;

/// Clusters in their order, found by name.
#[derive(Debug, Default)]
pub(super) struct KnownClusters {
    list: Vec<ClusterDraft>,
    by_name: HashMap<String, usize>,
}

impl KnownClusters {
    /// Adds a cluster, or finds the one that is the same; its name.
    pub(super) fn keep(&mut self, mut cluster: ClusterDraft) -> String {
        let stem = cluster.name.clone();
        let mut number = 1;
        while let Some(known) = self.by_name.get(&cluster.name).and_then(|at| self.list.get(*at)) {
            if known.does_the_same(&cluster) {
                return known.name.clone();
            }
            number += 1;
            cluster.name = format!("{stem}-{number}");
        }
        self.by_name.insert(cluster.name.clone(), self.list.len());
        let name = cluster.name.clone();
        self.list.push(cluster);
        name
    }

    pub(super) fn into_list(self) -> Vec<ClusterDraft> {
        self.list
    }
}
