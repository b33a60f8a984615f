//! `reverse` of a route as written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::Text;

/// Whether responses are mapped back, or how.
#[derive(Debug)]
pub(crate) enum ReverseEntry {
    Flag(bool),
    Table(Box<ReverseTable>),
}

/// `reverse = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReverseTable {
    pub(crate) path: Option<Text>,
    #[serde(default)]
    pub(crate) origins: Vec<Text>,
    pub(crate) paths: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) cookie_paths: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(crate) cookie_domains: BTreeMap<Text, Text>,
}

impl<'de> Deserialize<'de> for ReverseEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagOrTable;
        impl<'de> Visitor<'de> for FlagOrTable {
            type Value = ReverseEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean or a table")
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<ReverseEntry, E> {
                Ok(ReverseEntry::Flag(flag))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ReverseEntry, A::Error> {
                let table = ReverseTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ReverseEntry::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(FlagOrTable)
    }
}
