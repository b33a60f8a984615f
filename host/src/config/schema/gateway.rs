//! `[gateway]`, `[admin]` and `[log]` as written.

use serde::Deserialize;
use toml::Spanned;

use super::{CountField, ErrorPagesTable, Text, Time, TimeOrOff};

/// `[gateway]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewaySection {
    pub(crate) workers: Option<CountField>,
    pub(crate) drain: Option<Time>,
    pub(crate) drain_spread: Option<Time>,
    pub(crate) cache: Option<Text>,
    #[serde(default)]
    pub(crate) timeouts: TimeoutsTable,
    #[serde(default)]
    pub(crate) forwarded: ForwardedTable,
    pub(crate) error_pages: Option<Spanned<ErrorPagesTable>>,
    #[serde(default)]
    pub(crate) resolver: Vec<Text>,
}

/// `timeouts = { … }`, the same wherever it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeoutsTable {
    pub(crate) connect: Option<Time>,
    pub(crate) response: Option<Time>,
    pub(crate) tunnel_idle: Option<Time>,
    pub(crate) tunnel_ping: Option<TimeOrOff>,
}

/// `forwarded = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForwardedTable {
    pub(crate) x_forwarded: Option<bool>,
    pub(crate) forwarded: Option<bool>,
    #[serde(default)]
    pub(crate) trusted: Vec<Text>,
    pub(crate) underscores: Option<Text>,
}

/// `[admin]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminSection {
    pub(crate) address: Text,
    pub(crate) token_file: Option<Text>,
    pub(crate) persist: Option<Text>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogSection {
    pub(crate) level: Option<Text>,
    pub(crate) format: Option<Text>,
    pub(crate) access: Option<Text>,
}
