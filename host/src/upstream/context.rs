//! What a new connection needs to know of its endpoint.

use std::sync::Arc;

use super::HeadLimits;
use crate::telemetry::Metrics;

/// Of which endpoint a connection is, how large a head it may send, and where that is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionContext<'a> {
    /// URL as configured.
    pub(super) url: &'a Arc<str>,
    pub(super) limits: HeadLimits,
    pub(super) metrics: &'a Arc<Metrics>,
}
