//! Runtime changes of members: one that was made, and all that hold.

use serde::Serialize;

use crate::config::{Change, MemberChange};

/// A change of members that was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangedView {
    /// The generation that serves now.
    pub generation: u64,
    /// Whether it survives a restart.
    pub persisted: bool,
    /// Each member that is different; empty if everything was so already.
    pub changed: Vec<MemberChange>,
}

/// Endpoints whose failures were forgotten.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResetView {
    /// The generation that serves now; a reset makes none.
    pub generation: u64,
    /// Each of them.
    pub reset: Vec<ResetEndpoint>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResetEndpoint {
    /// Its URL.
    pub endpoint: String,
    /// Its health before.
    pub before: &'static str,
    /// Its health now.
    pub after: &'static str,
}

/// What runs besides what the file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangesView {
    /// File that keeps changes over restarts; without one, a restart forgets them.
    pub persist: Option<String>,
    /// Each change.
    pub changes: Vec<Change>,
    /// Those that were given up when the file was read last.
    pub dropped: Vec<DroppedView>,
}

/// A change that was given up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DroppedView {
    /// Cluster of the endpoint.
    pub cluster: String,
    /// URL of the endpoint.
    pub endpoint: String,
    /// `added`, `removed`, `state drain`
    pub change: String,
    /// For people.
    pub why: &'static str,
}
