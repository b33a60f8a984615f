//! What a folder holds, and how a plugin is made of it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnose::list;

/// A plugin's sources, or the file that is all of it.
#[derive(Clone, Debug)]
pub(super) struct DevProject {
    /// Folder that is watched and in which the build runs; for a lone file the folder that it is in.
    pub(super) folder: PathBuf,
    /// Of the folder or file, as a plugin may be called.
    pub(super) name: String,
    pub(super) recipe: Recipe,
}

/// How the plugin's file comes to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipe {
    /// `sh build.sh` writes it into the folder.
    Script,
    /// `cargo build` for wasm32-unknown-unknown.
    Cargo,
    /// It is there, and taken as it is.
    File(PathBuf),
}

/// What cannot be developed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProjectError {
    #[error("{}: there is no such folder or file; begin a plugin: tidegate plugin new NAME", .0.display())]
    Missing(PathBuf),
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{}: expected a folder, a .wat or a .wasm file, found another file", .0.display())]
    OtherFile(PathBuf),
    #[error(
        "{}: nothing to build; expected a build.sh that writes a .wasm file into this folder, a Cargo.toml, or one \
         .wat or .wasm file; begin a plugin: tidegate plugin new NAME", .0.display()
    )]
    Empty(PathBuf),
    #[error(
        "{}: expected one plugin file, found {}; name the one that is meant instead of the folder",
        .0.display(),
        list(.1.iter().map(String::as_str))
    )]
    Several(PathBuf, Vec<String>),
}

impl DevProject {
    /// What is in `path`.
    ///
    /// # Errors
    /// [`ProjectError`] if that is not one plugin.
    pub(super) fn find(path: &Path) -> Result<Self, ProjectError> {
        let unreadable = |source| ProjectError::Unreadable { path: path.to_owned(), source };
        let full = match path.canonicalize() {
            Ok(full) => full,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ProjectError::Missing(path.to_owned()));
            }
            Err(error) => return Err(unreadable(error)),
        };
        if !full.is_dir() {
            let is_plugin = ["wat", "wasm"].iter().any(|kind| has_extension(&full, kind));
            return match full.parent() {
                Some(folder) if is_plugin => Ok(Self::of_file(folder.to_owned(), full.clone())),
                _ => Err(ProjectError::OtherFile(path.to_owned())),
            };
        }
        let name = plugin_name(full.file_name());
        if full.join("build.sh").is_file() {
            return Ok(Self { folder: full, name, recipe: Recipe::Script });
        }
        if full.join("Cargo.toml").is_file() {
            return Ok(Self { folder: full, name, recipe: Recipe::Cargo });
        }
        let mut files: Vec<PathBuf> = fs::read_dir(&full)
            .map_err(unreadable)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        // Beside its text, the binary is what somebody made of it.
        for kind in ["wat", "wasm"] {
            let of_kind: Vec<_> = files.iter().filter(|file| has_extension(file, kind)).collect();
            match of_kind.as_slice() {
                [] => {}
                [one] => return Ok(Self::of_file(full, (*one).clone())),
                several => {
                    let names = several.iter().filter_map(|file| file.file_name());
                    let names = names.map(|name| name.to_string_lossy().into_owned()).collect();
                    return Err(ProjectError::Several(path.to_owned(), names));
                }
            }
        }
        Err(ProjectError::Empty(path.to_owned()))
    }

    fn of_file(folder: PathBuf, file: PathBuf) -> Self {
        Self { folder, name: plugin_name(file.file_stem()), recipe: Recipe::File(file) }
    }
}

pub(super) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Whether two names are one: build tools write `_` for `-`.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    let written = |c| if c == '_' { '-' } else { c };
    one.chars().map(written).eq(other.chars().map(written))
}

/// A name that a section of the configuration can have.
fn plugin_name(file: Option<&OsStr>) -> String {
    let name = file.unwrap_or_default().to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name: String = name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    if name.is_empty() { "plugin".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        folder
    }

    #[test]
    fn a_script_goes_before_a_manifest_and_a_manifest_before_files() {
        let recipe = |files: &[&str]| DevProject::find(folder(files).path()).unwrap().recipe;

        assert_eq!(recipe(&["build.sh", "Cargo.toml", "a.wat"]), Recipe::Script);
        assert_eq!(recipe(&["Cargo.toml", "a.wat"]), Recipe::Cargo);
        assert!(matches!(recipe(&["a.wat", "a.wasm", "README.md"]), Recipe::File(file) if file.ends_with("a.wat")));
        assert!(matches!(recipe(&["b.wasm"]), Recipe::File(file) if file.ends_with("b.wasm")));
    }

    #[test]
    fn what_is_not_one_plugin_is_refused_with_what_would_be() {
        for (files, words) in [
            (&[][..], "nothing to build; expected a build.sh"),
            (&["README.md"], "nothing to build"),
            (&["a.wat", "b.wat"], "found `a.wat`, `b.wat`"),
        ] {
            let folder = folder(files);

            let error = DevProject::find(folder.path()).unwrap_err().to_string();

            assert!(error.contains(words), "{files:?}: {error}");
        }
        assert!(matches!(DevProject::find(Path::new("/nowhere/at/all")), Err(ProjectError::Missing(_))));
        let folder = folder(&["notes.txt"]);
        assert!(matches!(DevProject::find(&folder.path().join("notes.txt")), Err(ProjectError::OtherFile(_))));
    }

    #[test]
    fn a_lone_file_gives_its_name() {
        let folder = folder(&["my.first balancer.wat"]);

        let project = DevProject::find(&folder.path().join("my.first balancer.wat")).unwrap();

        assert_eq!(project.name, "my-first-balancer");
    }
}
