//! One change more.

use super::super::model::{ClusterConfig, Config, EndpointConfig};
use super::super::resolve::{endpoint_from, protocol_misfit};
use super::{Changes, EndpointChange, MOST};

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A new member.
    Add(Box<EndpointConfig>),
    /// One member less.
    Remove(String),
    /// Other settings of a member.
    Set(String, EndpointChange),
    /// What the file says of this member, or of all of the cluster.
    Undo(Option<String>),
}

/// A change that cannot be made. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such cluster.
    #[error("no cluster `{name}`")]
    NoCluster {
        /// As asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// No such endpoint.
    #[error("no endpoint {url} in cluster `{cluster}`")]
    NoEndpoint {
        /// Where it was looked for.
        cluster: String,
        /// As asked for.
        url: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Removing it would leave no endpoint.
    #[error("{url} is the last endpoint of cluster `{cluster}`")]
    Last {
        /// Whose.
        cluster: String,
        /// Which.
        url: String,
    },
    /// It is there already.
    #[error("endpoint {url} is in cluster `{cluster}` already")]
    Present {
        /// Whose.
        cluster: String,
        /// Which.
        url: String,
    },
    /// It is an address of a name.
    #[error("{url} is an address of {name}, and comes and goes with it")]
    Found {
        /// Which.
        url: String,
        /// The endpoint by which it was found.
        name: String,
    },
    /// It has no TLS, and its cluster speaks what endpoints choose by ALPN.
    #[error("cluster `{cluster}` has protocol = \"auto\": that needs TLS, and {url} has none")]
    Plain {
        /// Whose.
        cluster: String,
        /// Which.
        url: String,
    },
    /// There are too many changes.
    #[error("there are {MOST} changes, the most that are kept")]
    TooMany,
}

impl ChangeError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCluster { .. } | Self::NoEndpoint { .. } => None,
            Self::Last { .. } => Some("add another one first, or set its state to drain or maint"),
            Self::Present { .. } => Some("change it with PATCH"),
            Self::Found { .. } => Some("set its state to drain or maint, or remove the name"),
            Self::Plain { .. } => Some("add it with an `https` or `wss` URL"),
            Self::TooMany => Some("write them into the configuration file, and undo them here"),
        }
    }
}

impl Changes {
    /// These changes and one more, which is about `cluster`. `file` is what they are laid on, `used` what runs.
    ///
    /// # Errors
    /// [`ChangeError`]: who it is about is not there, or it cannot be.
    pub fn edited(&self, file: &Config, used: &Config, cluster: &str, edit: &Edit) -> Result<Self, ChangeError> {
        let meant = self.apply(file).config;
        let find = |config: &Config| config.clusters.iter().find(|known| known.name == cluster).cloned();
        let (Some(meant), Some(used)) = (find(&meant), find(used)) else {
            let known = file.clusters.iter().map(|known| known.name.clone()).collect();
            return Err(ChangeError::NoCluster { name: cluster.to_owned(), known });
        };
        let mut changed = self.clone();
        changed.edit(file, &meant, &used, edit)?;
        changed.tidy();
        if changed.count() > MOST && changed.count() > self.count() {
            return Err(ChangeError::TooMany);
        }
        Ok(changed)
    }

