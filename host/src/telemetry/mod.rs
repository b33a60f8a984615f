//! Tracing, metrics, access log.
//!
//! ```text
//! tracing events ──▶ log     ──▶ stderr
//! AccessRecord   ──▶ access  ──▶ stdout | file      (written by a thread of its own)
//! Counter, Gauge ──▶ metrics ──▶ exposition         (summed over workers at scrape)
//! ```

pub mod access;
pub mod clock;
mod exposition;
pub mod log;
mod metrics;
pub mod names;
pub mod process;

pub use access::{AccessLog, AccessRecord, AccessTarget, Kind};
pub use exposition::{CONTENT_TYPE, Samples};
pub use log::{LogError, LogHandle};
pub use metrics::{Held, Metrics};
pub use names::{Counter, Gauge};

/// How lines of the log and of the access log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LineFormat {
    /// For people: `key=value`, strings in quotes.
    #[default]
    Text,
    /// For machines: one JSON object per line.
    Json,
}
