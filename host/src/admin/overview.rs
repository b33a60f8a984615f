//! What the admin server needs from the gateway, and the shapes that it shows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::signals::{Push, PushRefused};
use crate::config::{Change, Edit, MemberChange};

/// The gateway as the admin server sees it. Everything is live: nothing is kept between two calls.
pub trait Overview: Send + Sync + 'static {
    /// Whether new connections are served.
    fn readiness(&self) -> Readiness;

    /// Every number, as scrapers read it.
    ///
    /// # Errors
    /// If the encoder fails.
    fn metrics(&self) -> Result<String, fmt::Error>;

    /// Every cluster in the order of the configuration, then those that are gone from it but hold tunnels.
    fn clusters(&self) -> Vec<ClusterView>;

    /// Every role of every plugin that is loaded, and plugins whose file was refused before any was loaded.
    fn plugins(&self) -> Vec<PluginView>;

    /// The last generations in the order in which they went live.
    fn generations(&self) -> Vec<GenerationView>;

    /// Takes what an endpoint of `cluster` reports about itself. Returns how many signals were taken.
    ///
    /// # Errors
    /// [`PushRefused`]: nothing was taken.
    fn push(&self, cluster: &str, push: &Push) -> Result<usize, PushRefused>;

    /// Reads the configuration and everything it names anew. Blocks: plugins may have to be compiled.
    ///
    /// # Errors
    /// [`Refused`]: nothing has changed.
    fn reload(&self) -> Result<GenerationView, Refused>;

    /// Returns to the generation before. Blocks.
    ///
    /// # Errors
    /// [`Refused`]: nothing has changed.
    fn rollback(&self) -> Result<GenerationView, Refused>;

    /// Changes members of `cluster`. Blocks.
    ///
    /// # Errors
    /// [`Refused`]: nothing has changed.
    fn change(&self, cluster: &str, edit: &Edit) -> Result<ChangedView, Refused>;

    /// Takes every runtime change back. Blocks.
    ///
    /// # Errors
    /// [`Refused`]: nothing has changed.
    fn undo(&self) -> Result<ChangedView, Refused>;

    /// Forgets the failures of the endpoint at `url`, or of all of `cluster`.
    ///
    /// # Errors
    /// [`Refused`]: there is no such cluster or endpoint.
    fn reset(&self, cluster: &str, url: Option<&str>) -> Result<ResetView, Refused>;

    /// What runs besides what the file says.
    fn changes(&self) -> ChangesView;

    /// Folder that relative paths start from.
    fn folder(&self) -> PathBuf;
}

/// A change of members that was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangedView {
    /// The generation that serves now.
    pub generation: u64,
    /// Whether it survives a restart.
    pub persisted: bool,
    /// Each member that is different; none if nothing was.
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
    /// File that keeps changes over restarts; none forgets them.
    pub persist: Option<String>,
    /// Each change.
    pub changes: Vec<Change>,
    /// Those that were given up when the file was read last.
    pub dropped: Vec<DroppedView>,
}

/// A change that was given up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DroppedView {
    /// Whose.
    pub cluster: String,
    /// Which.
    pub endpoint: String,
    /// `added`, `removed`, `state drain`
    pub change: String,
    /// For people.
    pub why: &'static str,
}

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

/// One cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterView {
    /// As configured.
    pub name: String,
    /// Its balancer; none if the cluster is no longer configured.
    pub balancer: Option<String>,
    /// In the order of the configuration, removed ones last.
    pub endpoints: Vec<EndpointView>,
}

/// One endpoint of one cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointView {
    /// As configured, normalised; an address of a name has that address here.
    pub url: String,
    /// URL of the endpoint by whose name it was found; none if it is configured itself.
    pub found_by: Option<String>,
    /// `ready`, `drain`, `maint`, `spare`, `standby`; or `removed`: no longer configured, but it holds tunnels.
    pub state: &'static str,
    /// `healthy`, `unhealthy` or `suspect`.
    pub health: &'static str,
    /// Load factor, 1.0 is normal; none if removed.
    pub weight: Option<f64>,
    /// Lower groups first; none if removed.
    pub group: Option<u32>,
    /// Requests and tunnels that it holds now, over all generations.
    pub in_flight: u32,
    /// Times it was chosen.
    pub picks: u64,
    /// Towards it.
    pub bytes_sent: u64,
    /// From it.
    pub bytes_received: u64,
    /// Failed connects and broken exchanges.
    pub failures: u64,
    /// Smoothed time from choice to first byte in microseconds; none before the first.
    pub latency_us: Option<f64>,
    /// What it reports about itself, by the name of the signal; not there if its cluster has none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub signals: BTreeMap<String, SignalView>,
}

/// A number that an endpoint reports about itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalView {
    /// The last that was reported; none if nothing was.
    pub value: Option<f64>,
    /// How long ago that was, in milliseconds.
    pub age_ms: Option<u64>,
    /// Whether it counts still.
    pub fresh: bool,
}

/// One role of one loaded plugin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PluginView {
    /// As configured.
    pub name: String,
    /// What it decides; none, as below, if no file of this name was ever good enough to be loaded.
    pub role: Option<&'static str>,
    /// Path of its file, or `shipped`.
    pub file: Option<String>,
    /// SHA-256 of the file, hex.
    pub digest: Option<String>,
    /// The latest generation that uses it.
    pub generation: Option<u64>,
    /// Instances that run now.
    pub instances: usize,
    /// Calls so far, failed ones included.
    pub calls: u64,
    /// Faults so far, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Mean time of a call in nanoseconds, from one call in 64; none before the first.
    pub time_per_call_ns: Option<u64>,
    /// Clusters or workers where it is put aside after repeated faults.
    pub aside: usize,
    /// The last fault, in words.
    pub last_fault: Option<String>,
    /// Why the latest file of this name was refused, if it was.
    pub last_refusal: Option<String>,
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

/// A reload or rollback that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no earlier generation.
    NoEarlier,
    /// What it is about is not there; what is.
    Unknown {
        /// What is missing.
        error: String,
        /// What there is.
        known: Vec<String>,
    },
    /// It cannot be; and the remedy.
    Conflict {
        /// Why.
        error: String,
        /// What to do.
        hint: Option<&'static str>,
    },
    /// The system did not let it be done.
    Failed(String),
    /// What would have to be mended; at least one.
    Faults(Vec<Fault>),
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where and what.
    pub message: String,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}
