//! What an operator writes.

use serde::Deserialize;
use tidegate_plugin::{Config, ConfigError, config};

use crate::cookie;

/// As written.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Cluster of the new release.
    canary: String,
    /// Cluster of the other one; left out, it is where the route leads.
    #[serde(default)]
    stable: Option<String>,
    /// Share of visitors that get the new release, in per cent.
    #[config(range = 0.0..=100.0)]
    pub(crate) share: f64,
    /// Name of the cookie that keeps a visitor where it is.
    #[serde(default = "release")]
    pub(crate) cookie: String,
    /// Days for which it does.
    #[serde(default = "month")]
    #[config(range = 1..=400)]
    pub(crate) days: u32,
    /// Request header that says `always` or `never`, for tests.
    #[serde(default = "forcing")]
    #[config(non_empty)]
    pub(crate) header: String,
}

fn release() -> String {
    "release".to_owned()
}

fn month() -> u32 {
    30
}

fn forcing() -> String {
    "x-canary".to_owned()
}

impl Settings {
    /// Indices of the clusters of canaries and of others, among `clusters`.
    pub(crate) fn clusters(&self, clusters: &[String]) -> Result<(u32, Option<u32>), Vec<ConfigError>> {
        let mut faults = Vec::new();
        let mut index = |path: &str, wanted: &str| {
            let found = (0_u32..).zip(clusters).find(|(_, name)| *name == wanted);
            if found.is_none() {
                let remedy = format!("expected the name of a cluster, found {wanted:?}: write a [cluster] for it");
                faults.push(config::fault(path, remedy));
            }
            found.map(|(index, _)| index)
        };
        let canary = index("/canary", &self.canary);
        let stable = self.stable.as_deref().and_then(|name| index("/stable", name));
        if !cookie::is_name(&self.cookie) {
            let found = &self.cookie;
            faults.push(config::fault(
                "/cookie",
                format!("expected a cookie's name, without blanks and separators, found {found:?}"),
            ));
        }
        match canary {
            Some(canary) if faults.is_empty() => Ok((canary, stable)),
            _ => Err(faults),
        }
    }
}
