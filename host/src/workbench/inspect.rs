//! Trying one plugin file as the gateway would, without serving anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::clock::Clock;
use crate::files::{self, ReadError};
use crate::plugin::{About, Artifact, Compiler, LoadError, PluginFile, PluginLimits, RoleName, Runtime, RuntimeError};

/// What was found out about a plugin file.
#[derive(Debug)]
pub struct Inspection {
    /// Size of the file in bytes.
    pub bytes: usize,
    /// SHA-256 of the file, hex.
    pub digest: Arc<str>,
    /// From bytes to linked code, nothing taken from a cache.
    pub compiled_in: Duration,
    /// How the plugin describes itself.
    pub about: Option<About>,
    /// Each role it fills, and what was tried with it.
    pub trials: Vec<RoleTrial>,
}

/// A role that was configured and tried out.
#[derive(Debug)]
pub struct RoleTrial {
    /// Which.
    pub role: RoleName,
    /// What was done, for people.
    pub what: &'static str,
    /// How long all of it took.
    pub took: Duration,
}

/// Why a plugin file would be refused.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The wasm runtime does not start on this machine.
    #[error("the plugin runtime does not start: {0}")]
    Runtime(#[from] RuntimeError),
    /// The gateway would refuse it.
    #[error("{0}")]
    Plugin(#[from] LoadError),
}

/// Loads the plugin in `path` with default limits by way of `compiler`, configures it in each of its roles and runs
/// their self-tests. `config` is what each role gets; without one, what it would get from an empty configuration.
/// Blocks.
///
/// # Errors
/// [`InspectError`]: the reason for which a gateway would keep what it has.
pub fn inspect(path: &Path, config: Option<&Value>, compiler: Compiler) -> Result<Inspection, InspectError> {
    let bytes = files::read(path, files::limit::PLUGIN)
        .map_err(|source| InspectError::File { path: path.to_owned(), source })?;
    let runtime = Runtime::with_compiler(compiler, None, Clock::System)?;
    let name = path.file_stem().map_or_else(|| "plugin".into(), |stem| stem.to_string_lossy());
    let origin = path.display().to_string();
    let began = Instant::now();
    let artifact =
        runtime.load(&PluginFile { name: &name, origin: &origin, bytes: &bytes, limits: &PluginLimits::default() })?;
    let compiled_in = began.elapsed();
    let trials = artifact.roles().iter().map(|role| trial(&artifact, *role, config)).collect::<Result<_, _>>()?;
    Ok(Inspection {
        bytes: bytes.len(),
        digest: artifact.digest().clone(),
        compiled_in,
        about: artifact.about()?,
        trials,
    })
}

fn trial(artifact: &Arc<Artifact>, role: RoleName, config: Option<&Value>) -> Result<RoleTrial, LoadError> {
    let began = Instant::now();
    let what = artifact.try_out(role, config)?;
    Ok(RoleTrial { role, what, took: began.elapsed() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::{SHIPPED, shipped};

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn shipped_plugins_pass() {
        for name in SHIPPED {
            let found = inspect(file(shipped(name).unwrap()).path(), None, Compiler::InProcess).unwrap();

            assert_eq!(found.trials.len(), 1, "{name} has one role");
            assert_eq!(found.about.unwrap().name, name);
        }
    }

    #[test]
    fn a_configuration_reaches_the_plugin() {
        let refused =
            inspect(file(shipped("bybusyness").unwrap()).path(), Some(&json!({ "speed": 1 })), Compiler::InProcess);

        assert!(refused.unwrap_err().to_string().contains("takes no configuration"));
    }

    #[test]
    fn what_is_no_plugin_is_refused_with_a_remedy() {
        let refused = inspect(file(b"#!/bin/sh\n").path(), None, Compiler::InProcess).unwrap_err();

        assert!(refused.to_string().contains("wasm32-unknown-unknown"), "{refused}");
    }
}
