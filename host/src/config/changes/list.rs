//! The difference between what the file says and what runs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::model::{Config, EndpointConfig};
use super::Changes;

/// What is said of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// Admin state.
    pub state: &'static str,
    /// Load factor, 1.0 is normal.
    pub weight: f64,
    /// Lower first.
    pub group: u32,
}

impl From<&EndpointConfig> for Said {
    fn from(endpoint: &EndpointConfig) -> Self {
        Self { state: endpoint.state.as_str(), weight: f64::from(endpoint.weight) / 100.0, group: endpoint.group }
    }
}

/// One endpoint of which the file says something else than what runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Whose.
    pub cluster: String,
    /// Which.
    pub endpoint: String,
    /// `added`, `removed`, `changed`
    pub change: &'static str,
    /// What the file says; none if it does not have it.
    pub file: Option<Said>,
    /// What runs; none if it was removed, or is an address that its name does not have now.
    pub runs: Option<Said>,
    /// Whether it would survive a restart, if changes are kept.
    pub lasting: bool,
}

/// A member that two configurations say something else of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberChange {
    /// Whose.
    pub cluster: String,
    /// Which.
    pub endpoint: String,
    /// None if it is new.
    pub before: Option<Said>,
    /// None if it is gone.
    pub after: Option<Said>,
}

impl MemberChange {
    /// Every member that `after` says something else of than `before`, in clusters that both have.
    #[must_use]
    pub fn between(before: &Config, after: &Config) -> Vec<Self> {
        let mut all = Vec::new();
        for new in &after.clusters {
            let Some(old) = before.clusters.iter().find(|old| old.name == new.name) else { continue };
            if old.endpoints == new.endpoints {
                continue;
            }
            let said = |endpoints: &[EndpointConfig]| -> BTreeMap<String, Said> {
                endpoints.iter().map(|endpoint| (endpoint.url.clone(), endpoint.into())).collect()
            };
            let (old, mut now) = (said(&old.endpoints), said(&new.endpoints));
            for (endpoint, before) in old {
                let after = now.remove(&endpoint);
                if after.as_ref() != Some(&before) {
                    all.push(Self { cluster: new.name.clone(), endpoint, before: Some(before), after });
                }
            }
            all.extend(now.into_iter().map(|(endpoint, after)| Self {
                cluster: new.name.clone(),
                endpoint,
                before: None,
                after: Some(after),
            }));
        }
        all
    }
}

impl std::fmt::Display for MemberChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.cluster, self.endpoint)?;
        match (&self.before, &self.after) {
            (None, _) => f.write_str(" added"),
            (_, None) => f.write_str(" removed"),
            (Some(before), Some(after)) => {
                if before.state != after.state {
                    write!(f, " state {} to {}", before.state, after.state)?;
                }
                if before.group != after.group {
                    write!(f, " group {} to {}", before.group, after.group)?;
                }
                if before.weight.total_cmp(&after.weight).is_ne() {
                    write!(f, " weight {} to {}", before.weight, after.weight)?;
                }
                Ok(())
            }
        }
    }
}

impl Changes {
    /// Every change. `used` is what runs.
    #[must_use]
    pub fn list(&self, file: &Config, used: &Config) -> Vec<Change> {
        let meant = self.apply(file).config;
        let mut all = Vec::new();
        for (name, changes) in &self.clusters {
            let of = |config: &Config, url: &str| {
                let cluster = config.clusters.iter().find(|cluster| cluster.name == *name)?;
                cluster.endpoints.iter().find(|endpoint| endpoint.url == url).map(Said::from)
            };
            let mut say = |url: &str, change, file, runs, lasting| {
                all.push(Change { cluster: name.clone(), endpoint: url.to_owned(), change, file, runs, lasting });
            };
            for url in changes.added.iter().map(|endpoint| &endpoint.url) {
                say(url, "added", None, of(&meant, url), true);
            }
            for url in &changes.removed {
                say(url, "removed", of(file, url), None, true);
            }
            for url in changes.set.keys().filter(|url| !changes.added.iter().any(|added| added.url == **url)) {
                say(url, "changed", of(file, url), of(&meant, url), true);
            }
            for url in changes.found.keys() {
                say(url, "changed", None, of(used, url), false);
            }
        }
        all
    }
}
