//! Any bytes are a plugin or are refused in one printable line; one that is taken can be described and configured, or
//! says why not.
//!
//! All of it in this process: what would end a compiling child ends this, and is found. `.ci/fuzz` begins with the
//! shipped plugins and `tests/guests/*.wat` besides the seeds.

use std::sync::{Arc, LazyLock};

use tidegate::plugin::{LoadError, PluginFile, PluginLimits, Runtime, TrialInputs};

static RUNTIME: LazyLock<Arc<Runtime>> = LazyLock::new(|| Runtime::new(None).expect("an engine"));

/// A file of a plugin.
pub fn run(bytes: &[u8]) {
    let limits = PluginLimits { memory: 4 << 20, ..PluginLimits::default() };
    if let Err(refused) = load(&PluginFile { name: "fuzz", origin: "fuzz", bytes, limits: &limits, table: None }) {
        let message = refused.to_string();
        assert!(!message.is_empty() && !message.chars().any(char::is_control), "{message:?}");
    }
}

fn load(spec: &PluginFile<'_>) -> Result<(), LoadError> {
    let artifact = RUNTIME.load(spec)?;
    artifact.about()?;
    for role in artifact.roles() {
        artifact.try_out(*role, &TrialInputs::default())?;
    }
    Ok(())
}
