//! ORCA load reports in response heads: `endpoint-load-metrics`, in its text form and in JSON.
//!
//! The forms are those that Envoy reads (`source/common/orca`): `TEXT cpu_utilization=0.3,named_metrics.x=2`, with `:`
//! as good as `=`, and `JSON {"cpu_utilization":0.3}`. A value without a prefix is taken as text, as in the first
//! drafts. The binary forms (`BIN …`, and the header `endpoint-load-metrics-bin` of gRPC) are not read.

use ::http::{HeaderMap, HeaderName};
use serde_json::Value;

use crate::config::OrcaField;

/// The header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("endpoint-load-metrics");

/// Longest report that is read, in bytes. The whole proto with a dozen named metrics has some hundred.
const LONGEST: usize = 8 * 1024;

/// A report that has its form.
pub(super) enum LoadReport<'a> {
    /// `NAME=VALUE,…`
    Text(&'a str),
    /// An object.
    Json(Value),
}

/// What is there is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusable;

/// Reads the one report of a head; none if it has not the form of one, is too long, or there are several.
pub(super) fn read(headers: &HeaderMap) -> Option<LoadReport<'_>> {
    let mut values = headers.get_all(&HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    if value.len() > LONGEST {
        return None;
    }
    let value = value.to_str().ok()?;
    if let Some(json) = value.strip_prefix("JSON ") {
        return serde_json::from_str(json).ok().filter(Value::is_object).map(LoadReport::Json);
    }
    let text = value.strip_prefix("TEXT ").unwrap_or(value);
    text.split(',').all(|part| entry(part).is_some()).then_some(LoadReport::Text(text))
}

impl LoadReport<'_> {
    /// What it says of `field`; none if nothing.
    pub(super) fn find(&self, field: &OrcaField) -> Option<Result<f64, Unusable>> {
        let found = match self {
            Self::Text(text) => {
                let mut found = text.split(',').filter_map(entry).filter(|(name, _)| *name == field.name);
                let (_, value) = found.next()?;
                // Said twice, it is not known which was meant.
                if found.next().is_some() { None } else { value.parse().ok() }
            }
            Self::Json(report) => {
                let value = field.keys.iter().find_map(|key| report.get(key))?;
                match &field.entry {
                    Some(entry) => value.get(entry)?.as_f64(),
                    None => value.as_f64(),
                }
            }
        };
        let (least, most) = field.range;
        // NaN and infinities are in no range.
        Some(found.filter(|value| (least..=most).contains(value)).ok_or(Unusable))
    }
}

/// Name and value of one part of a report in text form.
fn entry(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once(['=', ':'])?;
    let (name, value) = (name.trim(), value.trim());
    // Neither is in a name; JSON without its prefix is full of them.
    let is_name = !name.is_empty() && !name.contains([' ', '"']);
    (is_name && !value.is_empty()).then_some((name, value))
}
