//! `[[listen]]` as written.

use serde::Deserialize;
use toml::Spanned;

use super::{CountField, Size, Text, Time};

/// `[[listen]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenSection {
    pub(crate) address: Text,
    pub(crate) name: Option<Text>,
    pub(crate) protocol: Option<Text>,
    pub(crate) tls: Option<ServerTlsTable>,
    #[serde(default)]
    pub(crate) limits: LimitsTable,
    pub(crate) half_close: Option<bool>,
}

/// `tls = { … }` of a listener.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerTlsTable {
    pub(crate) certificate: Text,
    pub(crate) key: Text,
    #[serde(default)]
    pub(crate) more: Vec<MoreTable>,
    pub(crate) client_ca: Option<Text>,
    pub(crate) client_certificate: Option<Text>,
    pub(crate) min_version: Option<Text>,
    pub(crate) cipher_order: Option<Text>,
}

/// One more certificate, for these names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoreTable {
    pub(crate) names: Spanned<Vec<Text>>,
    pub(crate) certificate: Text,
    pub(crate) key: Text,
    pub(crate) client_ca: Option<Text>,
    pub(crate) client_certificate: Option<Text>,
}

/// `limits = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    pub(crate) connections: Option<CountField>,
    pub(crate) connections_per_client: Option<CountField>,
    pub(crate) head: Option<Size>,
    pub(crate) head_fields: Option<CountField>,
    pub(crate) head_timeout: Option<Time>,
    pub(crate) idle_timeout: Option<Time>,
    pub(crate) body_timeout: Option<Time>,
    pub(crate) linger: Option<Time>,
    pub(crate) linger_bytes: Option<Size>,
    pub(crate) streams: Option<CountField>,
}
