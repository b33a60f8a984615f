//! Changes as a file: read at the start, written after each change.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::read::{self, ChangeFault};
use super::{Changes, ClusterChanges, Settings};
use crate::files::{self, ReadError};

/// The form that is written, and the only one that is read.
const VERSION: u64 = 1;

/// A file of changes that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChangesFileError {
    /// It cannot be read or written.
    #[error("persist: {}: {what}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// `cannot be read`, `cannot be written`
        what: &'static str,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// It holds something else.
    #[error("persist: {}: {fault}; mend it, or move it away to start without runtime changes", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        fault: ChangeFault,
    },
    /// Another version of the gateway wrote it.
    #[error(
        "persist: {}: its version is {version}, this gateway reads {VERSION}; start the gateway that wrote it, or move \
         it away to start without runtime changes", path.display()
    )]
    Version {
        /// Which.
        path: PathBuf,
        /// As written.
        version: Value,
    },
}

impl Changes {
    /// Reads `path`; no file holds no changes. `base` is the folder of the configuration.
    ///
    /// # Errors
    /// [`ChangesFileError`]
    pub fn load(path: &Path, base: &Path) -> Result<Self, ChangesFileError> {
        let io = |source| ChangesFileError::Io { path: path.to_owned(), what: "cannot be read", source };
        let text = match files::read(path, files::limit::CHANGES) {
            Ok(text) => text,
            Err(error) if error.kind() == Some(io::ErrorKind::NotFound) => return Ok(Self::default()),
            Err(error) => return Err(io(error)),
        };
        let broken = |message: String| ChangesFileError::Broken {
            path: path.to_owned(),
            fault: ChangeFault { message, hint: None },
        };
        let document: Value = serde_json::from_slice(&text).map_err(|error| broken(format!("no JSON: {error}")))?;
        match document.get("version") {
            Some(version) if version.as_u64() == Some(VERSION) => {}
            Some(version) => return Err(ChangesFileError::Version { path: path.to_owned(), version: version.clone() }),
            None => return Err(broken("`version` is missing".to_owned())),
        }
        Self::understood(&document, base).map_err(|fault| ChangesFileError::Broken { path: path.to_owned(), fault })
    }

    /// Writes all that lasts into `path`: whole, or not at all, for its owner alone.
    ///
    /// # Errors
    /// [`ChangesFileError`]: the file is as it was.
    pub fn store(&self, path: &Path) -> Result<(), ChangesFileError> {
        let failed = |source: io::Error| ChangesFileError::Io {
            path: path.to_owned(),
            what: "cannot be written",
            source: source.into(),
        };
        let text = serde_json::to_string_pretty(&self.written()).map_err(|error| failed(error.into()))? + "\n";
        files::replace(path, text.as_bytes()).map_err(failed)
    }

    pub(super) fn written(&self) -> Value {
        let cluster = |changes: &ClusterChanges| {
            let changed: Map<_, _> =
                changes.set.iter().map(|(url, settings)| (url.clone(), settings.written())).collect();
            json!({
                "added": changes.added.iter().map(read::written).collect::<Vec<_>>(),
                "removed": changes.removed,
                "changed": changed,
            })
        };
        let lasting = self.clusters.iter().filter(|(_, changes)| changes.count() > changes.found.len());
        let clusters: Map<_, _> = lasting.map(|(name, changes)| (name.clone(), cluster(changes))).collect();
        json!({ "version": VERSION, "clusters": clusters })
    }

    fn understood(document: &Value, base: &Path) -> Result<Self, ChangeFault> {
        let document = object("the document", document)?;
        read::known_keys(document, &["version", "clusters"])?;
        let mut changes = Self::default();
        for (name, cluster) in object("`clusters`", document.get("clusters").unwrap_or(&json!({})))? {
            let at =
                |fault: ChangeFault| ChangeFault { message: format!("cluster `{name}`: {}", fault.message), ..fault };
            changes.clusters.insert(name.clone(), ClusterChanges::understood(cluster, base).map_err(at)?);
        }
        changes.tidy();
        if changes.count() > super::MOST {
            return Err(ChangeFault { message: format!("more than {} changes", super::MOST), hint: None });
        }
        Ok(changes)
    }
}

impl ClusterChanges {
    fn understood(written: &Value, base: &Path) -> Result<Self, ChangeFault> {
        let written = object("the cluster", written)?;
        read::known_keys(written, &["added", "removed", "changed"])?;
        let empty = Vec::new();
        let items = |key: &str| match written.get(key) {
            None => Ok(&empty),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(ChangeFault { message: format!("`{key}` is no list"), hint: None }),
        };
        let mut changes = Self::default();
        for endpoint in items("added")? {
            let endpoint = read::endpoint(object("an added endpoint", endpoint)?, base)?;
            if changes.added.iter().any(|other| other.url == endpoint.url) {
                return Err(ChangeFault { message: format!("{} is added twice", endpoint.url), hint: None });
            }
            changes.added.push(endpoint);
        }
        for url in items("removed")? {
            let url = url.as_str().ok_or_else(|| ChangeFault {
                message: "a removed endpoint is no text, expected its URL".to_owned(),
                hint: None,
            })?;
            changes.removed.insert(url.to_owned());
        }
        for (url, settings) in object("`changed`", written.get("changed").unwrap_or(&json!({})))? {
            let settings = object("a changed endpoint", settings)?;
            read::known_keys(settings, &["state", "weight", "group"])?;
            changes.set.insert(url.clone(), Settings::default().changed(&read::settings(settings)?));
        }
        Ok(changes)
    }
}

impl Settings {
    fn written(&self) -> Value {
        let mut map = Map::new();
        if let Some(state) = self.state {
            map.insert("state".to_owned(), json!(state.as_str()));
        }
        if let Some(weight) = self.weight {
            map.insert("weight".to_owned(), json!(f64::from(weight) / 100.0));
        }
        if let Some(group) = self.group {
            map.insert("group".to_owned(), json!(group));
        }
        Value::Object(map)
    }
}

fn object<'a>(what: &str, value: &'a Value) -> Result<&'a Map<String, Value>, ChangeFault> {
    value.as_object().ok_or_else(|| ChangeFault { message: format!("{what} is no object"), hint: None })
}
