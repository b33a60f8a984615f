//! The real binary in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use crate::eventually;

/// `tidegate` with some arguments. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Lines of standard error so far.
    stderr: Arc<Mutex<Vec<String>>>,
    /// Lines of standard output so far.
    stdout: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Runs `tidegate ARGUMENTS`.
    ///
    /// # Panics
    /// If it cannot be built or started.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_into(arguments, Stdio::piped(), Stdio::piped())
    }

    /// The same, where it writes into what somebody else reads, or does not.
    ///
    /// # Panics
    /// If it cannot be built or started.
    #[must_use]
    pub fn start_into(arguments: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        let mut command = Command::new(binary());
        command.args(arguments);
        Self::spawn(command, stdout, stderr)
    }

    fn spawn(mut command: Command, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        let (stderr, stdout) = (Arc::default(), Arc::default());
        let mut readers = Vec::new();
        readers.extend(child.stderr.take().map(|from| collect(from, &stderr)));
        readers.extend(child.stdout.take().map(|from| collect(from, &stdout)));
        Self { child, stderr, stdout, readers }
    }

    /// Starts a gateway, and waits until it listens.
    async fn listening(command: Command) -> Self {
        let process = Self::spawn(command, Stdio::piped(), Stdio::piped());
        eventually("the gateway to listen", || !process.addresses().is_empty()).await;
        process
    }

    /// Runs `tidegate run CONFIG` with so many descriptors and no more, and waits until it listens.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub async fn run_within(descriptors: usize, config: &Path) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$0\" run \"$1\"")).arg(binary()).arg(config);
        Self::listening(command).await
    }

    /// Runs `tidegate run CONFIG` so that its allocator gives freed memory back at once instead of after a while, and
    /// waits until it listens: the most memory that it has held is then what it held at one time.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub async fn run_thrifty(config: &Path) -> Self {
        let mut command = Command::new(binary());
        command.arg("run").arg(config).env("MIMALLOC_PURGE_DELAY", "0");
        Self::listening(command).await
    }

    /// Runs `tidegate run CONFIG`, and waits until it listens.
    pub async fn run(config: &Path) -> Self {
        Self::run_as(binary(), config).await
    }

    /// The same with the binary at `path`.
    pub async fn run_as(path: &Path, config: &Path) -> Self {
        let mut command = Command::new(path);
        command.arg("run").arg(config);
        Self::listening(command).await
    }

    /// Where it listens, in the order that it says so.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let lines = self.stderr();
        let said = lines.iter().filter(|line| line.contains("listening") && !line.contains("no longer"));
        said.filter_map(|line| line.split_once("address=")?.1.split_whitespace().next()?.parse().ok()).collect()
    }

    /// Lines of standard error so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.stderr.lock().unwrap().clone()
    }

    /// Lines of standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap().clone()
    }

    /// Process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal: `TERM`, `INT`, `HUP`.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().unwrap();
        assert!(sent.success(), "kill -{name} {}", self.id());
    }

    /// Waits until it has ended and everything it wrote is here.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the process to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some() && self.readers.iter().all(JoinHandle::is_finished)
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn collect(from: impl std::io::Read + Send + 'static, into: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let into = into.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            into.lock().unwrap().push(line);
        }
    })
}

/// Path of the binary, built as this test was and from the same sources.
///
/// # Panics
/// If it does not compile.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        // A test lies in `deps`, a program beside it.
        let folder = test.parent().unwrap();
        let folder = if folder.ends_with("deps") { folder.parent().unwrap() } else { folder };
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        // Both packages, so that dependencies have the features they already have.
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "-p", "tidegate", "-p", "tidegate-tests", "--bin", "tidegate", "--lib"])
            .args(["--profile", profile, "--target-dir"])
            .arg(folder.parent().unwrap())
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .unwrap();
        assert!(built.success(), "cargo build --bin tidegate failed");
        folder.join("tidegate")
    })
}
