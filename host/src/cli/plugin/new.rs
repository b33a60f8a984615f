//! `tidegate plugin new`: a crate to begin with.
//!
//! The SDK is written beside the plugin: the crate builds with the very contract that this gateway speaks.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::super::terminal::{REFUSED, complain, say};

/// A file to write: its path inside the new folder, and what goes in.
type File = (&'static str, &'static str);

macro_rules! sdk {
    ($($path:literal),+ $(,)?) => {
        &[$((concat!("sdk/", $path), include_str!(concat!("../../../../plugin-sdk/", $path)))),+]
    };
}

macro_rules! template {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../plugin-sdk/templates/rust/", $path)))),+]
    };
}

/// The plugin itself. `NAME` stands for the crate's name.
const PLUGIN: &[File] = template!("Cargo.toml", "README.md", "src/lib.rs");

/// The SDK's own sources; its manifest is the template's, because the original inherits from its workspace.
const SDK: &[File] = sdk!(
    "src/bindings.rs",
    "src/candidates.rs",
    "src/config.rs",
    "src/export.rs",
    "src/imports.rs",
    "src/instance.rs",
    "src/lib.rs",
    "src/roles.rs",
    "wit/v0.1/balancer.wit",
    "wit/v0.1/host.wit",
    "wit/v0.1/rewriter.wit",
    "wit/v0.1/router.wit",
    "wit/v0.1/types.wit",
    "wit/v0.1/worlds.wit",
);

const SDK_MANIFEST: &[File] = template!("sdk/Cargo.toml");

/// The version of SDK and gateway.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes a crate into `dir`, which must be new or empty.
pub(super) fn new(dir: &Path) -> ExitCode {
    let name = match crate_name(dir) {
        Ok(name) => name,
        Err(message) => {
            complain(message);
            return ExitCode::from(REFUSED);
        }
    };
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        complain(format_args!("{}: is not empty; name a folder that does not exist yet", dir.display()));
        return ExitCode::from(REFUSED);
    }
    if let Err(error) = write(dir, &name) {
        complain(format_args!("{}: cannot be written: {error}", dir.display()));
        return ExitCode::from(REFUSED);
    }
    let (shown, library) = (dir.display(), name.replace('-', "_"));
    say(format_args!(
        "{shown}: a balancer in src/lib.rs. Next:\n  \
         cd {shown}\n  \
         rustup target add wasm32-unknown-unknown\n  \
         cargo test && cargo build --release --target wasm32-unknown-unknown\n  \
         tidegate plugin check target/wasm32-unknown-unknown/release/{library}.wasm"
    ));
    ExitCode::SUCCESS
}

fn write(dir: &Path, name: &str) -> io::Result<()> {
    for (path, text) in PLUGIN.iter().chain(SDK_MANIFEST).chain(SDK) {
        let to = dir.join(path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&to, text.replace("plugin-name", name).replace("0.0.0-sdk", VERSION))?;
    }
    Ok(())
}

/// The folder's name as a crate may be called.
fn crate_name(dir: &Path) -> Result<String, String> {
    let full = std::path::absolute(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
        && name != "sdk";
    if fits {
        return Ok(name);
    }
    Err(format!(
        "{}: expected a folder name of lower-case letters, digits, `-` and `_` that starts with a letter (and is not \
         `sdk`), found `{name}`; for example: tidegate plugin new my-balancer",
        dir.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_whole_sdk_is_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-sdk");
        let mut there = BTreeSet::new();
        for folder in ["src", "wit/v0.1"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                there.insert(format!("sdk/{folder}/{}", entry.unwrap().file_name().to_string_lossy()));
            }
        }

        let written: BTreeSet<_> = SDK.iter().map(|(path, _)| (*path).to_owned()).collect();

        assert_eq!(written, there, "SDK in new.rs must list every file of plugin-sdk");
    }

    #[test]
    fn a_crate_gets_its_name_and_the_version() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("my-balancer");

        write(&dir, &crate_name(&dir).unwrap()).unwrap();

        let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("name = \"my-balancer\""), "{manifest}");
        let sdk = fs::read_to_string(dir.join("sdk/Cargo.toml")).unwrap();
        assert!(sdk.contains(&format!("version = \"{VERSION}\"")), "{sdk}");
    }

    #[test]
    fn names_that_no_crate_can_have_are_refused() {
        for name in ["9lives", "My-Balancer", "über", "sdk", "/"] {
            assert!(crate_name(Path::new(name)).is_err(), "{name}");
        }
    }
}
