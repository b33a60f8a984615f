//! Writing the files of a project.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Writes `files` by their paths inside `dir`, and the folders that they need.
pub(super) fn write(dir: &Path, files: &BTreeMap<String, String>) -> io::Result<()> {
    for (path, text) in files {
        let to = dir.join(path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&to, text)?;
    }
    Ok(())
}
