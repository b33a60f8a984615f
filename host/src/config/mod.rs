//! The configuration: as written, as used, and how one becomes the other.
//!
//! ```text
//! text ──▶ schema (serde, spans) ──▶ resolve (defaults, references, files) ──▶ Config
//!              └────────── report ──────────┘ ──▶ FileFaults: all of them, with line and remedy
//! ```

mod absent;
mod changes;
mod defaults;
mod files;
mod membership;
mod model;
mod pin;
mod resolve;
mod schema;
mod series;
mod signals;
mod units;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use changes::{
    Applied, Change, ChangeError, ChangeFault, Changes, ChangesFileError, Dropped, Edit, EndpointChange, MemberChange,
    Said, Settings,
};
pub(crate) use defaults::{CLOSED_PER_SECOND, CLOSING, LEAST_PLUGIN_MEMORY};
pub use defaults::{MOST_ANSWER_FIELDS, MOST_PLUGIN_MEMORY, MOST_STREAMS};
pub use membership::{Counting, Discover};
pub use model::*;
pub use pin::{NoPin, Pin};
use resolve::AbsentFiles;
pub(crate) use resolve::long_plugin_deadline;
pub use series::{BLANK, NoSeries, Series};
pub use signals::{
    HeartbeatConfig, HeartbeatField, MOST_SIGNALS, OrcaField, SignalConfig, SignalRequest, SignalSource,
};
pub use units::{ByteSize, DurationOrOff, HumanDuration, Number, UnitError, WholeNumber, show_duration};

use crate::diagnose::{FaultReport, FileFault, FileFaults};
use crate::files::{limit, read_text};

/// Reads and checks the configuration in `path`.
///
/// # Errors
/// Every fault that is found, or that the file cannot be read.
pub fn load(path: &Path) -> Result<Config, FileFaults> {
    parse(&text(path)?, path)
}

/// As [`load`], on a machine that lacks certificates, keys, authorities, error pages or the admin token, or may not read
/// them: each is a warning, and what is made of it is left out.
///
/// # Errors
/// As [`load`].
pub fn load_without_files(path: &Path) -> Result<Config, FileFaults> {
    parse_without_files(&text(path)?, path)
}

/// As [`parse`], without files as [`load_without_files`].
///
/// # Errors
/// As [`parse`].
pub fn parse_without_files(text: &str, source: &Path) -> Result<Config, FileFaults> {
    checked(text, source, AbsentFiles::Warning).map(Config::without_absent_files)
}

fn text(path: &Path) -> Result<String, FileFaults> {
    read_text(path, limit::CONFIGURATION).map_err(|error| {
        let message = format!("cannot be read: {error}");
        FileFaults { faults: vec![FileFault { file: path.to_owned(), position: None, message, hint: None }] }
    })
}

/// The endpoint at `url`, with every default.
///
/// # Errors
/// What is wrong with the URL.
pub fn parse_endpoint(url: &str) -> Result<EndpointConfig, ChangeFault> {
    resolve::endpoint_from(url, Path::new("")).map_err(|bad| ChangeFault { message: bad.message, hint: bad.hint })
}

/// Checks a configuration. `source` is the file it came from: messages name it, and relative paths start from its
/// folder, where the files that are mentioned must exist.
///
/// # Errors
/// Every fault that is found.
pub fn parse(text: &str, source: &Path) -> Result<Config, FileFaults> {
    checked(text, source, AbsentFiles::Fault)
}

fn checked(text: &str, source: &Path, absent: AbsentFiles) -> Result<Config, FileFaults> {
    let mut report = FaultReport::new(source, text);
    let file = schema::read(text, &mut report);
    if report.is_faulty() {
        // What could not be read would only look missing to what refers to it.
        return Err(report.finish().err().unwrap_or(FileFaults { faults: Vec::new() }));
    }
    let config = resolve::resolve(file, source, absent, &mut report);
    report.finish().map(|warnings| Config { warnings, ..config })
}
