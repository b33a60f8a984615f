//! What operators change while the gateway runs: an overlay on the configuration.
//!
//! ```text
//! file ⊕ changes = configuration as meant ─▶ names resolved ─▶ configuration as used
//!  ╰── what the file says itself, and what has no endpoint in it any more, is dropped with a warning
//! ```

mod apply;
mod edit;
mod file;
mod list;
mod read;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::model::{EndpointConfig, EndpointState};

pub use apply::{Applied, Dropped};
pub use edit::{ChangeError, Edit};
pub use file::ChangesFileError;
pub use list::{Change, MemberChange, Said};
pub use read::ChangeFault;

/// Most changes at a time, over all clusters.
const MOST: usize = 4096;

/// Everything that was changed while the gateway ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    clusters: BTreeMap<String, ClusterChanges>,
}

/// The changes of one cluster. Endpoints are named by their URLs.
#[derive(Clone, Debug, Default, PartialEq)]
struct ClusterChanges {
    /// In the order in which they came.
    added: Vec<EndpointConfig>,
    removed: BTreeSet<String>,
    /// Of endpoints in the file and of added ones.
    set: BTreeMap<String, Settings>,
    /// Of addresses that a name has; never written to a file.
    found: BTreeMap<String, Settings>,
}

/// What is said of an endpoint instead of what the file says; none leaves that as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Admin state.
    pub state: Option<EndpointState>,
    /// Load factor in hundredths.
    pub weight: Option<u32>,
    /// Lower first.
    pub group: Option<u32>,
}

/// A change of the settings of one endpoint: none leaves one alone, `Some(None)` takes it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Admin state.
    pub state: Option<Option<EndpointState>>,
    /// Load factor in hundredths.
    pub weight: Option<Option<u32>>,
    /// Lower first.
    pub group: Option<Option<u32>>,
}

impl Changes {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// How many there are: endpoints added, removed and changed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.clusters.values().map(ClusterChanges::count).sum()
    }

    /// The settings of an address that was found by a name, over those of the name.
    #[must_use]
    pub fn of_found(&self, cluster: &str, endpoint: EndpointConfig) -> EndpointConfig {
        let settings = self.clusters.get(cluster).and_then(|changes| changes.found.get(&endpoint.url));
        settings.map_or_else(|| endpoint.clone(), |settings| settings.over(&endpoint))
    }

    fn tidy(&mut self) {
        for changes in self.clusters.values_mut() {
            changes.set.retain(|_, settings| *settings != Settings::default());
            changes.found.retain(|_, settings| *settings != Settings::default());
        }
        self.clusters.retain(|_, changes| changes.count() > 0);
    }
}

impl ClusterChanges {
    fn count(&self) -> usize {
        self.added.len() + self.removed.len() + self.set.len() + self.found.len()
    }
}

impl Settings {
    /// `endpoint` with these settings.
    #[must_use]
    pub fn over(&self, endpoint: &EndpointConfig) -> EndpointConfig {
        EndpointConfig {
            state: self.state.unwrap_or(endpoint.state),
            weight: self.weight.unwrap_or(endpoint.weight),
            group: self.group.unwrap_or(endpoint.group),
            ..endpoint.clone()
        }
    }

    /// What of these is not what `endpoint` says already.
    fn beyond(&self, endpoint: &EndpointConfig) -> Self {
        Self {
            state: self.state.filter(|state| *state != endpoint.state),
            weight: self.weight.filter(|weight| *weight != endpoint.weight),
            group: self.group.filter(|group| *group != endpoint.group),
        }
    }

    fn changed(self, change: &EndpointChange) -> Self {
        Self {
            state: change.state.unwrap_or(self.state),
            weight: change.weight.unwrap_or(self.weight),
            group: change.group.unwrap_or(self.group),
        }
    }
}
