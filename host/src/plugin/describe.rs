//! How a plugin describes itself.

use std::sync::Arc;

use super::artifact::Artifact;
use super::bindings::describe;
use super::contract::DESCRIBE;
use super::error::{LoadError, LoadErrorKind};
use super::host_state::HostState;
use super::instance::Instance;
use super::role::RoleName;
use super::text::printable;

/// Bytes of a schema that are kept.
const SCHEMA_BYTES: usize = 256 << 10;

/// How a plugin describes itself; for display alone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct About {
    /// Name that the plugin gives itself, which need not be the configured one.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, one sentence.
    pub summary: String,
    /// JSON schema of its configuration, as text; none if it has none, or a monstrous one.
    pub schema: Option<String>,
}

impl Artifact {
    /// How the plugin describes itself; none if it exports no description. Calls an instance that is thrown away.
    ///
    /// # Errors
    /// If the call fails.
    pub fn about(&self) -> Result<Option<About>, LoadError> {
        about(self).map_err(|problem| self.refused(problem))
    }
}

fn about(artifact: &Artifact) -> Result<Option<About>, LoadErrorKind> {
    if !artifact.compiled.interface.exports(DESCRIBE.name) {
        return Ok(None);
    }
    let state = HostState::new(Arc::new(artifact.shared.scratch()), RoleName::new(DESCRIBE.name), artifact.meter());
    let pre = &artifact.compiled.pre;
    let mut instance =
        Instance::start(pre, state, &artifact.ticker, artifact.setup_ticks, artifact.setup, |store, instance| {
            describe::GuestIndices::new(pre)?.load(store, instance)
        })?;
    let said = instance
        .run("description", artifact.setup_ticks, |exports, store| exports.call_description(store))
        .map_err(|error| LoadErrorKind::Instantiate { message: error.detail })?;
    let [name, version, summary] = [said.name, said.version, said.summary].map(|text| printable(&text).into_owned());
    Ok(Some(About { name, version, summary, schema: said.schema.filter(|schema| schema.len() <= SCHEMA_BYTES) }))
}
