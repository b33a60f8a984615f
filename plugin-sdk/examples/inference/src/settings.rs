//! What an operator writes.

use serde::Deserialize;
use tidegate_plugin::Config;

/// As written.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Bytes of a body that are looked at; prompts that differ later are alike.
    #[config(range = 64..=262_144)]
    pub(crate) bytes: u32,
    /// Bytes of a block. The block of an engine's cache is of tokens, of which one is some four bytes.
    #[config(range = 64..=65_536)]
    pub(crate) block: u32,
    /// Blocks that are remembered of each endpoint: about what its cache holds.
    #[config(range = 2..=100_000)]
    pub(crate) remembered: u32,
    /// Units by which an endpoint may be busier than the least busy one and still get what it has had. A prompt's unit is a
    /// block that its endpoint has not had.
    #[config(range = 0..=1_000_000)]
    pub(crate) slack: u32,
    /// Requests that wait in an endpoint's own queue, by its signal `waiting`, from which on it gets no more than it must.
    #[config(range = 1..=1_000_000)]
    pub(crate) waiting: u32,
    /// Use of an endpoint's cache, by its signal `cache`, in per cent, from which on it is the same.
    #[config(range = 1..=100)]
    pub(crate) cache: u32,
    /// Refuse with 429 where all endpoints are so full.
    pub(crate) refuse: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bytes: 262_144, block: 2048, remembered: 5000, slack: 64, waiting: 16, cache: 95, refuse: false }
    }
}
