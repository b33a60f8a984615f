//! What the cases about swaps, reloads and the process share: the real binary, its files, and what it says about them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tidegate_tests::guests::wat;
use tidegate_tests::{BoxedIo, Gateway, Process, Raw, Setup, Websocket, eventually, upgrade_request, within};
use tokio::net::TcpStream;

/// A real gateway and the folder that it reads.
pub(crate) struct Running {
    pub(crate) process: Process,
    setup: Setup,
    config: PathBuf,
}

impl Running {
    /// Runs `tidegate run` with this configuration.
    pub(crate) async fn start(setup: Setup) -> Self {
        Self::with(setup, Process::run).await
    }

    /// The same for a gateway whose memory is measured: see [`Process::run_thrifty`].
    pub(crate) async fn start_thrifty(setup: Setup) -> Self {
        Self::with(setup, Process::run_thrifty).await
    }

    async fn with(setup: Setup, run: impl AsyncFnOnce(&Path) -> Process) -> Self {
        let config = setup.write();
        let process = run(&config).await;
        Self { process, setup, config }
    }

    /// The folder that the configuration is in.
    pub(crate) fn folder(&self) -> &Path {
        self.setup.folder()
    }

    /// Where the first listener listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.process.addresses()[0]
    }

    /// Opens a websocket at the first listener.
    pub(crate) async fn websocket(&self, path: &str) -> Websocket {
        websocket(plain(self.address()).await, path).await
    }

    /// A connection to the first listener.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::new(plain(self.address()).await)
    }

    /// Status of a GET, on a connection of its own.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        let mut raw = self.raw().await;
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\n\r\n").as_bytes()).await;
        raw.read_answer().await.expect("an answer").status.as_u16()
    }

    /// Replaces a part of the configuration file.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(from), "{from:?} is not in the configuration:\n{text}");
        replace(&self.config, text.replace(from, to).as_bytes());
    }

    /// Lines on standard error with this text in them.
    pub(crate) fn said(&self, text: &str) -> Vec<String> {
        self.process.stderr().into_iter().filter(|line| line.contains(text)).collect()
    }

    /// Does `change`, and waits for the swap that follows from it.
    pub(crate) async fn swapped_by(&self, change: impl FnOnce()) {
        self.told("generation is live", change).await;
    }

    /// Does `change`, and waits until it was refused. Returns what was said.
    pub(crate) async fn refused_after(&self, change: impl FnOnce()) -> String {
        let before = self.said("generation is live").len();
        let line = self.told("reload refused", change).await;
        assert_eq!(self.said("generation is live").len(), before, "a refusal must not swap: {line}");
        line
    }

    /// Does `change`, and waits for one more line with `text` in it, which it returns.
    pub(crate) async fn told(&self, text: &str, change: impl FnOnce()) -> String {
        let before = self.said(text).len();
        change();
        let mut lines = Vec::new();
        let all = || self.process.stderr().join("\n");
        let limit = std::time::Instant::now() + tidegate_tests::LIMIT;
        eventually(&format!("one more line with {text:?}"), || {
            lines = self.said(text);
            // Said before the limit strikes: what there was instead.
            assert!(
                lines.len() > before || limit.saturating_duration_since(std::time::Instant::now()).as_millis() > 500,
                "no line with {text:?} in:\n{}",
                all()
            );
            lines.len() > before
        })
        .await;
        lines[before].clone()
    }
}

/// Replaces a file as editors and deployments do: written beside, renamed into place.
pub(crate) fn replace(path: &Path, content: &[u8]) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// A connection.
pub(crate) async fn plain(address: SocketAddr) -> BoxedIo {
    let stream = within("a connection", TcpStream::connect(address)).await.expect("a connection");
    stream.set_nodelay(true).unwrap();
    Box::new(stream)
}

/// A websocket over `io`, greeted by the origin at its other end.
pub(crate) async fn websocket(io: BoxedIo, path: &str) -> Websocket {
    match Websocket::open(io, upgrade_request(path)).await {
        Ok(websocket) => websocket.greeted().await,
        Err(error) => panic!("websocket on {path}: {error:?}"),
    }
}

/// What all endpoints hold, as the gateway counts it.
pub(crate) fn held(gateway: &Gateway) -> usize {
    let all = gateway.inner().registry().all();
    all.iter().flat_map(|(_, lives)| lives).map(|live| live.in_flight() as usize).sum()
}

/// Has the gateway read its file again, off this thread: what is under way goes on meanwhile.
pub(crate) async fn reload(gateway: &Gateway) {
    let inner = gateway.inner().clone();
    tokio::task::spawn_blocking(move || inner.reload()).await.unwrap().unwrap();
}

/// Text of `tests/guests/NAME.wat`.
pub(crate) fn guest(name: &str) -> String {
    std::fs::read_to_string(wat(name)).unwrap()
}

/// Lets this process open as many files as the system allows it.
///
/// # Panics
/// If that is less than `needed`.
pub(crate) fn allow_files(needed: u64) {
    let allowed = tidegate::net::raise_descriptor_limit().unwrap_or(0);
    assert!(allowed >= needed, "this test holds {needed} files open, and {allowed} are allowed: `ulimit -Hn`");
}
