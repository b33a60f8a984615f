//! The secrets of plugins, read from their files, and what `configure` gets with them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objections;
use crate::config::{Config, PluginUse};
use crate::gateway::error::PrepareError;
use crate::plugin::PluginSecrets;

/// By the name of the plugin; not there if it has none.
pub(crate) type Secrets = BTreeMap<String, PluginSecrets>;

/// What an instance is configured with. Where it is another, instances are made anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConfigureInput {
    config: Value,
    secrets: PluginSecrets,
}

impl ConfigureInput {
    /// The configuration of the role, or else that of the plugin's section; and the secrets of that section.
    pub(super) fn of(config: &Config, secrets: &Secrets, used: &PluginUse) -> Self {
        let section = config.plugins.get(&used.plugin).map(|section| &section.config);
        let written = if used.config.is_null() { section.unwrap_or(&used.config) } else { &used.config };
        Self { config: written.clone(), secrets: secrets.get(&used.plugin).cloned().unwrap_or_default() }
    }

    /// All of it, to be handed over.
    pub(super) fn whole(&self) -> Value {
        self.secrets.within(&self.config)
    }
}

/// Reads every secret that `config` names.
pub(super) fn read(config: &Config) -> Result<Secrets, PrepareError> {
    let mut secrets = Secrets::new();
    for (plugin, section) in config.plugins.iter().filter(|(_, section)| !section.secrets.is_empty()) {
        let mut texts = BTreeMap::new();
        for (key, path) in &section.secrets {
            let text = PluginSecrets::read(path);
            let text = text.map_err(|error| objections::of_secret(config, plugin, key, path, &error))?;
            texts.insert(key.clone(), text);
        }
        secrets.insert(plugin.clone(), texts.into_iter().collect());
    }
    Ok(secrets)
}
