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
    /// What it looks things up in; not there if it has no `table`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableView>,
}

/// What a plugin looks things up in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableView {
    /// Path of its file.
    pub file: String,
    /// SHA-256 of what was read from it, hex.
    pub version: String,
    /// Keys.
    pub entries: usize,
    /// What it holds of memory.
    pub memory_bytes: usize,
    /// Since when that version is used, RFC 3339.
    pub since: String,
    /// How often another version has taken the place of one.
    pub swaps: u64,
    /// Why what is in the file now is not used, if it is not.
    pub last_refusal: Option<String>,
}
