//! The configuration: as written, as used, and how one becomes the other.
//!
//! ```text
//! text ──▶ schema (serde, spans) ──▶ resolve (defaults, references, files) ──▶ Config
//!              └────────── report ──────────┘ ──▶ FileFaults: all of them, with line and remedy
//! ```

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
pub(crate) use defaults::LEAST_PLUGIN_MEMORY;
pub use defaults::{MOST_ANSWER_FIELDS, MOST_PLUGIN_MEMORY, MOST_STREAMS};
pub use membership::{Counting, Discover};
pub use model::*;
pub use pin::{NoPin, Pin};
pub(crate) use resolve::long_plugin_deadline;
pub use series::{BLANK, NoSeries, Series};
pub use signals::{
    HeartbeatConfig, HeartbeatField, MOST_SIGNALS, OrcaField, SignalConfig, SignalRequest, SignalSource,
};
pub use units::{ByteSize, HumanDuration, Number, UnitError, WholeNumber, show_duration};

use crate::diagnose::{FaultReport, FileFault, FileFaults};
use crate::files::{limit, read_text};

/// Reads and checks the configuration in `path`.
///
/// # Errors
/// Every fault that is found, or that the file cannot be read.
pub fn load(path: &Path) -> Result<Config, FileFaults> {
    match read_text(path, limit::CONFIGURATION) {
        Ok(text) => parse(&text, path),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            let fault = FileFault { file: path.to_owned(), position: None, message, hint: None };
            Err(FileFaults { faults: vec![fault] })
        }
    }
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
    let mut report = FaultReport::new(source, text);
    let file = schema::read(text, &mut report);
    if report.is_faulty() {
        // What could not be read would only look missing to what refers to it.
        return Err(report.finish().err().unwrap_or(FileFaults { faults: Vec::new() }));
    }
    let config = resolve::resolve(file, source, &mut report);
    report.finish().map(|warnings| Config { warnings, ..config })
}
