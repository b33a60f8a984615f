//! `sticky` and `affinity` of a cluster as written.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::{Text, Time};

/// One `sticky`: a list of them has no meaning, and serde would take it for the fields in their order.
#[derive(Debug)]
pub(crate) struct StickyEntry(pub(crate) StickyTable);

/// `sticky = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StickyTable {
    pub(crate) cookie: Option<Text>,
    pub(crate) parameter: Option<Text>,
    pub(crate) separator: Option<Text>,
    pub(crate) failover: Option<bool>,
    pub(crate) issue: Option<Spanned<IssueTable>>,
}

/// `issue = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueTable {
    pub(crate) path: Option<Text>,
    pub(crate) same_site: Option<Text>,
    pub(crate) secure: Option<bool>,
    pub(crate) http_only: Option<bool>,
    pub(crate) max_age: Option<Time>,
}

/// A word, or a table with one key.
#[derive(Debug)]
pub(crate) enum AffinityEntry {
    Word(String),
    Table(Box<AffinityTable>),
}

/// `affinity = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AffinityTable {
    pub(crate) cookie: Option<Text>,
    pub(crate) header: Option<Text>,
    pub(crate) query: Option<Text>,
}

impl<'de> Deserialize<'de> for AffinityEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;
        impl<'de> Visitor<'de> for WordOrTable {
            type Value = AffinityEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"path\", \"client\" or a table with `cookie`, `header` or `query`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<AffinityEntry, E> {
                Ok(AffinityEntry::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AffinityEntry, A::Error> {
                let table = AffinityTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(AffinityEntry::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(WordOrTable)
    }
}

impl<'de> Deserialize<'de> for StickyEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneTable;
        impl<'de> Visitor<'de> for OneTable {
            type Value = StickyEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one table with `cookie`, `parameter` or both")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StickyEntry, A::Error> {
                StickyTable::deserialize(MapAccessDeserializer::new(map)).map(StickyEntry)
            }
        }
        deserializer.deserialize_any(OneTable)
    }
}
