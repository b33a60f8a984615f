//! The log: `tracing` events to standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use super::LineFormat;

/// What the platform's certificate verifier logs as an error for every failed handshake is told once by us, with the
/// endpoint's name.
const QUIET: &str = "rustls_platform_verifier=off";

/// Why the log did not start or change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The filter has a word that is neither a level nor `target=level`.
    #[error("unknown log level `{word}` (expected trace, debug, info, warn, error or off, or TARGET=LEVEL)")]
    Level {
        /// As written.
        word: String,
    },
    /// The filter cannot be read.
    #[error("log level `{filter}` cannot be read")]
    Filter {
        /// As written.
        filter: String,
        /// What is wrong.
        #[source]
        source: ParseError,
    },
    /// Somebody was first.
    #[error("a log is already set for this process")]
    AlreadySet,
    /// The log is gone.
    #[error("the log has ended")]
    Ended,
}

/// The running log; changes its level.
#[derive(Clone, Debug)]
pub struct LogHandle {
    filter: reload::Handle<EnvFilter, Registry>,
}

impl LogHandle {
    /// Replaces the filter; the old one stays if the new one is wrong.
    ///
    /// # Errors
    /// [`LogError::Level`] or [`LogError::Filter`].
    pub fn set_level(&self, filter: &str) -> Result<(), LogError> {
        self.filter.reload(parse(filter)?).map_err(|_| LogError::Ended)
    }
}

/// Starts the log for the whole process.
///
/// # Errors
/// If the filter is wrong, or a log is already set: then nothing changes.
pub fn init(filter: &str, format: LineFormat) -> Result<LogHandle, LogError> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    // A closed standard error must not end the process: the layer's own complaint would panic there.
    let lines = fmt::layer().with_writer(io::stderr).log_internal_errors(false);
    let lines = match format {
        LineFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LineFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    };
    Registry::default().with(filter).with(lines).try_init().map_err(|_| LogError::AlreadySet)?;
    Ok(LogHandle { filter: handle })
}

/// Says whether a filter would be taken, e.g. for `tidegate check`.
///
/// # Errors
/// As [`init`].
pub fn check(filter: &str) -> Result<(), LogError> {
    parse(filter).map(drop)
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    let words = filter.split(',').map(str::trim).filter(|word| !word.is_empty());
    // A lone word is a target to `tracing`, so a misspelt level would silence everything.
    if let Some(word) = words.clone().find(|word| {
        word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && word.parse::<LevelFilter>().is_err()
    }) {
        return Err(LogError::Level { word: word.to_owned() });
    }
    let quieted = words.clone().any(|word| word.starts_with("rustls_platform_verifier"));
    let full = if quieted { filter.to_owned() } else { format!("{QUIET},{filter}") };
    EnvFilter::try_new(full).map_err(|source| LogError::Filter { filter: filter.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_are_taken() {
        for filter in ["info", "WARN", "off", "info,tidegate::proxy=debug", "tidegate=trace", ""] {
            assert!(check(filter).is_ok(), "{filter} is a filter");
        }
    }

    #[test]
    fn misspelt_level_is_refused_by_name() {
        let error = check("warning,tidegate=debug").unwrap_err();

        assert!(error.to_string().contains("`warning`"), "{error}");
        assert!(matches!(check("tidegate=loud"), Err(LogError::Filter { .. })));
    }

    #[test]
    fn second_start_is_refused_and_level_can_change() {
        let first = init("error", LineFormat::Json);
        let second = init("error", LineFormat::Text);

        assert!(matches!(second, Err(LogError::AlreadySet)));
        if let Ok(handle) = first {
            assert!(handle.set_level("loud").is_err());
            assert!(handle.set_level("warn,tidegate=error").is_ok());
        }
    }
}
