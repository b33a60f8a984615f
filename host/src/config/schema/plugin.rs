//! `[plugin.NAME]`, `[router]` and `[rewriter]` as written.

use std::collections::BTreeMap;

use serde::de::{self, Deserialize, Deserializer};

use super::{Size, Text, Time};

/// `[plugin.NAME]`
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginSection {
    pub(crate) file: Text,
    pub(crate) config: Option<Json>,
    pub(crate) deadline: Option<Time>,
    pub(crate) memory: Option<Size>,
    pub(crate) allow: Option<Vec<Text>>,
    pub(crate) table: Option<Text>,
    pub(crate) secrets: Option<BTreeMap<Text, Text>>,
}

/// `[router]` and `[rewriter]`
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleSection {
    pub(crate) plugin: Option<Text>,
    pub(crate) config: Option<Json>,
}

/// A plugin's own configuration: whatever TOML can say, as JSON. Dates become text.
#[derive(Clone, Debug)]
pub(crate) struct Json(pub(crate) serde_json::Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        to_json(value).map(Json).ok_or_else(|| de::Error::custom("JSON has no `nan` and no `inf`"))
    }
}

fn to_json(value: toml::Value) -> Option<serde_json::Value> {
    Some(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)?.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect::<Option<Vec<_>>>()?.into(),
        toml::Value::Table(table) => {
            let fields = table.into_iter().map(|(key, value)| Some((key, to_json(value)?)));
            serde_json::Value::Object(fields.collect::<Option<_>>()?)
        }
    })
}
