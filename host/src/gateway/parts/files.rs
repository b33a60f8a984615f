//! The files beside the configuration, read once for a generation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::files::{self, limit};
use crate::gateway::error::PrepareError;

/// What the plugin files hold, and fingerprints of all files.
#[derive(Debug)]
pub(crate) struct NamedFiles {
    plugins: BTreeMap<PathBuf, Vec<u8>>,
    fingerprints: Fingerprints,
}

/// SHA-256 of what each file holds, by its path: enough to see what has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprints(BTreeMap<PathBuf, Vec<u8>>);

impl NamedFiles {
    /// Reads every file that `config` names.
    pub(crate) fn read(config: &Config) -> Result<Self, PrepareError> {
        let read = |path: &Path, most| {
            files::read(path, most).map_err(|source| PrepareError::File { path: path.to_owned(), source })
        };
        let mut plugins = BTreeMap::new();
        for plugin in config.plugins.values() {
            plugins.insert(plugin.file.clone(), read(&plugin.file, limit::PLUGIN)?);
        }
        let mut fingerprints = BTreeMap::new();
        for path in config.watched_files() {
            let fingerprint = match plugins.get(&path) {
                Some(bytes) => Sha256::digest(bytes).to_vec(),
                None if path == config.source => continue,
                None => Sha256::digest(read(&path, limit::PEM)?).to_vec(),
            };
            fingerprints.insert(path, fingerprint);
        }
        Ok(Self { plugins, fingerprints: Fingerprints(fingerprints) })
    }

    pub(super) fn plugin(&self, path: &Path) -> &[u8] {
        self.plugins.get(path).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn fingerprints(&self) -> &Fingerprints {
        &self.fingerprints
    }
}

impl Fingerprints {
    /// That of one file; empty if it is not among them.
    pub(super) fn of(&self, path: &Path) -> Vec<u8> {
        self.0.get(path).cloned().unwrap_or_default()
    }

    /// The same, hex.
    pub(super) fn hex_of(&self, path: &Path) -> String {
        hex(&self.of(path))
    }

    /// SHA-256 over `config` and all of them, hex. It names what was read and served, and decides nothing: whether
    /// something has changed is seen by comparing.
    pub(crate) fn digest(&self, config: &Config) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("{config:?}"));
        for (path, print) in &self.0 {
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
