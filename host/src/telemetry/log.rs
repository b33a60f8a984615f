//! The log: `tracing` events to standard error, written by a thread of its own.
//!
//! Whoever has something to say never waits for who reads it. When the reader does not keep up, lines are dropped and
//! counted.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{self, DefaultFields};
use tracing_subscriber::fmt::{self, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::filter::{FilterError, LogFilter};
use super::writer::{LAST_WAIT, Writer, WriterPlan, standard};
use super::{LineFormat, Samples, names};
use crate::text::{self, Printable};

/// Why the log did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The filter is wrong.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The system gives no thread or no descriptor.
    #[error("the log cannot be written: {0}")]
    Thread(#[source] io::Error),
    /// A log has been started before.
    #[error("a log is already set for this process")]
    AlreadySet,
}

/// The one log of the process.
static WRITER: OnceLock<Writer> = OnceLock::new();

/// Longest wait of a panic for its line to be written: the process may be about to end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Starts the log for the whole process.
///
/// # Errors
/// If the filter is wrong, no thread can be started, or a log is already set: then nothing changes.
pub fn init(filter: &str, format: LineFormat) -> Result<(), LogError> {
    let filter = LogFilter::parse(filter)?;
    // What cannot be written is counted; the layer's own complaint would go the same way.
    let lines = fmt::layer().with_writer(move || Lines(format)).log_internal_errors(false);
    let lines = match format {
        LineFormat::Text => lines.with_ansi(io::stderr().is_terminal()).fmt_fields(Shown::default()).boxed(),
        LineFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    };
    let sink = standard(&io::stderr()).map_err(LogError::Thread)?;
    let plan = WriterPlan { name: "log", sink, reopen: None, gather: Duration::ZERO };
    let writer = Writer::start(plan).map_err(LogError::Thread)?;
    let subscriber = Registry::default().with(lines.with_filter(filter.start()));
    subscriber.try_init().map_err(|_| LogError::AlreadySet)?;
    WRITER.set(writer).map_err(|_| LogError::AlreadySet)
}

/// Makes panics lines of the log: the library's own line would wait for who reads standard error.
pub fn take_panics() {
    std::panic::set_hook(Box::new(panicked));
}

/// Waits until every line so far is written, for at most a second: the last thing that a process does.
pub fn flush() {
    if let Some(writer) = WRITER.get() {
        writer.flush(LAST_WAIT);
    }
}

/// Adds the number of lost lines to a scrape.
pub fn report(samples: &mut Samples) {
    let dropped = WRITER.get().map_or(0, Writer::dropped);
    #[expect(clippy::cast_precision_loss, reason = "a metric's value is a float by format")]
    samples.add(&names::LOG_LINES_DROPPED, Vec::new(), dropped as f64);
}

/// Tells of a panic, where the process may go on or end.
fn panicked(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload_as_str().unwrap_or("with a value that is no text");
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(thread, at, backtrace, "panicked: {why}");
    } else if let Some(writer) = WRITER.get() {
        // No level hides it.
        writer.push(format!("thread {thread} panicked at {at}: {}\n", text::printable(why)).as_bytes());
    }
    if let Some(writer) = WRITER.get() {
        writer.flush(LAST_WORDS);
    }
}

/// Takes one event after the other, each in one piece.
struct Lines(LineFormat);

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if let Some(writer) = WRITER.get() {
            match (self.0, std::str::from_utf8(event)) {
                (LineFormat::Json, Ok(json)) if json.contains(|c: char| text::is_unseen(c) && c != '\n') => {
                    let mut shown = String::with_capacity(json.len().saturating_mul(2));
                    text::push_json(&mut shown, json);
                    writer.push(shown.as_bytes());
                }
                _ => writer.push(event),
            }
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fields and message as the library writes them, and everything unseen in them shown.
#[derive(Default)]
struct Shown(DefaultFields);

impl<'w> FormatFields<'w> for Shown {
    fn format_fields<R: RecordFields>(&self, mut writer: format::Writer<'w>, fields: R) -> std::fmt::Result {
        self.0.format_fields(format::Writer::new(&mut Printable(&mut writer)), fields)
    }
}

/// Says whether a filter would be taken, e.g. for `tidegate check`.
///
/// # Errors
/// What is wrong with it.
pub fn check(filter: &str) -> Result<(), FilterError> {
    LogFilter::parse(filter).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_is_refused() {
        let _first = init("error", LineFormat::Json);
        let second = init("error", LineFormat::Text);

        assert!(matches!(second, Err(LogError::AlreadySet)));
    }
}
