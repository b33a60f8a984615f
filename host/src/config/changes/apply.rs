//! The overlay laid on a configuration.

use std::collections::BTreeMap;

use super::super::membership::Discover;
use super::super::model::{ClusterConfig, Config, EndpointConfig};
use super::super::resolve::protocol_misfit;
use super::{Changes, ClusterChanges, Settings};

/// A configuration with changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The configuration as meant; names are not resolved yet.
    pub config: Config,
    /// The changes that hold.
    pub changes: Changes,
    /// Those that do not any more.
    pub dropped: Vec<Dropped>,
}

/// A change that was given up, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Whose.
    pub cluster: String,
    /// Of which endpoint.
    pub url: String,
    /// `added`, `removed`, `state drain`
    pub what: String,
    /// For people.
    pub why: &'static str,
}

const SAID: &str = "the file says so itself now";
const GONE: &str = "the endpoint is gone from the file";
const NO_CLUSTER: &str = "the cluster is gone from the file";
const PLAIN: &str = "it has no TLS, and the protocol of the cluster is chosen by ALPN now";
const LAST: &str = "the cluster would have no endpoint left";

impl Changes {
    /// `file` with these changes.
    #[must_use]
    pub fn apply(&self, file: &Config) -> Applied {
        let mut applied = Applied { config: file.clone(), changes: Self::default(), dropped: Vec::new() };
        for (name, changes) in &self.clusters {
            let Some(cluster) = applied.config.clusters.iter_mut().find(|cluster| cluster.name == *name) else {
                applied.dropped.extend(changes.all().map(|(url, what)| dropped(name, url, what, NO_CLUSTER)));
                continue;
            };
            let before = cluster.endpoints.len();
            let kept = changes.apply(cluster, &mut applied.dropped);
            let added: Vec<_> =
                cluster.endpoints.iter().rev().take(kept.added.len()).map(EndpointConfig::known_as).collect();
            debug_assert!(before + kept.added.len() >= cluster.endpoints.len(), "only added ones come");
            map_back(&mut applied.config, name, added.into_iter().rev());
            applied.changes.clusters.insert(name.clone(), kept);
        }
        applied.changes.tidy();
        applied
    }
}

/// The rewriter's list knows where responses come from: added endpoints too.
fn map_back(config: &mut Config, cluster: &str, origins: impl Iterator<Item = String> + Clone) {
    let reverse = config.reverse.as_mut().unwrap_or(&mut config.rewriter);
    let Some(routes) = reverse.config.get_mut("routes").and_then(serde_json::Value::as_array_mut) else {
        return;
    };
    for (route, mapped) in routes.iter_mut().zip(&config.mapped) {
        let list = route.get_mut("origins").and_then(serde_json::Value::as_array_mut);
        let Some(list) = list.filter(|_| mapped.as_deref() == Some(cluster)) else { continue };
        for origin in origins.clone().map(serde_json::Value::from) {
            if !list.contains(&origin) {
                list.push(origin);
            }
        }
    }
}

impl ClusterChanges {
    /// Changes `cluster`, added endpoints last, and returns what holds.
    fn apply(&self, cluster: &mut ClusterConfig, given_up: &mut Vec<Dropped>) -> Self {
        let name = cluster.name.clone();
        let mut kept = Self::default();
        let mut set = self.set.clone();
        let file: BTreeMap<String, EndpointConfig> =
            cluster.endpoints.iter().map(|endpoint| (endpoint.url.clone(), endpoint.clone())).collect();
        for endpoint in &self.added {
            match file.get(&endpoint.url) {
                None if protocol_misfit(cluster.protocol, endpoint) => {
                    given_up.push(dropped(&name, &endpoint.url, "added".to_owned(), PLAIN));
                }
                None => kept.added.push(endpoint.clone()),
                Some(said) => {
                    given_up.push(dropped(&name, &endpoint.url, "added".to_owned(), SAID));
                    // It is where it was wanted; what was said of it stays.
                    let (wanted, later) = (settings_of(endpoint), set.get(&endpoint.url).copied().unwrap_or_default());
                    set.insert(endpoint.url.clone(), merged(wanted, later).beyond(said));
                }
            }
        }
        for url in &self.removed {
            if file.contains_key(url) {
                kept.removed.insert(url.clone());
            } else {
                given_up.push(dropped(&name, url, "removed".to_owned(), GONE));
            }
        }
        if kept.added.is_empty() && kept.removed.len() >= file.len() {
            let all = std::mem::take(&mut kept.removed);
            given_up.extend(all.iter().map(|url| dropped(&name, url, "removed".to_owned(), LAST)));
        }
        cluster.endpoints.retain(|endpoint| !kept.removed.contains(&endpoint.url));
        cluster.endpoints.extend(kept.added.iter().cloned());
        for (url, settings) in set {
            let Some(endpoint) = cluster.endpoints.iter_mut().find(|endpoint| endpoint.url == url) else {
                if !kept.removed.contains(&url) {
                    given_up.extend(settings.words().map(|what| dropped(&name, &url, what, GONE)));
                }
                continue;
            };
            let holds = settings.beyond(endpoint);
            given_up.extend(
                settings
                    .words()
                    .filter(|word| !holds.words().any(|other| other == *word))
                    .map(|what| dropped(&name, &url, what, SAID)),
            );
            *endpoint = holds.over(endpoint);
            kept.set.insert(url, holds);
        }
        // An address comes and goes with its name, which knows nothing of it here: kept while there is a name.
        if cluster.endpoints.iter().any(|endpoint| endpoint.discover != Discover::Off) {
            kept.found = self.found.clone();
        } else {
            let all = self.found.iter();
            given_up
                .extend(all.flat_map(|(url, settings)| settings.words().map(|what| dropped(&name, url, what, GONE))));
        }
        kept
    }

    /// Every change: of which endpoint, and what.
    fn all(&self) -> impl Iterator<Item = (&str, String)> {
        let added = self.added.iter().map(|endpoint| (endpoint.url.as_str(), "added".to_owned()));
        let removed = self.removed.iter().map(|url| (url.as_str(), "removed".to_owned()));
        let set = self.set.iter().chain(&self.found);
        let set = set.flat_map(|(url, settings)| settings.words().map(|what| (url.as_str(), what)));
        added.chain(removed).chain(set)
    }
}

impl Settings {
    /// `state drain`, `weight 1.5`, `group 2`
    fn words(&self) -> impl Iterator<Item = String> + use<> {
        let state = self.state.map(|state| format!("state {}", state.as_str()));
        let weight = self.weight.map(|weight| format!("weight {}", f64::from(weight) / 100.0));
        let group = self.group.map(|group| format!("group {group}"));
        [state, weight, group].into_iter().flatten()
    }
}

fn settings_of(endpoint: &EndpointConfig) -> Settings {
    Settings { state: Some(endpoint.state), weight: Some(endpoint.weight), group: Some(endpoint.group) }
}

fn merged(early: Settings, late: Settings) -> Settings {
    Settings {
        state: late.state.or(early.state),
        weight: late.weight.or(early.weight),
        group: late.group.or(early.group),
    }
}

fn dropped(cluster: &str, url: &str, what: String, why: &'static str) -> Dropped {
    Dropped { cluster: cluster.to_owned(), url: url.to_owned(), what, why }
}
