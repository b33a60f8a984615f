//! `[[route]]` as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{CountField, ErrorPagesTable, ReverseEntry, Text, Time, TimeoutsTable, WhenTable};

/// `[[route]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteSection {
    pub(crate) path: Option<Text>,
    pub(crate) path_regex: Option<Text>,
    pub(crate) hosts: Option<Spanned<Vec<Text>>>,
    pub(crate) listen: Option<Spanned<Vec<Text>>>,
    pub(crate) scheme: Option<Text>,
    pub(crate) when: Option<Spanned<WhenTable>>,
    pub(crate) to: Option<Text>,
    pub(crate) respond: Option<Spanned<RespondTable>>,
    pub(crate) redirect: Option<Spanned<RedirectTable>>,
    pub(crate) plugins: Option<Spanned<Vec<Text>>>,
    pub(crate) reverse: Option<Spanned<ReverseEntry>>,
    pub(crate) upgrade: Option<Vec<Text>>,
    pub(crate) preserve_host: Option<bool>,
    pub(crate) allow: Option<Spanned<Vec<Text>>>,
    pub(crate) deny: Option<Spanned<Vec<Text>>>,
    pub(crate) origins: Option<Spanned<Vec<Text>>>,
    pub(crate) basic_auth: Option<Spanned<BasicAuthTable>>,
    pub(crate) forward_auth: Option<Spanned<ForwardAuthTable>>,
    pub(crate) error_pages: Option<Spanned<ErrorPagesTable>>,
    #[serde(default)]
    pub(crate) timeouts: TimeoutsTable,
    #[serde(default)]
    pub(crate) request_headers: HeaderTable,
    #[serde(default)]
    pub(crate) response_headers: HeaderTable,
}

/// `basic_auth = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicAuthTable {
    pub(crate) file: Text,
    pub(crate) realm: Option<Text>,
    pub(crate) users: Option<Spanned<Vec<Text>>>,
}

/// `request_headers = { … }` and `response_headers = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderTable {
    #[serde(default)]
    pub(crate) set: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(crate) append: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(crate) set_if_absent: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(crate) remove: Vec<Text>,
}

impl HeaderTable {
    /// Names of all fields that may get a value, whichever way.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Text> {
        self.values().map(|(name, _)| name)
    }

    /// All values that fields may get, with the names of these, whichever way.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.set.iter().chain(&self.append).chain(&self.set_if_absent)
    }
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

/// `forward_auth = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForwardAuthTable {
    pub(crate) cluster: Text,
    pub(crate) path: Text,
    #[serde(default)]
    pub(crate) headers: Vec<Text>,
    pub(crate) timeout: Option<Time>,
}

/// `redirect = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedirectTable {
    pub(crate) to: Text,
    pub(crate) status: Option<CountField>,
}
