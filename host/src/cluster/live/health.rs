//! What an endpoint's failures, probes and responses amount to: one state.

use std::borrow::Cow;

use tokio::time::Instant;

use crate::telemetry::limited;

/// Whether an endpoint is given work, as far as traffic and probes have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing speaks against it.
    Healthy,
    /// It failed, and its pause is over: one connection tries it.
    Suspect,
    /// It failed, and is left alone for now.
    Paused,
    /// Its responses are worse than its cluster puts up with: the endpoint is left out for a while.
    Ejected,
    /// Probes say that it cannot take work.
    Unhealthy,
}

impl Health {
    /// Name for the admin API and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Suspect => "suspect",
            Self::Paused => "paused",
            Self::Ejected => "ejected",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// Whether it may be given work while others are there.
    #[must_use]
    pub fn admits(self) -> bool {
        matches!(self, Self::Healthy | Self::Suspect)
    }
}

/// A state of health, since when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// The state.
    pub health: Health,
    /// When it came to be.
    pub since: Instant,
    /// One line; none if it is healthy.
    pub reason: Option<Cow<'static, str>>,
}

/// A state of health that has just become another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HealthChange {
    pub(super) from: Health,
    pub(super) to: HealthReport,
}

impl HealthChange {
    /// Logs the change, as loud as it matters. A pause is logged by the lease that failed, with the error.
    pub(super) fn log(&self, cluster: &str, endpoint: &str) {
        let reason = self.to.reason.as_deref().unwrap_or_default();
        match (self.from, self.to.health) {
            (from, Health::Healthy) => {
                let was = from.as_str();
                limited!(info, of: (cluster, endpoint), cluster, endpoint, was, "endpoint is healthy again");
            }
            (_, to @ (Health::Unhealthy | Health::Ejected)) => {
                limited!(warn, of: (cluster, endpoint), cluster, endpoint, reason, "endpoint is {}", to.as_str());
            }
            (_, to) => tracing::debug!(cluster, endpoint, reason, "endpoint is {}", to.as_str()),
        }
    }
}
