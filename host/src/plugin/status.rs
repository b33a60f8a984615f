//! Live numbers about plugins, for whoever shows them.

use std::time::Duration;

use super::role::RoleName;

/// Calls between two that are timed.
pub(super) const SAMPLE: u64 = 64;

/// Upper bounds of what is observed: two for each power of ten. No unit fits all plugins: a microsecond in seconds and a
/// gigabyte in bytes have to find their place.
pub const OBSERVATION_BOUNDS: [f64; 31] = [
    1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 1e1, 3e1, 1e2, 3e2, 1e3, 3e3,
    1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9,
];

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

/// What a plugin measures itself.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginMeasured {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// Its series, at most 64.
    pub series: Vec<MeasuredSeries>,
    /// Measurements that were not kept: of one series too many, or under too long a label.
    pub dropped: u64,
}

/// A series that a plugin measures itself.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredSeries {
    /// As the plugin calls it: of a-z, 0-9 and `_`.
    pub name: String,
    /// What tells series of one name apart, as the plugin says it; all that is unseen is written out.
    pub label: String,
    /// What was measured.
    pub value: MeasuredValue,
}

/// What a plugin has measured under one name and label.
#[derive(Clone, Debug, PartialEq)]
pub enum MeasuredValue {
    /// The sum of what was counted.
    Count(f64),
    /// The latest level.
    Level(f64),
    /// What was observed, by size.
    Sizes {
        /// Of all values.
        sum: f64,
        /// How many were at most each of [`OBSERVATION_BOUNDS`] and above the one before; and
        /// how many were above the last.
        counts: Box<[u64; OBSERVATION_BOUNDS.len() + 1]>,
    },
}
