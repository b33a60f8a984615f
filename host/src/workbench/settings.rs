//! With what a plugin is tried: what its section of a configuration, and the rest of that, would give it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::files::ReadError;
use crate::plugin::{Artifact, PluginLimits, PluginSecrets, PluginTable, TableError, TrialInputs};

/// The import by which a plugin looks into its table.
const TABLE: &str = "table";

/// What a plugin is tried with. What is left out, it does without.
#[derive(Clone, Debug, Default)]
pub struct TrialSettings {
    /// What each role is configured with; without it, what it would get from an empty configuration.
    pub config: Option<Value>,
    /// As in its `[plugin]` section.
    pub limits: PluginLimits,
    /// The file of its table.
    pub table: Option<PathBuf>,
    /// Files of secrets, by the keys that its configuration gets them under.
    pub secrets: BTreeMap<String, PathBuf>,
    /// Clusters that a router may name; where there are none, a made-up one.
    pub clusters: Vec<String>,
    /// How many `[[route]]` there are, unless the configuration lists more.
    pub routes: usize,
}

/// Why a plugin cannot be given what it is to be tried with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file of the table gives none.
    #[error("table {0}")]
    Table(#[from] TableError),
    /// The file of a secret gives none.
    #[error("secret `{key}`: {}: {source}", path.display())]
    Secret {
        /// Whose.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// A secret would take the place of what is configured.
    #[error("`{0}` is in the configuration and among the secrets, expected one of them; leave one of them out")]
    Twice(String),
    /// There is no place for secrets.
    #[error("the configuration is no object, expected one, which gets the secret `{0}`; write {{}} or leave it out")]
    NoRoom(String),
}

/// The table that a plugin was tried with.
#[derive(Clone, Debug, Serialize)]
pub struct TriedTable {
    /// Its file.
    pub file: PathBuf,
    /// Keys in it.
    pub entries: usize,
}

impl TrialSettings {
    /// Reads the files: what the plugin is handed, and what it may look into.
    pub(super) fn read(&self) -> Result<(TrialInputs, Option<Arc<PluginTable>>), SettingsError> {
        for key in self.secrets.keys() {
            match &self.config {
                Some(Value::Object(fields)) if fields.contains_key(key) => {
                    return Err(SettingsError::Twice(key.clone()));
                }
                Some(Value::Object(_)) | None => {}
                Some(_) => return Err(SettingsError::NoRoom(key.clone())),
            }
        }
        let secrets = self.secrets.iter().map(|(key, path)| match PluginSecrets::read(path) {
            Ok(text) => Ok((key.clone(), text)),
            Err(source) => Err(SettingsError::Secret { key: key.clone(), path: path.clone(), source }),
        });
        let inputs = TrialInputs {
            config: self.config.clone(),
            secrets: secrets.collect::<Result<_, _>>()?,
            clusters: self.clusters.clone(),
            routes: self.routes,
        };
        let table = self.table.as_deref().map(PluginTable::open).transpose()?;
        Ok((inputs, table.map(Arc::new)))
    }
}

impl TriedTable {
    pub(super) fn of(artifact: &Artifact) -> Option<Self> {
        let status = artifact.table()?.status();
        Some(Self { file: status.path, entries: status.entries })
    }
}

/// What is to be said of a plugin and a table of which there is but one.
pub(super) fn lonely_table(artifact: &Artifact) -> Option<String> {
    let imports = artifact.imports().any(|import| import == TABLE);
    match (imports, artifact.table()) {
        (true, None) => Some(format!(
            "it imports `{TABLE}` and was given an empty one, in which it finds nothing: give it one with --table FILE, \
             or `table` in its section of a configuration"
        )),
        (false, Some(table)) => Some(format!(
            "it does not import `{TABLE}`, and so does not look into {}: leave that out, or have it import `{TABLE}`",
            table.path().display()
        )),
        (true, Some(_)) | (false, None) => None,
    }
}
