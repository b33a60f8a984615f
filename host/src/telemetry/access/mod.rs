//! The access log: one line for each request and each tunnel.
//!
//! ```text
//! worker: AccessRecord ──▶ line (buffer of the thread) ──▶ pending bytes │ thread: ──▶ stdout | file
//! ```
//!
//! A worker pays for the formatting and a short copy; it never waits for a disk or a pipe. When the reader does not
//! keep up, lines are dropped and counted.

mod line;
mod writer;

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{LineFormat, Samples, names};
use writer::Writer;

thread_local! {
    static LINE: Cell<String> = const { Cell::new(String::new()) };
}

/// Where access lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessTarget {
    /// Nowhere; then nothing is formatted.
    Off,
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}

/// What ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request and its response.
    Request,
    /// What followed after a switch of protocols.
    Tunnel,
}

/// All that a line says. What is `None` shows as `-` in text and is left out in JSON.
#[derive(Clone, Debug)]
pub struct AccessRecord<'a> {
    /// When the request or tunnel began.
    pub time: SystemTime,
    /// Request or tunnel.
    pub kind: Kind,
    /// Unique within this process.
    pub request_id: Option<&'a str>,
    /// Who asked.
    pub client: SocketAddr,
    /// Where it came in.
    pub listener: SocketAddr,
    /// `http/1.1`, `websocket`, or another that was switched to.
    pub protocol: &'a str,
    /// TLS version towards the client, e.g. `1.3`; none is plain.
    pub tls: Option<&'a str>,
    /// Server name that the client asked for.
    pub sni: Option<&'a str>,
    /// Request method.
    pub method: &'a str,
    /// Host as asked for.
    pub host: Option<&'a str>,
    /// Path and query.
    pub path: &'a str,
    /// Status sent to the client; none if the client was gone before.
    pub status: Option<u16>,
    /// From the start to the end.
    pub duration: Duration,
    /// From the start to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// Body or tunnel bytes from the client.
    pub bytes_in: u64,
    /// Body or tunnel bytes to the client.
    pub bytes_out: u64,
    /// Name of the route.
    pub route: Option<&'a str>,
    /// Name of the cluster.
    pub cluster: Option<&'a str>,
    /// URL of the endpoint.
    pub endpoint: Option<&'a str>,
    /// Endpoints tried.
    pub attempts: u32,
    /// Plugins that decided, joined with commas.
    pub plugins: Option<&'a str>,
    /// Generation that it ran under.
    pub generation: u64,
    /// Why it ended, when not in the ordinary way.
    pub ending: Option<&'a str>,
}

impl<'a> AccessRecord<'a> {
    /// A record with everything unknown but these.
    #[must_use]
    pub fn new(kind: Kind, time: SystemTime, client: SocketAddr, listener: SocketAddr) -> AccessRecord<'a> {
        AccessRecord {
            time,
            kind,
            request_id: None,
            client,
            listener,
            protocol: "http/1.1",
            tls: None,
            sni: None,
            method: "-",
            host: None,
            path: "-",
            status: None,
            duration: Duration::ZERO,
            first_byte: None,
            bytes_in: 0,
            bytes_out: 0,
            route: None,
            cluster: None,
            endpoint: None,
            attempts: 0,
            plugins: None,
            generation: 0,
            ending: None,
        }
    }
}

/// The open access log. Clones share it; the last one to go writes out what is pending, for at most a second.
#[derive(Clone, Debug)]
pub struct AccessLog {
    format: LineFormat,
    open: Option<Arc<Open>>,
}

#[derive(Debug)]
struct Open {
    path: Option<PathBuf>,
    writer: Writer,
}

impl AccessLog {
    /// Opens the target and starts its thread.
    ///
    /// # Errors
    /// If the file cannot be opened for appending, or no thread can be started.
    pub fn open(target: &AccessTarget, format: LineFormat) -> io::Result<Self> {
        let (path, sink): (_, writer::Sink) = match target {
            AccessTarget::Off => return Ok(Self { format, open: None }),
            AccessTarget::Stdout => (None, Box::new(io::stdout())),
            AccessTarget::File(path) => (Some(path.clone()), Box::new(append(path)?)),
        };
        Ok(Self { format, open: Some(Arc::new(Open { path, writer: Writer::start(sink)? })) })
    }

    /// Whether records are written at all; when not, they need not be made.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.open.is_some()
    }

    /// Writes one line.
    pub fn write(&self, record: &AccessRecord<'_>) {
        let Some(open) = &self.open else { return };
        let mut text = LINE.take();
        text.clear();
        line::format(&mut text, record, self.format);
        open.writer.push(text.as_bytes());
        LINE.set(text);
    }

    /// Opens the file anew, after it was moved away. Without a file nothing happens.
    ///
    /// # Errors
    /// If it cannot be opened; lines then go on to the old file.
    pub fn reopen(&self) -> io::Result<()> {
        let Some(open) = &self.open else { return Ok(()) };
        if let Some(path) = &open.path {
            open.writer.replace(Box::new(append(path)?));
        }
        Ok(())
    }

    /// Lines lost so far: the reader was too slow, or writing failed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.writer.dropped())
    }

    /// Adds the number of lost lines to a scrape.
    pub fn report(&self, samples: &mut Samples) {
        #[expect(clippy::cast_precision_loss, reason = "a metric's value is a float by format")]
        samples.add(&names::ACCESS_LINES_DROPPED, Vec::new(), self.dropped() as f64);
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests;
