//! The files beside the configuration, read once for a generation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::passwords::Passwords;
use super::secrets::{self, Secrets};
use crate::config::Config;
use crate::files::{self, limit};
use crate::gateway::error::PrepareError;
use crate::text;

/// What error pages hold, by their paths.
pub(crate) type Pages = BTreeMap<PathBuf, Bytes>;

/// What plugin files, error pages, secrets and files of passwords hold, and digests of all files.
#[derive(Debug)]
pub(crate) struct NamedFiles {
    plugins: BTreeMap<PathBuf, Vec<u8>>,
    secrets: Secrets,
    pages: Pages,
    passwords: Passwords,
    digests: FileDigests,
    /// Of the text of the configuration itself, or of nothing if that is in no file. Not among the others: comments and
    /// layout make no other configuration.
    text: Vec<u8>,
}

/// SHA-256 of what each file holds, by its path: enough to see what has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileDigests(BTreeMap<PathBuf, Vec<u8>>);

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
        let secrets = secrets::read(config)?;
        let mut pages = Pages::new();
        let of_routes = config.routes.iter().map(|route| &route.error_pages);
        for page in of_routes.chain([&config.gateway.error_pages]).flat_map(|pages| &pages.pages) {
            if !pages.contains_key(&page.file) {
                pages.insert(page.file.clone(), read(&page.file, limit::PAGE)?.into());
            }
        }
        let passwords = Passwords::read(config)?;
        let mut digests = BTreeMap::new();
        for path in config.watched_files() {
            let digest = match plugins.get(&path) {
                Some(bytes) => Sha256::digest(bytes).to_vec(),
                None if path == config.source => continue,
                None if pages.contains_key(&path) => {
                    Sha256::digest(pages.get(&path).map_or(&[][..], |page| page)).to_vec()
                }
                None => match passwords.digest(&path) {
                    Some(digest) => digest.to_vec(),
                    None => Sha256::digest(read(&path, limit::PEM)?).to_vec(),
                },
            };
            digests.insert(path, digest);
        }
        let text = files::read(&config.source, limit::CONFIGURATION).unwrap_or_default();
        let text = Sha256::digest(text).to_vec();
        Ok(Self { plugins, secrets, pages, passwords, digests: FileDigests(digests), text })
    }

    pub(super) fn plugin(&self, path: &Path) -> &[u8] {
        self.plugins.get(path).map_or(&[], Vec::as_slice)
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Takes the file at `path` for what it was `before`.
    pub(crate) fn take_from(&mut self, path: &Path, before: &FileDigests) {
        self.digests.insert(path.to_owned(), before.of(path));
    }

    /// Takes the files of `refused` that hold the same as there for what they were `before`.
    pub(crate) fn without(mut self, refused: &FileDigests, before: &FileDigests) -> Self {
        let same: Vec<_> = refused.all().filter(|(path, digest)| self.digests.of(path) == *digest).collect();
        for (path, _) in same {
            self.take_from(path, before);
        }
        self
    }

    pub(crate) fn digests(&self) -> &FileDigests {
        &self.digests
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

impl FileDigests {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn insert(&mut self, path: PathBuf, digest: Vec<u8>) {
        self.0.insert(path, digest);
    }

    /// That of one file; empty if it is not among them.
    pub(crate) fn of(&self, path: &Path) -> Vec<u8> {
        self.0.get(path).cloned().unwrap_or_default()
    }

    /// All of them, in the order of their paths.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().map(|(path, digest)| (path.as_path(), digest.as_slice()))
    }

    /// That of one file, hex.
    pub(crate) fn hex_of(&self, path: &Path) -> String {
        text::hex(&self.of(path))
    }
}
