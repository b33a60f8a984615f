//! `[cluster.NAME]` as written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::super::units::Number;
use super::{
    AffinityEntry, CountField, HealthTable, Json, OutlierTable, PauseTable, RetryTable, SignalsTable, Size,
    StickyEntry, Text, Time, TimeoutsTable,
};

/// `[cluster.NAME]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterSection {
    pub(crate) balancer: Option<Text>,
    pub(crate) config: Option<Json>,
    pub(crate) endpoints: Spanned<Vec<Spanned<EndpointEntry>>>,
    pub(crate) protocol: Option<Text>,
    pub(crate) tls: Option<Spanned<ClientTlsTable>>,
    #[serde(default)]
    pub(crate) timeouts: TimeoutsTable,
    #[serde(default)]
    pub(crate) pool: PoolTable,
    #[serde(default)]
    pub(crate) limits: AnswerLimitsTable,
    #[serde(default)]
    pub(crate) pause: PauseTable,
    pub(crate) force_recovery: Option<bool>,
    pub(crate) slow_start: Option<Time>,
    pub(crate) wait: Option<Time>,
    pub(crate) outlier: Option<OutlierTable>,
    pub(crate) health: Option<HealthTable>,
    pub(crate) sticky: Option<Spanned<StickyEntry>>,
    pub(crate) affinity: Option<Spanned<AffinityEntry>>,
    #[serde(default)]
    pub(crate) retry: RetryTable,
    #[serde(default)]
    pub(crate) fail_on: Vec<CountField>,
    pub(crate) signals: Option<SignalsTable>,
    pub(crate) signal_expiry: Option<Time>,
    pub(crate) count: Option<Text>,
}

/// A URL, or a table with one.
#[derive(Debug)]
pub(crate) enum EndpointEntry {
    Url(String),
    Table(Box<EndpointTable>),
}

/// `{ url = "…", … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointTable {
    pub(crate) url: Text,
    pub(crate) weight: Option<Spanned<Number>>,
    pub(crate) route: Option<Text>,
    pub(crate) redirect: Option<Text>,
    pub(crate) group: Option<CountField>,
    pub(crate) state: Option<Text>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) max_connections: Option<CountField>,
    #[serde(default)]
    pub(crate) ignore_errors: bool,
    pub(crate) discover: Option<Text>,
}

/// `tls = { … }` towards endpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientTlsTable {
    pub(crate) ca: Option<Text>,
    pub(crate) verify: Option<Text>,
    pub(crate) pin: Option<Text>,
    pub(crate) server_name: Option<Text>,
    pub(crate) certificate: Option<Text>,
    pub(crate) key: Option<Text>,
}

/// `pool = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolTable {
    pub(crate) size: Option<CountField>,
    pub(crate) idle: Option<Time>,
}

/// `limits = { … }` of a cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerLimitsTable {
    pub(crate) head: Option<Size>,
    pub(crate) head_fields: Option<CountField>,
}

impl<'de> Deserialize<'de> for EndpointEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UrlOrTable;
        impl<'de> Visitor<'de> for UrlOrTable {
            type Value = EndpointEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL or a table with `url`")
            }

            fn visit_str<E: de::Error>(self, url: &str) -> Result<EndpointEntry, E> {
                Ok(EndpointEntry::Url(url.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EndpointEntry, A::Error> {
                let table = EndpointTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(EndpointEntry::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(UrlOrTable)
    }
}
