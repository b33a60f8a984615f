//! The access log: one line for each request and each tunnel.
//!
//! ```text
//! worker: AccessRecord ──▶ line (buffer of the thread) ──▶ pending bytes │ thread: ──▶ stdout | file
//! ```
//!
//! A worker pays for the formatting and a short copy; it never waits for a disk or a pipe. When the reader does not
//! keep up, lines are dropped and counted.

mod ending;
mod line;
mod record;

use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::writer::{Reopen, Sink, Writer, WriterPlan};
use super::{LineFormat, Samples, names};
use crate::files;

pub use ending::AccessEnding;
pub use record::{AccessKind, AccessRecord};

/// How long lines are gathered, so that a busy gateway pays one system call for many.
const GATHER: Duration = Duration::from_millis(10);

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

/// The open access log. Clones share it; the last one to go writes out what is pending, for at most a second.
#[derive(Clone, Debug)]
pub struct AccessLog {
    format: LineFormat,
    writer: Option<Arc<Writer>>,
}

impl AccessLog {
    /// Opens the target and starts its thread. A FIFO needs no reader for that.
    ///
    /// # Errors
    /// If the file cannot be opened for appending, or no thread can be started.
    pub fn open(target: &AccessTarget, format: LineFormat) -> io::Result<Self> {
        let (sink, reopen): (Sink, Option<Reopen>) = match target {
            AccessTarget::Off => return Ok(Self { format, writer: None }),
            AccessTarget::Stdout => (super::writer::standard(&io::stdout())?, None),
            AccessTarget::File(path) => {
                let path = path.clone();
                let open = move || Ok(Box::new(files::append(&path)?) as Sink);
                (open()?, Some(Box::new(open)))
            }
        };
        let writer = Writer::start(WriterPlan { name: "access-log", sink, reopen, gather: GATHER })?;
        Ok(Self { format, writer: Some(Arc::new(writer)) })
    }

    /// Whether records are written at all; when not, they need not be made.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.writer.is_some()
    }

    /// Writes one line.
    pub fn write(&self, record: &AccessRecord<'_>) {
        let Some(writer) = &self.writer else { return };
        let mut text = LINE.take();
        text.clear();
        line::format(&mut text, record, self.format);
        writer.push(text.as_bytes());
        LINE.set(text);
    }

    /// Opens the file anew, after it was moved away. Without a file nothing happens. It is the thread that opens it: if
    /// that fails, the log says so, and lines go on to the old file.
    pub fn reopen(&self) {
        if let Some(writer) = &self.writer {
            writer.reopen();
        }
    }

    /// Lines lost so far: the reader was too slow, or writing failed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.writer.as_ref().map_or(0, |writer| writer.dropped())
    }

    /// Adds the number of lost lines to a scrape.
    pub fn report(&self, samples: &mut Samples) {
        #[expect(clippy::cast_precision_loss, reason = "a metric's value is a float by format")]
        samples.add(&names::ACCESS_LINES_DROPPED, Vec::new(), self.dropped() as f64);
    }
}

#[cfg(test)]
mod tests;
