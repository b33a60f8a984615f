//! Processes with all they start, and programs by name.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How long a process may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a gateway may take to drain, and then to write what was counted in it.
const ORDERLY: Duration = Duration::from_secs(120);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A process group. Ended when dropped: asked first, then forced.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Runs `command` as the leader of a group of its own.
    pub(crate) fn spawn(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).process_group(0);
        Ok(Self { child: command.spawn()? })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, if that is a pipe that is still to be read.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for its end; none if that does not come within `limit`.
    pub(crate) async fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(None)
    }

    /// Asks the whole group to end, and waits until its leader has ended. An error, and forced, after [`ORDERLY`].
    pub(crate) async fn end(mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM");
        self.wait(ORDERLY).await?.with_context(|| format!("does not end within {ORDERLY:?}"))
    }

    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        // A group that is gone has what it should have.
        let _gone = Command::new("kill").arg(format!("-{name}")).arg("--").arg(group).stderr(Stdio::null()).status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal("TERM");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK);
        }
        self.signal("KILL");
        let _status = self.child.wait();
    }
}

/// The program that the environment variable `variable` names, or else the first of `names` that is a file, by path or
/// in `PATH`.
pub(crate) fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    // Servers are in folders that only root has in its path.
    let folders: Vec<_> =
        std::env::split_paths(&folders).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from)).collect();
    let places = |name: &&str| folders.iter().map(|folder| folder.join(name)).collect::<Vec<_>>();
    names.iter().flat_map(places).find(|path| Path::is_file(path))
}
