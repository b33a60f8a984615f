//! Compiles Rust plugins to wasm from inside a build script. Shared by path, so that it needs no crate of its own.
//!
//! ```text
//! outer cargo ─▶ build.rs ─▶ inner cargo (own target folder, own flags) ─▶ OUT_DIR/NAME.wasm
//! ```

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// What reaches a build script from the outer cargo, or from whoever started it, and would leak into the inner one.
const LEAKING: &[&str] = &[
    "RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
];

/// Level 3, because `s` made the shipped plugins no smaller (rustc 1.95). `debuginfo` alone is stripped: the names stay,
/// for backtraces that can be read.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "false"),
    ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false"),
    ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "false"),
];

/// One plugin to compile.
pub(crate) struct Plugin {
    /// Folder inside the workspace.
    pub(crate) folder: &'static str,
    /// Package name.
    pub(crate) package: &'static str,
    /// Name of the file in `OUT_DIR`, without `.wasm`.
    pub(crate) name: &'static str,
}

/// Compiles `plugins` of the workspace at `root`, relative to the crate being built, into `OUT_DIR`, and has cargo do
/// so again when anything that they are made of changes.
///
/// # Errors
/// One line for the person at the terminal.
pub(crate) fn build(root: &str, plugins: &[Plugin]) -> Result<(), String> {
    let root = variable("CARGO_MANIFEST_DIR")?.join(root);
    build_in(&root, &root, plugins)
}

/// The same for one plugin that is a workspace of its own, with a lock of its own.
///
/// # Errors
/// As [`build`].
#[allow(dead_code, reason = "this file is shared, and not all who share it have such a plugin")]
pub(crate) fn build_alone(root: &str, plugin: &Plugin) -> Result<(), String> {
    let root = variable("CARGO_MANIFEST_DIR")?.join(root);
    let workspace = root.join(plugin.folder);
    watch(&workspace.join("Cargo.lock"));
    build_in(&root, &workspace, std::slice::from_ref(plugin))
}

/// Compiles plugins of the sources at `root` in the workspace at `workspace`.
fn build_in(root: &Path, workspace: &Path, plugins: &[Plugin]) -> Result<(), String> {
    let out = variable("OUT_DIR")?;
    for made_of in
        ["Cargo.toml", "Cargo.lock", "plugin-sdk/Cargo.toml", "plugin-sdk/src", "plugin-sdk/derive", "plugin-sdk/wit"]
    {
        watch(&root.join(made_of));
    }
    watch(&root.join("plugin-sdk/build-support/wasm.rs"));
    for plugin in plugins {
        watch(&root.join(plugin.folder).join("Cargo.toml"));
        watch(&root.join(plugin.folder).join("src"));
    }
    ensure_target()?;
    let target = target_folder(&out);
    compile(root, workspace, &target, plugins)?;
    for plugin in plugins {
        let file = format!("{}.wasm", plugin.package.replace('-', "_"));
        let from = target.join(TARGET).join("release").join(file);
        let to = out.join(plugin.name).with_extension("wasm");
        fs::copy(&from, &to).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    }
    Ok(())
}

/// Beside the outer build, which has another lock: `target/wasm-plugins`. Every build script of every profile shares it, for
/// the inner build is the same in all, and so the bindings generator is compiled once.
fn target_folder(out: &Path) -> PathBuf {
    let target = out.ancestors().skip_while(|folder| !folder.ends_with("build")).nth(2);
    target.unwrap_or(out).join("wasm-plugins")
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

fn compile(root: &Path, workspace: &Path, target: &Path, plugins: &[Plugin]) -> Result<(), String> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"])
        .arg(target);
    for plugin in plugins {
        cargo.args(["--package", plugin.package]);
    }
    for name in LEAKING {
        cargo.env_remove(name);
    }
    cargo.envs(PROFILE.iter().copied()).env("CARGO_ENCODED_RUSTFLAGS", flags(root));
    let done = cargo.output().map_err(|error| format!("cannot run cargo for the plugins: {error}"))?;
    eprint!("{}", String::from_utf8_lossy(&done.stderr));
    if done.status.success() {
        return Ok(());
    }
    let names = plugins.iter().map(|plugin| format!(" -p {}", plugin.package)).collect::<String>();
    Err(format!("the plugins do not compile; see why with: cargo build --release --target {TARGET}{names}"))
}

/// Flags of the inner build. The stack is 64 KiB instead of 1 MiB, because its memory is cleared for every instance;
/// the paths of this machine stay out of panic messages, so that the same sources give the same bytes everywhere.
fn flags(root: &Path) -> OsString {
    let mut flags = OsString::from("-Clink-arg=-zstack-size=65536");
    let cargo_home =
        env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    for (from, to) in [(cargo_home.as_deref(), "cargo"), (Some(root), "tidegate")] {
        let Some(from) = from.and_then(|from| from.canonicalize().ok()) else { continue };
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

/// Installs the standard library for wasm if it is missing.
fn ensure_target() -> Result<(), String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(&rustc).args(["--print", "sysroot"]).output();
    let sysroot = asked.map_err(|error| format!("cannot run {}: {error}", rustc.display()))?.stdout;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        rustup.arg("--toolchain").arg(toolchain);
    }
    match rustup.output() {
        Ok(done) if done.status.success() => Ok(()),
        _ => Err(format!("the plugins need the Rust target {TARGET}; install it with: rustup target add {TARGET}")),
    }
}

fn variable(name: &str) -> Result<PathBuf, String> {
    env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("{name} is not set: this runs under cargo only"))
}
