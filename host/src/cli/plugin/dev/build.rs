//! Running a project's own build.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::SystemTime;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::Value;

use super::project::{DevProject, Recipe, has_extension, is_same_name};
use crate::diagnose::list;

/// The target that plugins in Rust are built for.
const TARGET: &str = "wasm32-unknown-unknown";

/// Why there is no plugin file.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildFailure {
    #[error("`{program}` is not there; it comes with {package}")]
    NoProgram { program: &'static str, package: &'static str },
    #[error("`{command}` cannot be run: {source}")]
    System {
        command: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` failed ({status})")]
    Failed { command: &'static str, status: std::process::ExitStatus },
    #[error("`sh build.sh` ended well, but there is no .wasm file in {}; it has to write {name}.wasm there", folder.display())]
    NoOutput { folder: PathBuf, name: String },
    #[error("`sh build.sh` ended well, but {} is a folder; it has to be the plugin's file", .0.display())]
    FolderAsOutput(PathBuf),
    #[error("the crate makes no .wasm file; its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`")]
    NoLibrary,
    #[error("expected one plugin file, found {}; write {name}.wasm", list(.found.iter().map(String::as_str)))]
    Several { found: Vec<String>, name: String },
}

/// Builds `project` and returns the plugin's file. What the build prints goes to this process's own output. If the
/// future is dropped, the build ends with everything it has started.
pub(super) async fn build(project: &DevProject) -> Result<PathBuf, BuildFailure> {
    match &project.recipe {
        Recipe::File(file) => Ok(file.clone()),
        Recipe::Script => {
            let began = SystemTime::now();
            run("sh build.sh", Command::new("sh").arg("build.sh").current_dir(&project.folder)).await?;
            script_output(project, began)
        }
        Recipe::Cargo => {
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
            let messages = run("cargo build", cargo.current_dir(&project.folder).stdout(Stdio::piped())).await?;
            one(wasm_files(&messages), &project.name).map_err(|found| match found.as_slice() {
                [] => BuildFailure::NoLibrary,
                _ => BuildFailure::Several { found, name: project.name.clone() },
            })
        }
    }
}

/// What `sh build.sh` wrote: the one .wasm file of the folder, else that with the project's name, else the one that is
/// newer than the build's beginning.
fn script_output(project: &DevProject, began: SystemTime) -> Result<PathBuf, BuildFailure> {
    let mut files: Vec<_> = std::fs::read_dir(&project.folder)
        .map_err(|source| BuildFailure::System { command: "sh build.sh", source })?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| has_extension(path, "wasm"))
        .collect();
    files.sort();
    let (files, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| path.is_file());
    if let (true, Some(folder)) = (files.is_empty(), others.into_iter().find(|path| path.is_dir())) {
        return Err(BuildFailure::FolderAsOutput(folder));
    }
    let is_new = |path: &PathBuf| path.metadata().and_then(|found| found.modified()).is_ok_and(|at| at >= began);
    let (folder, name) = (project.folder.clone(), project.name.clone());
    one(files.clone(), &name).or_else(|found| match found.as_slice() {
        [] => Err(BuildFailure::NoOutput { folder, name: name.clone() }),
        _ => {
            let fresh = files.into_iter().filter(is_new).collect();
            one(fresh, &name).map_err(|_none_or_several| BuildFailure::Several { found, name })
        }
    })
}

/// The only one of `files`, or the one that is called `name`; else their names.
fn one(mut files: Vec<PathBuf>, name: &str) -> Result<PathBuf, Vec<String>> {
    let is_named = |path: &Path| path.file_stem().is_some_and(|stem| is_same_name(&stem.to_string_lossy(), name));
    if files.len() > 1
        && let Some(named) = files.iter().find(|path| is_named(path))
    {
        return Ok(named.clone());
    }
    match files.len() {
        1 => Ok(files.remove(0)),
        _ => Err(files.iter().map(|path| path.display().to_string()).collect()),
    }
}

/// The .wasm files that the messages of `cargo build` name, one message a line.
fn wasm_files(messages: &[String]) -> Vec<PathBuf> {
    let messages = messages.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let names = messages.flat_map(|message| match message.get("filenames") {
        Some(Value::Array(names)) => names.clone(),
        _ => Vec::new(),
    });
    let files = names.filter_map(|name| name.as_str().map(PathBuf::from));
    let mut files: Vec<_> = files.filter(|file| has_extension(file, "wasm")).collect();
    files.sort();
    files.dedup();
    files
}

