//! Plugins that are loaded, and those that were refused.

use std::collections::BTreeMap;

use serde::Serialize;

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