    /// Whether endpoint `url` of `cluster` (as typed) is one that `used` has, or `meant` to have; its URL as used.
    ///
    /// # Errors
    /// [`ChangeError`] if there is no such cluster or endpoint.
    pub fn find<'a>(
        meant: &'a Config,
        used: &'a Config,
        cluster: &str,
        url: &str,
    ) -> Result<&'a EndpointConfig, ChangeError> {
        let of = |config: &'a Config| config.clusters.iter().find(|known| known.name == cluster);
        let (Some(meant), Some(used)) = (of(meant), of(used)) else {
            let known = used.clusters.iter().map(|known| known.name.clone()).collect();
            return Err(ChangeError::NoCluster { name: cluster.to_owned(), known });
        };
        find(meant, used, url)
    }

    fn edit(
        &mut self,
        file: &Config,
        meant: &ClusterConfig,
        used: &ClusterConfig,
        edit: &Edit,
    ) -> Result<(), ChangeError> {
        let name = &meant.name;
        let said = |url: &str| {
            let cluster = file.clusters.iter().find(|known| known.name == *name);
            cluster.is_some_and(|cluster| cluster.endpoints.iter().any(|endpoint| endpoint.url == url))
        };
        let mine = self.clusters.entry(name.clone()).or_default();
        match edit {
            Edit::Add(endpoint) => {
                let url = &endpoint.url;
                if [meant, used].iter().any(|cluster| cluster.endpoints.iter().any(|known| known.url == *url)) {
                    return Err(ChangeError::Present { cluster: name.clone(), url: url.clone() });
                }
                if protocol_misfit(meant.protocol, endpoint) {
                    return Err(ChangeError::Plain { cluster: name.clone(), url: url.clone() });
                }
                // One that was taken away comes back with what is said of it now: `apply` sees what the file says
                // itself.
                mine.removed.remove(url);
                mine.added.push((**endpoint).clone());
            }
            Edit::Remove(url) => {
                let endpoint = find(meant, used, url)?;
                let url = endpoint.url.clone();
                if let Some(found_by) = &endpoint.found_by {
                    return Err(ChangeError::Found { url, name: found_by.clone() });
                }
                if meant.endpoints.len() == 1 {
                    return Err(ChangeError::Last { cluster: name.clone(), url });
                }
                mine.set.remove(&url);
                mine.added.retain(|added| added.url != url);
                if said(&url) {
                    mine.removed.insert(url);
                }
            }
            Edit::Set(url, change) => {
                let endpoint = find(meant, used, url)?;
                let place = if endpoint.found_by.is_some() { &mut mine.found } else { &mut mine.set };
                let settings = place.entry(endpoint.url.clone()).or_default();
                *settings = settings.changed(change);
            }
            Edit::Undo(None) => *mine = super::ClusterChanges::default(),
            Edit::Undo(Some(url)) => {
                let url = mine.named(url).ok_or_else(|| ChangeError::NoEndpoint {
                    cluster: name.clone(),
                    url: url.clone(),
                    known: mine.all_urls(),
                })?;
                if meant.endpoints.iter().all(|endpoint| endpoint.url == url)
                    && mine.added.iter().any(|added| added.url == url)
                {
                    return Err(ChangeError::Last { cluster: name.clone(), url });
                }
                mine.added.retain(|added| added.url != url);
                mine.removed.remove(&url);
                mine.set.remove(&url);
                mine.found.remove(&url);
            }
        }
        Ok(())
    }
}

impl super::ClusterChanges {
    fn all_urls(&self) -> Vec<String> {
        let added = self.added.iter().map(|endpoint| &endpoint.url);
        let mut all: Vec<_> =
            added.chain(&self.removed).chain(self.set.keys()).chain(self.found.keys()).cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    /// The URL among those that are changed that `typed` means.
    fn named(&self, typed: &str) -> Option<String> {
        let normal = normal(typed);
        self.all_urls().into_iter().find(|url| url == typed || Some(url) == normal.as_ref())
    }
}

/// The endpoint that `typed` means: of those that are meant, then of the addresses of their names.
fn find<'a>(meant: &'a ClusterConfig, used: &'a ClusterConfig, typed: &str) -> Result<&'a EndpointConfig, ChangeError> {
    let normal = normal(typed);
    let is_it = |endpoint: &&EndpointConfig| endpoint.url == typed || Some(&endpoint.url) == normal.as_ref();
    meant.endpoints.iter().find(is_it).or_else(|| used.endpoints.iter().find(is_it)).ok_or_else(|| {
        let mut known: Vec<_> =
            meant.endpoints.iter().chain(&used.endpoints).map(|endpoint| endpoint.url.clone()).collect();
        known.sort();
        known.dedup();
        ChangeError::NoEndpoint { cluster: meant.name.clone(), url: typed.to_owned(), known }
    })
}

fn normal(typed: &str) -> Option<String> {
    endpoint_from(typed, std::path::Path::new("")).ok().map(|endpoint| endpoint.url)
}
