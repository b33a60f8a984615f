//! Reading a plugin's file for a person at a terminal.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::files::{self, ReadError};

/// Why a plugin's file is not read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{}", path.display(), said(source), remedy(source))]
pub struct PluginFileError {
    path: PathBuf,
    #[source]
    source: ReadError,
}

/// All of the file, if it is one and no larger than a plugin may be.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, PluginFileError> {
    files::read(path, files::limit::PLUGIN).map_err(|source| PluginFileError { path: path.to_owned(), source })
}

/// What the plugin in a file is called where nobody has given it a name: the file's, without its ending.
pub(super) fn name(path: &Path) -> String {
    path.file_stem().map_or_else(|| "plugin".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn said(error: &ReadError) -> String {
    match error.kind() {
        Some(ErrorKind::NotFound) => "there is no such file".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn remedy(error: &ReadError) -> &'static str {
    match error {
        ReadError::Irregular(_) => "; name the .wasm or .wat file itself",
        ReadError::Large(_) => "; no plugin may be larger: leave out debug information and data that it does not need",
        _ if error.kind() == Some(ErrorKind::NotFound) => "; build the plugin, then name the file that the build wrote",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_with_the_way_on() {
        let folder = tempfile::tempdir().unwrap();
        let huge = folder.path().join("huge.wasm");
        std::fs::File::create(&huge).unwrap().set_len(files::limit::PLUGIN + 1).unwrap();

        for (path, expected) in [
            (folder.path().join("none.wasm"), "there is no such file; build the plugin"),
            (folder.path().to_owned(), "expected a regular file; name the .wasm"),
            (huge, "it is larger than 64 MiB; no plugin may be larger"),
        ] {
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
