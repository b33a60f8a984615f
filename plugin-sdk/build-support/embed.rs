//! Lists the files of folders for a binary that carries them. Part of a build script, by path.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A list to generate: the name of its constant, and the folder whose files it holds.
pub(crate) type List = (&'static str, &'static str);

/// Writes `OUT_DIR/file`: a constant of (path inside the folder, text) for each of `lists`, whose folders are relative
/// to the crate being built. Left out is what a build in that folder leaves behind: see [`is_source`].
///
/// # Errors
/// One line for the person at the terminal.
pub(crate) fn lists(file: &str, lists: &[List]) -> Result<(), String> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let mut text = String::new();
    for (name, folder) in lists {
        let root = here.join(folder);
        let mut found = Vec::new();
        walk(&root, "", &mut found)?;
        found.sort();
        let _infallible = writeln!(text, "const {name}: &[File] = &[");
        for path in found {
            let _infallible = writeln!(text, "    ({path:?}, include_str!({:?})),", root.join(&path));
        }
        text.push_str("];\n");
    }
    fs::write(out.join(file), text).map_err(|error| format!("cannot write {file}: {error}"))
}

fn walk(root: &Path, inside: &str, found: &mut Vec<String>) -> Result<(), String> {
    let folder = root.join(inside);
    // A folder is watched by itself, for files that are added; the files by `include_str!`.
    println!("cargo::rerun-if-changed={}", folder.display());
    let failed = |error| format!("cannot list {}: {error}", folder.display());
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if inside.is_empty() { name.clone() } else { format!("{inside}/{name}") };
        if !is_source(&name) {
            continue;
        }
        if entry.path().is_dir() {
            walk(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file or folder of this name is written by hand. Hidden files of a template are called `dot-NAME`.
fn is_source(name: &str) -> bool {
    !name.starts_with('.')
        && !["target", "node_modules", "__pycache__"].contains(&name)
        && ![".wasm", ".swp", "~"].iter().any(|end| name.ends_with(end))
}
