//! The files beside the configuration, read once for a generation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PrepareError;
use crate::config::Config;
use crate::files::{self, limit};

/// What the plugin files hold, and fingerprints of all the others.
#[derive(Debug)]
pub(crate) struct Files {
    plugins: BTreeMap<PathBuf, Vec<u8>>,
    prints: BTreeMap<PathBuf, Vec<u8>>,
}

impl Files {
    /// Reads every file that `config` names.
    pub(crate) fn read(config: &Config) -> Result<Self, PrepareError> {
        let read = |path: &Path, most| {
            files::read(path, most).map_err(|source| PrepareError::File { path: path.to_owned(), source })
        };
        let mut plugins = BTreeMap::new();
        for plugin in config.plugins.values() {
            plugins.insert(plugin.file.clone(), read(&plugin.file, limit::PLUGIN)?);
        }
        let mut prints = BTreeMap::new();
        for path in config.watched_files() {
            let print = match plugins.get(&path) {
                Some(bytes) => Sha256::digest(bytes).to_vec(),
                None if path == config.source => continue,
                None => Sha256::digest(read(&path, limit::PEM)?).to_vec(),
            };
            prints.insert(path, print);
        }
        Ok(Self { plugins, prints })
    }

    /// The same without what the plugin files hold: enough to see what has changed.
    pub(super) fn prints(&self) -> Self {
        Self { plugins: BTreeMap::new(), prints: self.prints.clone() }
    }

    pub(super) fn plugin(&self, path: &Path) -> &[u8] {
        self.plugins.get(path).map_or(&[], Vec::as_slice)
    }

    pub(super) fn print(&self, path: &Path) -> Vec<u8> {
        self.prints.get(path).cloned().unwrap_or_default()
    }

    /// SHA-256 of one file, hex.
    pub(super) fn digest_of(&self, path: &Path) -> String {
        hex(&self.print(path))
    }

    /// SHA-256 over the configuration as understood and every file it names, hex.
    pub(crate) fn digest(&self, config: &Config) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("{config:?}"));
        for (path, print) in &self.prints {
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update(print);
        }
        hex(&hasher.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        _ = write!(text, "{byte:02x}");
    }
    text
}
