//! A folder of this process's own, which goes away with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::terminal::complain;

/// Nobody but its user may look into it. Removed when dropped.
#[derive(Debug)]
pub(in crate::cli) struct OwnFolder(PathBuf);

impl OwnFolder {
    /// Makes it below the folder for temporary files; its name has `purpose` in it.
    pub(in crate::cli) fn make(purpose: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tidegate-{purpose}-{}", std::process::id()));
        // Fails if it is there: no other user's folder is used.
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(in crate::cli) fn path(&self) -> &Path {
        &self.0
    }

    /// Puts `bytes` under `name`, as an operator would: written beside, renamed into place.
    pub(in crate::cli) fn put(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let beside = self.0.join(format!("{name}.new"));
        fs::write(&beside, bytes)?;
        fs::rename(beside, self.0.join(name))
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            complain(format_args!("tidegate: {} could not be removed: {error}", self.0.display()));
        }
    }
}
