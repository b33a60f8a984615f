//! What a generation is made of that only reading files makes.

use super::files::{Fingerprints, NamedFiles};
use super::listeners::{self, ListenerTable};
use super::plugins::{self, Artifacts, LoadedPlugins};
use crate::config::Config;
use crate::gateway::error::PrepareError;
use crate::gateway::services::Services;

/// Plugins, listeners, and the fingerprints of all files. Generations that differ in members alone share one.
#[derive(Debug)]
pub(crate) struct FromFiles {
    pub(crate) fingerprints: Fingerprints,
    pub(crate) artifacts: Artifacts,
    pub(crate) listeners: ListenerTable,
    /// What works in the files, but deserves a warning: one sentence each.
    pub(crate) warnings: Vec<String>,
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
        Ok(Self { fingerprints: files.fingerprints().clone(), artifacts, listeners, warnings })
    }
}
