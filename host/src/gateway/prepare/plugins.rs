//! The plugins that a configuration uses, loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Files, PrepareError};
use crate::config::{Config, PluginUse};
use crate::gateway::Base;
use crate::gateway::generation::Generation;
use crate::plugin::{self, Artifact, Limits, Spec};

/// By name, as configured.
pub(crate) type Artifacts = BTreeMap<String, Arc<Artifact>>;

/// Loads every plugin that is used or has a section. One whose bytes and section are unchanged is taken over.
pub(super) fn load(
    base: &Base,
    config: &Config,
    files: &Files,
    previous: Option<&Generation>,
) -> Result<Artifacts, PrepareError> {
    let used = [&config.router, &config.rewriter].into_iter().chain(config.clusters.iter().map(|c| &c.balancer));
    let names: BTreeSet<&str> =
        used.map(|used| used.plugin.as_str()).chain(config.plugins.keys().map(String::as_str)).collect();
    let mut artifacts = Artifacts::new();
    for name in names {
        artifacts.insert(name.to_owned(), load_one(base, config, files, previous, name)?);
    }
    Ok(artifacts)
}

fn load_one(
    base: &Base,
    config: &Config,
    files: &Files,
    previous: Option<&Generation>,
    name: &str,
) -> Result<Arc<Artifact>, PrepareError> {
    let section = config.plugins.get(name);
    let (bytes, origin) = match section {
        Some(section) => (files.plugin(&section.file), section.file.display().to_string()),
        None => (plugin::shipped(name).unwrap_or_default(), "shipped".to_owned()),
    };
    let before = previous.and_then(|previous| previous.artifacts.get(name).zip(Some(previous)));
    if let Some((artifact, previous)) = before
        && previous.config.plugins.get(name) == section
        && section.is_none_or(|section| **artifact.digest() == *files.digest_of(&section.file))
    {
        artifact.accepted();
        return Ok(artifact.clone());
    }
    let limits = section.map(Limits::from).unwrap_or_default();
    Ok(base.runtime.load(&Spec { name, origin: &origin, bytes, limits: &limits })?)
}

/// The plugin behind `used`. The configuration names only plugins that exist.
pub(super) fn find<'a>(artifacts: &'a Artifacts, used: &PluginUse) -> Result<&'a Arc<Artifact>, PrepareError> {
    artifacts.get(&used.plugin).ok_or_else(|| PrepareError::File {
        path: used.plugin.clone().into(),
        source: std::io::Error::other("no such plugin").into(),
    })
}

/// What `configure` gets: what the role says, or else what the plugin's section says.
pub(super) fn config_of<'a>(config: &'a Config, used: &'a PluginUse) -> &'a serde_json::Value {
    if !used.config.is_null() {
        return &used.config;
    }
    config.plugins.get(&used.plugin).map_or(&used.config, |section| &section.config)
}
