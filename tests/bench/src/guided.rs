//! A build of the gateway that is guided by what it does: built once so that it counts, played, and built again with
//! the counts.
//!
//! ```text
//! cargo build, counting ─▶ plays the scenes ─▶ counts ─▶ llvm-profdata merge ─▶ cargo build, guided ─▶ FOLDER/tidegate
//! ```
//!
//! The compiler then lays what runs often close together and moves the rest away. docs/performance.md says what that
//! gains.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::compare::spawn_load;
use crate::figures::Column;
use crate::peer::tidegate::{self, Setup};
use crate::peer::{Ports, START, listening};
use crate::process::Group;
use crate::scene;
use crate::stage::Stage;

/// The workspace that this tool was built from.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What is guided: the build that is packaged.
const PROFILE: &str = "dist";

/// Between the flags of `CARGO_ENCODED_RUSTFLAGS`, so that a path may have spaces.
const BETWEEN_FLAGS: &str = "\u{1f}";

/// More than a build takes on the slowest machine.
const LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// Whether requests are logged changes what runs for each. Nobody is to have the other one compiled as rare.
const ACCESS_LOGS: [&str; 2] = ["off", "stdout"];

/// Where, and how long it is watched.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where it is built; both builds and the counts stay there
    #[arg(long, default_value = "target/guided")]
    folder: PathBuf,
    /// How long each scene is played, twice
    #[arg(long, default_value_t = 2.0, value_parser = scene::seconds)]
    seconds: f64,
}

/// Builds, plays, builds again, and says where the binary is.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let compiler = Compiler::find()?;
    let folder = std::path::absolute(&arguments.folder)?;
    ensure!(
        !folder.display().to_string().contains('%'),
        "{} has a %, which stands for something else where counts are written",
        folder.display()
    );
    let (counts, merged) = (folder.join("counts"), folder.join("counts.profdata"));
    for old in profiles(&counts)? {
        // Of another build perhaps, and then worth nothing.
        fs::remove_file(&old).with_context(|| old.display().to_string())?;
    }
    eprintln!("[1/3] a build that counts");
    let counting = compiler.build(&folder.join("counting"), "-Cprofile-generate=", &counts).await?;
    eprintln!("[2/3] the scenes");
    for access_log in ACCESS_LOGS {
        exercise(&counting, access_log, arguments.seconds).await?;
    }
    let counted = profiles(&counts)?;
    ensure!(!counted.is_empty(), "nothing in {}: the gateway did not write what it counted", counts.display());
    let mut merge = Command::new(&compiler.profdata);
    merge.arg("merge").arg("--output").arg(&merged).args(&counted);
    finish(merge).await?;
    eprintln!("[3/3] a build with the counts");
    let guided = compiler.build(&folder.join("build"), "-Cprofile-use=", &merged).await?;
    // Renamed, because the one that is there may be running.
    let (binary, beside) = (folder.join("tidegate"), folder.join("tidegate.new"));
    fs::copy(&guided, &beside).with_context(|| beside.display().to_string())?;
    fs::rename(&beside, &binary).with_context(|| binary.display().to_string())?;
    println!("{}", binary.display());
    Ok(())
}

/// Plays every scene but the idle ones, and waits until the gateway has ended: it writes its counts last.
async fn exercise(gateway: &Path, access_log: &str, seconds: f64) -> anyhow::Result<()> {
    let stage = Stage::set()?;
    let ports = Ports::free()?;
    let mut command = Command::new(gateway);
    tidegate::configure(&mut command, &stage, ports, &Setup { access_log, ..Setup::default() })?;
    command.env_remove("LLVM_PROFILE_FILE");
    let running = listening(command, &stage.path("guided.log"), ports.plain, START).await?;
    for scene in scene::ALL.iter().filter(|scene| !scene.load.wants_fresh()) {
        let address = ports.address(scene).to_string();
        let figures = spawn_load(scene.name, &address, None, seconds, &[], &stage).await;
        let figures = figures.with_context(|| format!("{} was not played", scene.name))?;
        let failed = figures.get(Column::Errors).unwrap_or(0.0);
        ensure!(failed == 0.0, "{failed} operations of {} failed: failing would be taken for usual", scene.name);
    }
    let status = running.end().await.context("the gateway")?;
    ensure!(status.success(), "the gateway ended with {status}");
    Ok(())
}

/// The files with counts in `folder`; none if it is not there.
fn profiles(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let paths = entries.with_context(|| folder.display().to_string())?.into_iter().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == "profraw")).collect())
}

/// The compiler and what comes with it.
struct Compiler {
    /// Triple of this machine. A target that is named keeps the flags from build scripts and procedural macros.
    host: String,
    profdata: PathBuf,
}

impl Compiler {
    fn find() -> anyhow::Result<Self> {
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?.trim());
        let version = rustc(&["-vV"])?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
        let profdata = sysroot.join("lib/rustlib").join(host).join("bin/llvm-profdata");
        ensure!(
            profdata.is_file(),
            "{} is not there; install it with: rustup component add llvm-tools",
            profdata.display()
        );
        Ok(Self { host: host.to_owned(), profdata })
    }

    /// Builds the gateway into `folder` with one flag more, and returns where its binary is.
    async fn build(&self, folder: &Path, flag: &str, value: &Path) -> anyhow::Result<PathBuf> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut flag = OsString::from(flag);
        flag.push(value);
        let given = env::var_os("CARGO_ENCODED_RUSTFLAGS");
        let plain = env::var("RUSTFLAGS").unwrap_or_default();
        let mut build = Command::new(cargo);
        build.current_dir(ROOT).args(["build", "--profile", PROFILE, "--package", "tidegate", "--target", &self.host]);
        build.arg("--target-dir").arg(folder);
        build.env("CARGO_ENCODED_RUSTFLAGS", flags(given.as_deref(), &plain, &flag));
        finish(build).await?;
        Ok(folder.join(&self.host).join(PROFILE).join("tidegate"))
    }
}

/// What the environment tells the compiler, with `flag` behind it. As cargo does, `plain` counts only where nothing
/// encoded is given, and flags of cargo's configuration where there is neither: so they do not count here.
fn flags(encoded: Option<&OsStr>, plain: &str, flag: &OsStr) -> OsString {
    let mut flags = match encoded {
        Some(encoded) => encoded.to_owned(),
        None => plain.split_whitespace().collect::<Vec<_>>().join(BETWEEN_FLAGS).into(),
    };
    if !flags.is_empty() {
        flags.push(BETWEEN_FLAGS);
    }
    flags.push(flag);
    flags
}

fn rustc(arguments: &[&str]) -> anyhow::Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    // There the toolchain is the one of the workspace.
    let output = Command::new(rustc).current_dir(ROOT).args(arguments).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run rustc")?;
    ensure!(output.status.success(), "rustc {} ended with {}", arguments.join(" "), output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs `command` to its good end; it is stopped if this is given up.
async fn finish(command: Command) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let mut group = Group::spawn(command).with_context(|| format!("cannot run {program}"))?;
    let status = group.wait(LIMIT).await?.with_context(|| format!("{program} is not done within {LIMIT:?}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_goes_behind_those_that_are_given() {
        let flag = OsStr::new("-Cprofile-use=a b");
        assert_eq!(flags(None, "", flag), "-Cprofile-use=a b");
        assert_eq!(flags(None, "-Cx -Cy", flag), "-Cx\u{1f}-Cy\u{1f}-Cprofile-use=a b");
        assert_eq!(flags(Some(OsStr::new("-Cz")), "-Cx", flag), "-Cz\u{1f}-Cprofile-use=a b");
    }
}
