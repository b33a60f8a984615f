//! Generations, and whether one serves.

use serde::Serialize;

/// Whether new connections are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Sockets are bound, nothing is accepted yet.
    Starting,
    /// This generation serves.
    Serving(u64),
    /// Nothing new is accepted any more.
    Draining,
}

/// A generation that is or was live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GenerationView {
    /// Ascending. A rollback brings an earlier one back under its own number.
    pub id: u64,
    /// When it went live, RFC 3339.
    pub since: String,
    /// SHA-256 over the configuration and every file it names, hex.
    pub digest: String,
    /// What was different from the one before.
    pub changes: Vec<String>,
    /// Whether it serves.
    pub state: GenerationState,
}

/// Whether a generation serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerationState {
    /// New requests are decided by it.
    Live,
    /// It was live once.
    Retired,
}
