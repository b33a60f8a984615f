//! `[[route]]` as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{CountField, Text, TimeoutsTable};

/// `[[route]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteSection {
    pub(crate) path: Option<Text>,
    pub(crate) path_regex: Option<Text>,
    pub(crate) hosts: Option<Spanned<Vec<Text>>>,
    pub(crate) to: Option<Text>,
    pub(crate) respond: Option<Spanned<RespondTable>>,
    pub(crate) redirect: Option<Spanned<RedirectTable>>,
    pub(crate) plugins: Option<Spanned<Vec<Text>>>,
    pub(crate) reverse: Option<bool>,
    pub(crate) upgrade: Option<Vec<Text>>,
    pub(crate) preserve_host: Option<bool>,
    #[serde(default)]
    pub(crate) timeouts: TimeoutsTable,
    #[serde(default)]
    pub(crate) request_headers: HeaderTable,
    #[serde(default)]
    pub(crate) response_headers: HeaderTable,
}

/// `request_headers = { … }` and `response_headers = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderTable {
    #[serde(default)]
    pub(crate) set: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(crate) remove: Vec<Text>,
}

/// `respond = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RespondTable {
    pub(crate) status: CountField,
    pub(crate) body: Option<Text>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<Text, Text>,
}

/// `redirect = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedirectTable {
    pub(crate) to: Text,
    pub(crate) status: Option<CountField>,
}
