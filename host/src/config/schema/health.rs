//! `health`, `outlier` and `pause` of a cluster as written.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use toml::Spanned;

use super::super::units::Number;
use super::{CountField, Text, Time};

/// `pause = { … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseTable {
    pub(crate) first: Option<Time>,
    pub(crate) longest: Option<Time>,
}

/// `outlier = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutlierTable {
    pub(crate) consecutive: Option<CountField>,
    pub(crate) rate: Option<Spanned<Number>>,
    pub(crate) window: Option<Time>,
    pub(crate) minimum: Option<CountField>,
    pub(crate) ejection: Option<Time>,
    pub(crate) longest: Option<Time>,
    pub(crate) share: Option<Spanned<Number>>,
}

/// `health = { … }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthTable {
    pub(crate) probe: Text,
    pub(crate) method: Option<Text>,
    pub(crate) path: Option<Text>,
    pub(crate) host: Option<Text>,
    pub(crate) expect: Option<Spanned<Vec<Spanned<Statuses>>>>,
    pub(crate) body: Option<Text>,
    pub(crate) service: Option<Text>,
    pub(crate) interval: Option<Time>,
    pub(crate) timeout: Option<Time>,
    pub(crate) rise: Option<CountField>,
    pub(crate) fall: Option<CountField>,
}

/// `200`, `"200"` or `"200-299"`. Its numbers are not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(pub(crate) RangeInclusive<u16>);

const STATUSES: &str = "a status such as 200 or a range such as \"200-299\"";

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrRange;
        impl Visitor<'_> for NumberOrRange {
            type Value = Statuses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(STATUSES)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Statuses, E> {
                let status = u16::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
                Ok(Statuses(status..=status))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
                let (low, high) = text.split_once('-').unwrap_or((text, text));
                let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                match (low.parse(), high.parse()) {
                    (Ok(low_number), Ok(high_number)) if digits(low) && digits(high) => {
                        Ok(Statuses(low_number..=high_number))
                    }
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrRange)
    }
}
