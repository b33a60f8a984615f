//! `when` of a route as written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::Text;

/// `when = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhenTable {
    pub(crate) methods: Option<Spanned<Vec<Text>>>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<Text, Spanned<ValueEntry>>,
    #[serde(default)]
    pub(crate) query: BTreeMap<Text, Spanned<ValueEntry>>,
    pub(crate) clients: Option<Spanned<Vec<Text>>>,
    pub(crate) upgrade: Option<Spanned<bool>>,
}

/// The value itself, or a table with one key.
#[derive(Debug)]
pub(crate) enum ValueEntry {
    Is(String),
    Table(ValueTable),
}

/// `{ is = … }`, `{ not = … }`, `{ regex = … }` or `{ present = … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueTable {
    pub(crate) is: Option<String>,
    pub(crate) not: Option<String>,
    pub(crate) regex: Option<Text>,
    pub(crate) present: Option<bool>,
}

impl<'de> Deserialize<'de> for ValueEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;
        impl<'de> Visitor<'de> for TextOrTable {
            type Value = ValueEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a table with `is`, `not`, `regex` or `present`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ValueEntry, E> {
                Ok(ValueEntry::Is(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ValueEntry, A::Error> {
                ValueTable::deserialize(MapAccessDeserializer::new(map)).map(ValueEntry::Table)
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}
