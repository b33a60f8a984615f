//! What a plugin prints while it is tried: the lines that a gateway's log would get, collected.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

/// PrintedLines that are kept. What prints in each call would fill the terminal.
const KEPT: usize = 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrintedLine {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// What was said, with its fields.
    pub text: String,
    /// How often.
    pub times: u64,
}

/// Does `work`, and collects what is logged about `plugin` meanwhile by this thread: the first lines, equal ones as one,
/// and how many more there were.
pub(super) fn collect<T>(plugin: &str, work: impl FnOnce() -> T) -> (T, Vec<PrintedLine>, usize) {
    let lines = Arc::new(Mutex::new(PrintedLines::default()));
    let collector = Collector { plugin: plugin.to_owned(), lines: Arc::clone(&lines) };
    let done = tracing::subscriber::with_default(Registry::default().with(collector), work);
    let PrintedLines { kept, more } = std::mem::take(&mut *lines.lock());
    (done, kept, more)
}

#[derive(Default)]
struct PrintedLines {
    kept: Vec<PrintedLine>,
    more: usize,
}

/// Takes the events that are about one plugin.
struct Collector {
    plugin: String,
    lines: Arc<Mutex<PrintedLines>>,
}

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut read = EventText::default();
        event.record(&mut read);
        if read.plugin.as_deref() != Some(&self.plugin) {
            return;
        }
        let mut lines = self.lines.lock();
        // Made-up endpoints and calls repeat themselves, and so does what is said of them.
        let line = PrintedLine { level: event.metadata().level().as_str().to_lowercase(), text: read.text(), times: 1 };
        if let Some(same) = lines.kept.iter_mut().find(|kept| kept.level == line.level && kept.text == line.text) {
            same.times += 1;
        } else if lines.kept.len() < KEPT {
            lines.kept.push(line);
        } else {
            lines.more += 1;
        }
    }
}

/// The message of an event, its fields, and the plugin that it is about.
#[derive(Default)]
struct EventText {
    plugin: Option<String>,
    message: String,
    fields: String,
}

impl EventText {
    fn text(self) -> String {
        self.message + &self.fields
    }

    fn take(&mut self, field: &Field, value: String) {
        match field.name() {
            "plugin" => self.plugin = Some(value),
            "message" => self.message = value,
            "role" => {}
            // A string takes all that is written to it.
            name => _ = write!(self.fields, " {name}={value}"),
        }
    }
}

impl Visit for EventText {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_the_plugin_are_kept_and_no_others() {
        let ((), lines, more) = collect("mine", || {
            tracing::debug!(plugin = "mine", role = "balancer", "first");
            tracing::info!(plugin = "other", "second");
            tracing::info!("third");
            for number in 0..KEPT {
                tracing::warn!(plugin = "mine", number, "again");
            }
        });

        assert_eq!(lines[0], PrintedLine { level: "debug".to_owned(), text: "first".to_owned(), times: 1 });
        assert_eq!(lines[1], PrintedLine { level: "warn".to_owned(), text: "again number=0".to_owned(), times: 1 });
        assert_eq!((lines.len(), more), (KEPT, 1));
    }

    #[test]
    fn equal_lines_are_one_with_their_number() {
        let ((), lines, more) = collect("mine", || {
            for _ in 0..50 {
                tracing::info!(plugin = "mine", "balances 64 endpoints");
                tracing::info!(plugin = "mine", "ready");
            }
        });

        let counted: Vec<_> = lines.iter().map(|line| (line.text.as_str(), line.times)).collect();
        assert_eq!((counted.as_slice(), more), (&[("balances 64 endpoints", 50), ("ready", 50)][..], 0));
    }
}
