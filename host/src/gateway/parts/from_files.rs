//! What a generation is made of that only reading files makes.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::files::{FileDigests, NamedFiles, Pages};
use super::listeners::{self, ListenerTable};
use super::passwords::Passwords;
use super::plugins::{self, Artifacts, LoadedPlugins};
use super::secrets::Secrets;
use crate::config::{Config, EndpointConfig};
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;
use crate::text;

/// Plugins, listeners, error pages, passwords, and the digests of all files. Generations that differ in members alone share one.
#[derive(Debug)]
pub(crate) struct FromFiles {
    pub(crate) digests: FileDigests,
    pub(crate) artifacts: Artifacts,
    pub(crate) secrets: Secrets,
    pub(crate) pages: Pages,
    pub(crate) passwords: Passwords,
    pub(crate) listeners: ListenerTable,
    /// What works in the files, but deserves a warning: one sentence each.
    pub(crate) warnings: Vec<String>,
    /// Digest of the text of the configuration.
    text: Vec<u8>,
}

impl FromFiles {
    /// Makes it from `files`. Plugins that are the same as in `before` are taken over. Warnings go to the log, too.
    pub(crate) fn make(
        services: &Services,
        config: &Config,
        files: &NamedFiles,
        before: Option<LoadedPlugins<'_>>,
    ) -> Result<Self, PrepareError> {
        let artifacts = plugins::load(services, config, files, before)?;
        let mut warnings = Vec::new();
        let listeners = listeners::prepare(services, config, &mut warnings)?;
        let passwords = files.passwords().clone();
        for warning in &passwords.warnings {
            tracing::warn!("{warning}");
        }
        warnings.extend_from_slice(&passwords.warnings);
        let text = files.text().to_vec();
        let (secrets, pages) = (files.secrets().clone(), files.pages().clone());
        Ok(Self { digests: files.digests().clone(), artifacts, secrets, pages, passwords, listeners, warnings, text })
    }

    /// SHA-256 over the text of the configuration, the members that `config` has of it, and all other files but
    /// secrets and passwords, which could be tried out by it where they are short, hex. It
    /// names what was read and is served, and decides nothing: whether something has changed is seen by comparing.
    pub(crate) fn digest(&self, config: &Config) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.text);
        for cluster in &config.clusters {
            hasher.update(format!("{}\n", cluster.name));
            for EndpointConfig { url, state, weight, group, .. } in &cluster.endpoints {
                hasher.update(format!("{url} {} {weight} {group}\n", state.as_str()));
            }
        }
        let is_secret = |path: &Path| {
            let mut secrets = config.plugins.values().flat_map(|plugin| plugin.secrets.values());
            secrets.any(|secret| secret == path) || config.password_files().any(|file| file == path)
        };
        for (path, digest) in self.digests.all().filter(|(path, _)| !is_secret(path)) {
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update(digest);
        }
        text::hex(&hasher.finalize())
    }
}
