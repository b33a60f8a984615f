//! `signals` of a cluster, and `[heartbeat]`, as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Size, Text, Time};

/// `signals = { NAME = { … } }`
pub(crate) type SignalsTable = BTreeMap<Spanned<String>, Spanned<SignalTable>>;

/// Where a signal comes from: one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignalTable {
    pub(crate) json: Option<Text>,
    pub(crate) metric: Option<Text>,
    pub(crate) orca: Option<Text>,
    pub(crate) heartbeat: Option<Text>,
    pub(crate) push: Option<Spanned<bool>>,
    pub(crate) path: Option<Text>,
    pub(crate) interval: Option<Time>,
    pub(crate) limit: Option<Size>,
}

/// `[heartbeat]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeartbeatSection {
    pub(crate) listen: Text,
    pub(crate) allow: Option<Spanned<Vec<Text>>>,
}
