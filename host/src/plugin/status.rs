//! Live numbers about plugins, for whoever shows them.

use std::time::Duration;

use super::role::RoleName;

/// Calls between two that are timed.
pub(super) const SAMPLE: u64 = 64;

/// One role of one loaded plugin, at one moment.
#[derive(Clone, Debug)]
pub struct RoleStatus {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// What it decides.
    pub role: RoleName,
    /// SHA-256 of its file, hex.
    pub digest: String,
    /// Calls so far, failed ones included.
    pub calls: u64,
    /// Estimate of the time spent in calls, nanoseconds: one call in 64 is timed.
    pub nanos: u64,
    /// Calls that were timed.
    pub timed: u64,
    /// Faults so far, by kind.
    pub faults: Vec<(&'static str, u64)>,
    /// Instances that run now.
    pub instances: usize,
    /// The most bytes that one instance has held so far, those of self-tests among them.
    pub memory: usize,
    /// How often an instance was denied more memory or table elements so far.
    pub denials: u64,
    /// What the latest instance took that was the first of its slot, from instantiation to the end of `configure`.
    pub started: Duration,
    /// Fuel that instances had used when they ended; 0 unless the runtime is a metered one, which a gateway's is not.
    pub fuel: u64,
    /// Slots (clusters or workers) whose circuit is open after repeated faults: the plugin decides nothing there.
    pub open_circuits: usize,
    /// Slots where it gets no feedback after repeated faults in feedback; its picks go on.
    pub open_feedback: usize,
    /// The last fault, in words.
    pub last_fault: Option<String>,
}

impl RoleStatus {
    /// Mean time of a call in nanoseconds; none before the first.
    #[must_use]
    pub fn nanos_per_call(&self) -> Option<u64> {
        (self.nanos / SAMPLE).checked_div(self.timed)
    }
}

/// The last refusal of a file for a plugin name.
#[derive(Clone, Debug)]
pub struct LastRefusal {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// Why, in words.
    pub reason: String,
}

/// What all artifacts of one plugin name, gone ones included, have counted in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTotals {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// What it decides.
    pub role: RoleName,
    /// Calls so far, failed ones included.
    pub calls: u64,
    /// Estimate of the time spent in calls, nanoseconds.
    pub nanos: u64,
    /// Faults so far, by kind.
    pub faults: Vec<(&'static str, u64)>,
}
