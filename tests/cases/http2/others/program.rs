//! A program that somebody else wrote, and what it says.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tidegate_tests::eventually;

/// A running program. Killed when dropped.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    /// Lines of both of its outputs so far.
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

/// A program by its name; else it says what is missing.
pub(super) fn found(name: &str) -> Option<PathBuf> {
    let variable = format!("TIDEGATE_TEST_{}", name.to_uppercase().replace('-', "_"));
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has servers where users have no PATH to.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let program = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if program.is_none() {
        missing(&format!("{name} is not installed"));
    }
    program
}

/// A Python that has all of these modules; else it says what is missing.
pub(super) fn python(modules: &[&str]) -> Option<PathBuf> {
    let program =
        std::env::var_os("TIDEGATE_TEST_PYTHON").map_or_else(|| found("python3"), |path| Some(path.into()))?;
    let imports = format!("import {}", modules.join(", "));
    let imported = Command::new(&program).args(["-c", &imports]).stderr(Stdio::null()).status();
    if imported.is_ok_and(|status| status.success()) {
        return Some(program);
    }
    missing(&format!("{} has no modules {modules:?}", program.display()));
    None
}

/// Says that something is not tried, past the capture of test output.
pub(super) fn missing(why: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    _ = writeln!(std::io::stderr(), "note: {test} tries nothing: {why}");
}

/// A file beside this one.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/http2/others").join(name)
}

impl Program {
    /// Starts it.
    pub(super) fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = Arc::default();
        let readers =
            vec![collect(child.stdout.take().unwrap(), &lines), collect(child.stderr.take().unwrap(), &lines)];
        Self { input: child.stdin.take(), child, lines, readers }
    }

    /// Starts a client that plays `scene`; `-` stands for no authority that it would trust.
    pub(super) fn client(mut command: Command, ca: Option<&Path>, scene: &str) -> Self {
        Self::start(command.arg(ca.unwrap_or(Path::new("-"))).arg(scene))
    }

    /// Starts an endpoint, with a certificate and a key if it is to speak TLS, and waits until it listens: its URL.
    pub(super) async fn endpoint(mut command: Command, tls: Option<(&Path, &Path)>) -> (Self, String) {
        if let Some((certificate, key)) = tls {
            command.arg(certificate).arg(key);
        }
        let program = Self::start(&mut command);
        let port = program.says("listening ").await;
        let url = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        (program, url)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it fails: with what it said.
    pub(super) async fn run(command: &mut Command) -> String {
        let mut program = Self::start(command);
        program.input = None;
        let status = program.ended().await;
        let said = program.said();
        assert!(status.success(), "{command:?}: {status}\n{said}");
        said
    }

    /// All of what it said so far.
    pub(super) fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Waits for a line that begins so, and returns the rest of it.
    pub(super) async fn says(&self, beginning: &str) -> String {
        let mut rest = None;
        let has_it = || {
            let lines = self.lines.lock().unwrap();
            rest = lines.iter().find_map(|line| line.strip_prefix(beginning)).map(|rest| rest.trim().to_owned());
            rest.is_some() || self.has_ended()
        };
        eventually(&format!("a line that begins with {beginning:?}"), has_it).await;
        rest.unwrap_or_else(|| panic!("ended without a line that begins with {beginning:?}:\n{}", self.said()))
    }

    /// How many lines begin so.
    pub(super) fn count(&self, beginning: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.starts_with(beginning)).count()
    }

    /// Whether both of its outputs have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.readers.iter().all(std::thread::JoinHandle::is_finished)
    }

    /// Writes a line to its standard input.
    pub(super) fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{line}").unwrap();
    }

    /// Waits until it has ended and everything it said is here.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("a program to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some() && self.has_ended()
        })
        .await;
        status.unwrap()
    }

    /// The same, and it must have succeeded.
    pub(super) async fn done(mut self) -> String {
        let status = self.ended().await;
        assert!(status.success(), "{status}\n{}", self.said());
        self.said()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn collect(from: impl std::io::Read + Send + 'static, into: &Arc<Mutex<Vec<String>>>) -> std::thread::JoinHandle<()> {
    let into = into.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            into.lock().unwrap().push(line);
        }
    })
}
