//! What an operator writes.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_plugin::Config;

/// As written.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Header with the key.
    #[serde(default)]
    pub(crate) header: Option<String>,
    /// Parameter of the query with the key, where the header is not there.
    #[serde(default)]
    pub(crate) query: Option<String>,
    /// For each address without a key, or with one that is not listed.
    pub(crate) anonymous: Limit,
    /// By key.
    #[serde(default)]
    pub(crate) keys: BTreeMap<String, Limit>,
}

/// A bucket of tokens: a request takes one.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Requests a second; 0 gives none after the first `burst`.
    #[config(range = 0.0..=1_000_000.0)]
    pub(crate) rate: f64,
    /// How many may come at once.
    #[config(range = 1.0..=1_000_000.0)]
    pub(crate) burst: f64,
}
