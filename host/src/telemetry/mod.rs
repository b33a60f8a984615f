//! Tracing, metrics, access log.
//!
//! ```text
//! tracing events ──▶ log     ──▶ stderr             (written by a thread)
//! AccessRecord   ──▶ access  ──▶ stdout | file      (by another)
//! Counter, Gauge ──▶ metrics ──▶ exposition         (summed over workers at scrape)
//! ```

pub mod access;
#[cfg(test)]
pub(crate) mod captured;
mod counters;
pub mod date;
mod exposition;
pub mod filter;
mod limiter;
pub mod log;
mod metrics;
pub mod names;
pub mod process;
mod samples;
mod writer;

pub use access::{AccessEnding, AccessKind, AccessLog, AccessRecord, AccessTarget};
pub use counters::{Counter, FloodKind, Gauge, RequestProtocol};
pub use exposition::CONTENT_TYPE;
pub use limiter::{Admitted, Limiter};
pub(crate) use limiter::{level_enabled, limited};
pub use log::LogError;
pub use metrics::{GaugeGuard, Metrics};
pub use samples::{Labels, SampledSizes, Samples};

/// How lines of the log and of the access log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LineFormat {
    /// For people: `key=value`, strings in quotes.
    #[default]
    Text,
    /// For machines: one JSON object per line.
    Json,
}
