//! The plugins that a configuration uses, loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::files::NamedFiles;
use super::objections;
use crate::config::{self, Config, PluginUse};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::plugin::{self, Artifact, PluginFile, PluginLimits};

/// By name, as configured.
pub(crate) type Artifacts = BTreeMap<String, Arc<Artifact>>;

/// The plugins of the generation before, and the sections that they were loaded by.
#[derive(Clone, Copy)]
pub(crate) struct LoadedPlugins<'a> {
    pub(crate) artifacts: &'a Artifacts,
    pub(crate) sections: &'a BTreeMap<String, config::PluginConfig>,
}

/// Loads every plugin that is used or has a section. One whose bytes and section are those of `before` is taken over.
pub(super) fn load(
    services: &Services,
    config: &Config,
    files: &NamedFiles,
    before: Option<LoadedPlugins<'_>>,
) -> Result<Artifacts, PrepareError> {
    let of_routes = config.routes.iter().flat_map(|route| &route.plugins);
    let used = [&config.router, &config.rewriter].into_iter().chain(&config.reverse);
    let used = used.chain(of_routes).chain(config.clusters.iter().map(|c| &c.balancer));
    let names: BTreeSet<&str> =
        used.map(|used| used.plugin.as_str()).chain(config.plugins.keys().map(String::as_str)).collect();
    let mut artifacts = Artifacts::new();
    for name in names {
        let artifact = load_one(services, config, files, before, name)?;
        // Before an instance gets any of them.
        files.secrets().get(name).into_iter().for_each(|secrets| artifact.mask(secrets));
        artifacts.insert(name.to_owned(), artifact);
    }
    Ok(artifacts)
}

fn load_one(
    services: &Services,
    config: &Config,
    files: &NamedFiles,
    before: Option<LoadedPlugins<'_>>,
    name: &str,
) -> Result<Arc<Artifact>, PrepareError> {
    let section = config.plugins.get(name);
    let (bytes, origin) = match section {
        Some(section) => (files.plugin(&section.file), section.file.display().to_string()),
        None => (plugin::shipped(name).unwrap_or_default(), "shipped".to_owned()),
    };
    if let Some(before) = before
        && let Some(artifact) = before.artifacts.get(name)
        && before.sections.get(name) == section
        && section.is_none_or(|section| **artifact.digest() == *files.digests().hex_of(&section.file))
    {
        artifact.accepted();
        return Ok(artifact.clone());
    }
    let limits = section.map(PluginLimits::from).unwrap_or_default();
    let path = section.and_then(|section| section.table.as_deref());
    let table = path.map(|path| services.runtime.table(name, path)).transpose();
    let table = table.map_err(|error| objections::of_table(config, name, &error))?;
    let loaded =
        services.runtime.load(&PluginFile { name, origin: &origin, bytes, limits: &limits, table: table.as_ref() });
    loaded.map_err(|error| objections::of_file(config, &objections::users(config, name), error))
}

/// The plugin behind `used`. The configuration names only plugins that exist.
pub(super) fn find<'a>(artifacts: &'a Artifacts, used: &PluginUse) -> Result<&'a Arc<Artifact>, PrepareError> {
    artifacts.get(&used.plugin).ok_or_else(|| PrepareError::File {
        path: used.plugin.clone().into(),
        source: std::io::Error::other("no such plugin").into(),
    })
}