/// Runs a command to its end, and returns the lines that it wrote into a pipe, if it has one.
async fn run(name: &'static str, command: &mut Command) -> Result<Vec<String>, BuildFailure> {
    // Apart from the terminal's group, so that it can be ended with all that it starts.
    let spawned = command.stdin(Stdio::null()).process_group(0).spawn();
    let mut child = spawned.map_err(|source| match (source.kind(), name) {
        (std::io::ErrorKind::NotFound, "cargo build") => BuildFailure::NoProgram {
            program: "cargo",
            package: "Rust: https://rustup.rs, then `rustup target add wasm32-unknown-unknown`",
        },
        _ => BuildFailure::System { command: name, source },
    })?;
    let group = BuildGroup::of(&child);
    let process = group.0;
    let output = child.stdout.take();
    let read = tokio::task::spawn_blocking(move || output.map(lines).unwrap_or_default());
    let ended = tokio::task::spawn_blocking(move || {
        if let Some(process) = process {
            ended(process)?;
            // Before it is reaped: until then, its id cannot be another group's. What is left behind may hold the pipe.
            end_group(process);
        }
        child.wait()
    });
    let status = ended.await;
    group.release();
    let lines = read.await;
    let failed = |source| BuildFailure::System { command: name, source };
    let joined = |error: tokio::task::JoinError| failed(std::io::Error::other(error));
    match status.map_err(joined)?.map_err(failed)? {
        status if status.success() => lines.map_err(joined),
        status => Err(BuildFailure::Failed { command: name, status }),
    }
}

/// Waits until `process` has ended, and leaves it to be reaped.
fn ended(process: Pid) -> std::io::Result<()> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    rustix::io::retry_on_intr(|| waitid(WaitId::Pid(process), options))?;
    Ok(())
}

fn lines(output: ChildStdout) -> Vec<String> {
    BufReader::new(output).lines().map_while(Result::ok).collect()
}

/// The processes of a build; ended when dropped.
#[derive(Debug)]
struct BuildGroup(Option<Pid>);

impl BuildGroup {
    fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    /// The build has ended, and all of it.
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for BuildGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            end_group(group);
        }
    }
}

fn end_group(group: Pid) {
    // All of it may have ended.
    let _gone = kill_process_group(group, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn script(text: &str, files: &[&str]) -> (tempfile::TempDir, DevProject) {
        let folder = tempfile::Builder::new().prefix("mine").tempdir().unwrap();
        fs::write(folder.path().join("build.sh"), text).unwrap();
        for file in files {
            let old = fs::File::create(folder.path().join(file)).unwrap();
            old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        let project = DevProject { name: "mine".to_owned(), ..DevProject::find(folder.path()).unwrap() };
        (folder, project)
    }

    #[tokio::test]
    async fn the_plugin_is_what_the_script_wrote() {
        for (text, files, found) in [
            ("echo > mine.wasm", &[][..], "mine.wasm"),
            ("echo > other.wasm", &[], "other.wasm"),
            ("echo > other.wasm", &["mine.wasm"], "mine.wasm"),
            ("echo > other.wasm", &["old.wasm", "older.wasm"], "other.wasm"),
            ("true", &["other.wasm"], "other.wasm"),
        ] {
            let (_folder, project) = script(text, files);

            let built = build(&project).await.unwrap();

            assert!(built.ends_with(found), "{text} beside {files:?}: {}", built.display());
        }
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        for (text, files, words) in [
            ("exit 3", &[][..], "`sh build.sh` failed (exit status: 3)"),
            ("true", &[], "has to write mine.wasm there"),
            ("mkdir mine.wasm", &[], "mine.wasm is a folder"),
            ("true", &["a.wasm", "b.wasm"], "expected one plugin file, found"),
        ] {
            let (_folder, project) = script(text, files);

            let failure = build(&project).await.unwrap_err().to_string();

            assert!(failure.contains(words), "{text} beside {files:?}: {failure}");
        }
    }

    #[tokio::test]
    async fn what_a_build_leaves_running_ends_with_it() {
        for end in ["", "exit 3\n"] {
            let (folder, project) = script(&format!("sleep 1000 &\necho $! > pid\necho > mine.wasm\n{end}"), &[]);

            assert_eq!(build(&project).await.is_ok(), end.is_empty());

            let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
            let status = format!("/proc/{}/stat", pid.trim());
            // Whoever takes over orphans may never look at one that has ended.
            while fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
                tokio::task::yield_now().await;
            }
        }
    }

    #[test]
    fn cargo_names_the_files_of_the_library() {
        let messages = [
            r#"{"reason":"compiler-artifact","filenames":["/t/release/deps/libdep.rlib"]}"#,
            "not a message",
            r#"{"reason":"compiler-artifact","filenames":["/t/release/my_plugin.wasm"]}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ];

        let files = wasm_files(&messages.map(str::to_owned));

        assert_eq!(one(files, "my-plugin"), Ok(PathBuf::from("/t/release/my_plugin.wasm")));
    }
}
