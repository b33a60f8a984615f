//! `retry` of a cluster as written.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use toml::Spanned;

use super::super::units::Number;
use super::{CountField, Size, Text};

/// `retry = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryTable {
    pub(crate) attempts: Option<CountField>,
    pub(crate) on: Option<Vec<Spanned<OnEntry>>>,
    pub(crate) methods: Option<Text>,
    pub(crate) body: Option<Size>,
    pub(crate) budget: Option<Spanned<Number>>,
}

/// A kind of failure, or a status.
#[derive(Debug)]
pub(crate) enum OnEntry {
    Word(String),
    Status(u64),
}

impl<'de> Deserialize<'de> for OnEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrStatus;
        impl Visitor<'_> for WordOrStatus {
            type Value = OnEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"connect\", \"timeout\", \"broken\" or a status")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<OnEntry, E> {
                Ok(OnEntry::Word(word.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, status: i64) -> Result<OnEntry, E> {
                let status = u64::try_from(status);
                status.map(OnEntry::Status).map_err(|_| E::invalid_value(Unexpected::Other("below zero"), &self))
            }
        }
        deserializer.deserialize_any(WordOrStatus)
    }
}
