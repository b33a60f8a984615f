//! The secrets of plugins, read from their files, and what `configure` gets with them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objections;
use crate::config::{Config, PluginUse};
use crate::files::{self, ReadError, limit};
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
            let text = files::read_text(path, limit::SECRET).and_then(|text| whole(&text));
            let text = text.map_err(|error| objections::of_secret(config, plugin, key, path, &error))?;
            texts.insert(key.clone(), text);
        }
        secrets.insert(plugin.clone(), texts.into_iter().collect());
    }
    Ok(secrets)
}

/// The text without the newline that editors and `echo` put at its end. Nothing is no secret: what is signed with it,
/// anybody can sign.
fn whole(text: &str) -> Result<String, ReadError> {
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(std::io::Error::other("it is empty, expected a secret").into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_is_none_of_the_secret() {
        for (text, secret) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a \n", " a ")] {
            assert_eq!(whole(text).unwrap(), secret);
        }
        for text in ["", "\n", "\r\n"] {
            assert_eq!(whole(text).unwrap_err().to_string(), "it is empty, expected a secret");
        }
    }
}
