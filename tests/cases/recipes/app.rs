//! An application in processes of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidegate_tests::within;

/// Until an application listens. JupyterLab takes some seconds alone, and far more beside other tests.
const START: Duration = Duration::from_secs(120);

/// Until one that was asked to end has done so, its children too.
const END: Duration = Duration::from_secs(10);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A running application. Ended when dropped.
#[derive(Debug)]
pub(crate) struct App {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl App {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::default();
        collect(child.stdout.take().unwrap(), &said);
        collect(child.stderr.take().unwrap(), &said);
        Self { child, said }
    }

    /// Waits until it says where it listens: the first address of 127.0.0.1 with a port in what it prints.
    ///
    /// # Panics
    /// If it ends before.
    pub(crate) async fn address(&mut self) -> SocketAddr {
        self.found(|said| said.iter().find_map(|line| address_in(line))).await.unwrap_or_else(|| panic!("{self:?}"))
    }

    /// Waits until something takes connections at `address`; false if the application ends before.
    pub(crate) async fn listens(&mut self, address: SocketAddr) -> bool {
        self.found(|_said| std::net::TcpStream::connect(address).ok()).await.is_some()
    }

    /// Waits until there is such a thing; nothing if the application ends before.
    async fn found<T>(&mut self, find: impl Fn(&[String]) -> Option<T>) -> Option<T> {
        let limit = Instant::now() + START;
        loop {
            let ended = self.child.try_wait().unwrap().is_some();
            let found = find(&self.said.lock().unwrap());
            if found.is_some() || ended {
                return found;
            }
            assert!(Instant::now() < limit, "not within {START:?}: {self:?}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Asked first, for it has children of its own to end.
        let _told = Command::new("kill").arg(self.child.id().to_string()).status();
        let limit = Instant::now() + END;
        while Instant::now() < limit && self.child.try_wait().is_ok_and(|status| status.is_none()) {
            std::thread::sleep(LOOK);
        }
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Runs a program to its end, which is near, and returns what it printed, or why it failed.
///
/// # Panics
/// If it does not end.
pub(crate) async fn ran(mut command: Command) -> Result<String, String> {
    let running = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output());
    let output = within("a program to end", running).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn collect(from: impl Read + Send + 'static, into: &Arc<Mutex<Vec<String>>>) {
    let into = into.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            into.lock().unwrap().push(line);
        }
    });
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let from = line.find("127.0.0.1:")?;
    let address = line[from..].split(|c: char| !matches!(c, '0'..='9' | '.' | ':')).next()?;
    address.parse().ok()
}
