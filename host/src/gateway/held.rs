//! Plugins whose new files are refused, and those that changed with them.
//!
//! A generation is taken or refused as a whole. But where the configuration is what it was and files of plugins alone
//! have changed, a refused one keeps its running version, which fits the same configuration, and the others are taken.

use std::collections::BTreeMap;

use super::error::PrepareError;
use super::generation::Generation;
use super::parts::files::{FileDigests, NamedFiles};
use crate::config::Config;
use crate::plugin::Artifact;
use crate::text::joined_lines;

/// Plugins that keep their running version.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    /// What the refused files hold.
    files: FileDigests,
    /// Why, by the name of the plugin.
    refused: BTreeMap<String, PrepareError>,
}

impl HeldBack {
    /// Puts what runs in the place of the file for which `error` was returned. The error comes back if that would not
    /// be consistent, helps nothing, or leaves nothing that is new.
    pub(super) fn hold(
        &mut self,
        error: PrepareError,
        live: &Generation,
        config: &Config,
        files: &mut NamedFiles,
    ) -> Result<(), PrepareError> {
        let Some(name) = error.plugin().map(ToOwned::to_owned) else { return Err(error) };
        let section = config.plugins.get(&name).filter(|_| **live.file() == *config);
        let (Some(section), Some(running)) = (section, live.artifacts().get(&name)) else { return Err(error) };
        let path = &section.file;
        if **running.digest() == *files.digests().hex_of(path) {
            return Err(error);
        }
        self.files.insert(path.clone(), files.digests().of(path));
        files.take_from(path, &live.from_files.digests);
        if live.from_files.digests == *files.digests() {
            return Err(error);
        }
        self.refused.insert(name, error);
        Ok(())
    }

    /// Says in the log, and in the status of each plugin, what became of its file, now that `generation` is live in the
    /// place of `before`. Returns the refused files, with what they held.
    pub(super) fn report(self, generation: &Generation, before: &Generation) -> FileDigests {
        let is_new = |name: &str, artifact: &Artifact| {
            before.artifacts().get(name).is_none_or(|other| other.digest() != artifact.digest())
        };
        let taken = changed(generation, is_new).join(", ");
        for (plugin, error) in &self.refused {
            let why = joined_lines(&error.to_string());
            refuse(generation, plugin, why.clone());
            tracing::error!(
                plugin,
                taken,
                "file refused, its running version stays; what else changed is taken: {why}"
            );
        }
        self.files
    }

    /// Why nothing is taken: whatever was refused, `last` included, and the plugins that wait for that. `live` goes on
    /// serving.
    pub(super) fn refusal(
        self,
        last: PrepareError,
        live: &Generation,
        config: &Config,
        files: &NamedFiles,
    ) -> (Vec<PrepareError>, Vec<String>) {
        let waiting = waiting(&last, live, config, files);
        for (plugin, error) in &self.refused {
            refuse(live, plugin, joined_lines(&error.to_string()));
        }
        (self.refused.into_values().chain([last]).collect(), waiting)
    }
}

/// The plugins of `live` that have a new file and wait, as the whole reload is refused for `error`. Each of them says
/// so as its last refusal.
fn waiting(error: &PrepareError, live: &Generation, config: &Config, files: &NamedFiles) -> Vec<String> {
    let refused = error.plugin();
    let waiting = changed(live, |name, artifact| {
        let section = config.plugins.get(name).filter(|_| Some(name) != refused);
        section.is_some_and(|section| **artifact.digest() != *files.digests().hex_of(&section.file))
    });
    for plugin in &waiting {
        let cause =
            refused.map_or_else(|| joined_lines(&error.to_string()), |refused| format!("plugin {refused} is refused"));
        let why = "more than files of plugins changed, and all of that is taken or nothing";
        refuse(live, plugin, format!("waits, for {why}: {cause}"));
    }
    waiting
}

fn refuse(generation: &Generation, plugin: &str, why: String) {
    if let Some(artifact) = generation.artifacts().get(plugin) {
        artifact.refused_with(why);
    }
}

fn changed(generation: &Generation, is_changed: impl Fn(&str, &Artifact) -> bool) -> Vec<String> {
    let changed = generation.artifacts().iter().filter(|(name, artifact)| is_changed(name, artifact));
    changed.map(|(name, _)| name.clone()).collect()
}
