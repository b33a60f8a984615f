//! What applications need of this machine, or a sentence that says what is missing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::ROOT;

/// A program of `target/recipes/venv`, into which `.ci/recipes` installs what PyPI has.
pub(crate) fn of_pypi(recipe: &str, program: &str) -> Option<PathBuf> {
    let path = installed().join("venv/bin").join(program);
    path.is_file()
        .then_some(path)
        .or_else(|| skipped(recipe, &format!("no {program} in target/recipes/venv, where .ci/recipes installs it")))
}

/// A folder below `target/recipes`, where programs for node find the `package` that `.ci/recipes` installs from npm.
pub(crate) fn of_npm(recipe: &str, package: &str) -> Option<TempDir> {
    if !installed().join("node_modules").join(package).is_dir() {
        return skipped(recipe, &format!("no {package} in target/recipes/node_modules, where .ci/recipes installs it"));
    }
    let _path = of_system(recipe, "node")?;
    Some(tempfile::Builder::new().prefix("run-").tempdir_in(installed()).unwrap())
}

/// A program that the system has.
pub(crate) fn of_system(recipe: &str, program: &str) -> Option<PathBuf> {
    // A broker is where only root usually looks.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    // That something is there under the name does not say that it runs: version managers put placeholders there.
    let runs = |path: &PathBuf| {
        let tried =
            Command::new(path).arg("-h").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.code().is_some_and(|code| code < 126))
    };
    found.filter(runs).or_else(|| skipped(recipe, &format!("{program} is not here")))
}

/// A file of `tests/recipes`.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(ROOT).join("tests/recipes").join(path)
}

fn installed() -> PathBuf {
    Path::new(ROOT).join("target/recipes")
}

/// Says so past the capture of test output.
fn skipped<T>(recipe: &str, why: &str) -> Option<T> {
    _ = writeln!(std::io::stderr(), "SKIPPED: the recipe for {recipe} is NOT tried: {why}");
    None
}
