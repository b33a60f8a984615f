//! Every metric: its name, help and labels, in one file for each noun. Counters get `_total` when they are written out.

mod balancing;
mod connections;
mod endpoints;
mod generations;
mod http2;
mod plugins;
mod process;
mod requests;
mod tunnels;

pub use balancing::*;
pub use connections::*;
pub use endpoints::*;
pub use generations::*;
pub use http2::*;
pub use plugins::*;
pub use process::*;
pub use requests::*;
pub use tunnels::*;

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// A metric as scrapers see it; its series differ in labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// With the unit at the end, without `_total`.
    pub name: &'static str,
    /// One sentence, without a full stop.
    pub help: &'static str,
    /// How it moves.
    pub kind: MetricKind,
}

impl Family {
    /// One that only goes up.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricKind::Counter }
    }

    /// One that goes up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricKind::Gauge }
    }

    const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricKind::Histogram }
    }
}
