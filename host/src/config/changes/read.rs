//! Endpoints and their settings as JSON, with a fault for everything that is not understood.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::super::model::EndpointConfig;
use super::super::resolve::{DISCOVER, LONGEST_ROUTE, STATES, discovering, endpoint_from, hundredths, misfit};
use super::{Edit, EndpointChange};
use crate::diagnose::{closest, list, one_of};

/// What is wrong with a document, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ChangeFault {
    /// Which key, and what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

const SETTINGS: [&str; 3] = ["state", "weight", "group"];
const ENDPOINT: [&str; 10] =
    ["url", "weight", "group", "state", "route", "redirect", "labels", "max_connections", "ignore_errors", "discover"];

impl Edit {
    /// Reads the endpoint to add; a relative unix socket is taken from `base`.
    ///
    /// # Errors
    /// [`ChangeFault`]
    pub fn add(body: &[u8], base: &Path) -> Result<Self, ChangeFault> {
        endpoint(&object(body)?, base).map(|endpoint| Self::Add(Box::new(endpoint)))
    }

    /// Reads new settings of the endpoint at `url`; `null` takes one back.
    ///
    /// # Errors
    /// [`ChangeFault`]
    pub fn set(url: &str, body: &[u8]) -> Result<Self, ChangeFault> {
        let map = object(body)?;
        if map.is_empty() {
            let message = format!("nothing to change, expected some of {}", list(SETTINGS));
            return Err(fault(message, "for example { \"state\": \"drain\" }"));
        }
        known_keys(&map, &SETTINGS)?;
        Ok(Self::Set(url.to_owned(), settings(&map)?))
    }
}

/// `text` as a JSON object.
fn object(text: &[u8]) -> Result<Map<String, Value>, ChangeFault> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(fault(format!("the body is {}, expected an object", kind(&other)), "write { … }")),
        Err(error) => Err(ChangeFault { message: format!("the body is no JSON: {error}"), hint: None }),
    }
}

pub(super) fn known_keys(map: &Map<String, Value>, known: &[&str]) -> Result<(), ChangeFault> {
    let Some(stranger) = map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let message = format!("unknown key `{stranger}`, expected {}", one_of(known.iter().copied()));
    let hint = closest(stranger, known.iter().copied()).map(|word| format!("did you mean `{word}`?"));
    Err(ChangeFault { message, hint })
}

/// The settings among the keys of `map`.
pub(super) fn settings(map: &Map<String, Value>) -> Result<EndpointChange, ChangeFault> {
    fn read<T>(
        map: &Map<String, Value>,
        key: &str,
        value: impl FnOnce(&Value) -> Result<T, ChangeFault>,
    ) -> Result<Option<Option<T>>, ChangeFault> {
        match map.get(key) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(other) => value(other).map(|read| Some(Some(read))),
        }
    }
    Ok(EndpointChange {
        state: read(map, "state", |value| word("state", value, &STATES))?,
        weight: read(map, "weight", weight)?,
        group: read(map, "group", |value| whole("group", value, 0, 99))?,
    })
}

pub(super) fn endpoint(map: &Map<String, Value>, base: &Path) -> Result<EndpointConfig, ChangeFault> {
    known_keys(map, &ENDPOINT)?;
    let get = |key: &str| map.get(key).filter(|value| !value.is_null());
    let url = get("url").ok_or_else(|| fault("`url` is missing", "for example { \"url\": \"ws://10.0.0.1:8080\" }"))?;
    let url = text("url", url)?;
    let plain = endpoint_from(&url, base).map_err(|bad| ChangeFault { message: bad.message, hint: bad.hint })?;
    let settings = settings(map)?;
    let discover = get("discover").map(|value| word("discover", value, &DISCOVER)).transpose()?;
    if let Some((message, hint)) = discover.and_then(|discover| misfit(&plain, discover)) {
        return Err(fault(message, hint));
    }
    let plain = match discover {
        Some(discover) => discovering(plain, discover),
        None => plain,
    };
    let named = |key: &str| get(key).map(|value| route(key, value)).transpose();
    let (route, redirect) = (named("route")?, named("redirect")?);
    if let Some(own) = redirect.as_ref().filter(|redirect| route.as_ref() == Some(redirect)) {
        let message = format!("`redirect` is \"{own}\", which is the endpoint's own route");
        return Err(fault(message, "name the route of another endpoint"));
    }
    let ignore_errors = match get("ignore_errors") {
        None => plain.ignore_errors,
        Some(Value::Bool(ignores)) => *ignores,
        Some(other) => return Err(wrong("ignore_errors", other, "true or false")),
    };
    let labels = match get("labels") {
        None => Vec::new(),
        Some(Value::Object(labels)) => labels
            .iter()
            .map(|(name, value)| Ok((name.clone(), text("labels", value)?)))
            .collect::<Result<_, ChangeFault>>()?,
        Some(other) => return Err(wrong("labels", other, "text by name")),
    };
    let max_connections =
        get("max_connections").map(|value| whole("max_connections", value, 1, u32::MAX)).transpose()?;
    Ok(EndpointConfig {
        state: settings.state.flatten().unwrap_or(plain.state),
        weight: settings.weight.flatten().unwrap_or(plain.weight),
        group: settings.group.flatten().unwrap_or(plain.group),
        route,
        redirect,
        labels,
        max_connections,
        ignore_errors,
        ..plain
    })
}

/// The other way: what [`endpoint`] reads.
pub(super) fn written(endpoint: &EndpointConfig) -> Value {
    let mut map = Map::new();
    map.insert("url".to_owned(), json!(endpoint.url));
    map.insert("weight".to_owned(), json!(f64::from(endpoint.weight) / 100.0));
    map.insert("group".to_owned(), json!(endpoint.group));
    map.insert("state".to_owned(), json!(endpoint.state.as_str()));
    map.insert("discover".to_owned(), json!(endpoint.discover.as_str()));
    if let Some(route) = &endpoint.route {
        map.insert("route".to_owned(), json!(route));
    }
    if let Some(redirect) = &endpoint.redirect {
        map.insert("redirect".to_owned(), json!(redirect));
    }
    if !endpoint.labels.is_empty() {
        let labels: Map<_, _> =
            endpoint.labels.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        map.insert("labels".to_owned(), Value::Object(labels));
    }
    if let Some(most) = endpoint.max_connections {
        map.insert("max_connections".to_owned(), json!(most));
    }
    if endpoint.ignore_errors {
        map.insert("ignore_errors".to_owned(), json!(true));
    }
    Value::Object(map)
}

fn word<T: Copy>(key: &str, value: &Value, words: &[(&str, T)]) -> Result<T, ChangeFault> {
    let written = text(key, value)?;
    if let Some((_, found)) = words.iter().find(|(word, _)| *word == written) {
        return Ok(*found);
    }
    let names = || words.iter().map(|(word, _)| *word);
    let message = format!("`{key}` is \"{written}\", expected {}", one_of(names()));
    let hint = closest(&written, names()).map(|word| format!("did you mean `{word}`?"));
    Err(ChangeFault { message, hint })
}

fn route(key: &str, value: &Value) -> Result<String, ChangeFault> {
    let route = text(key, value)?;
    match route.len() {
        1..=LONGEST_ROUTE => Ok(route),
        length => {
            let message = format!("`{key}` has {length} bytes, expected 1 to {LONGEST_ROUTE}");
            Err(fault(message, "leave it out for none"))
        }
    }
}

fn weight(value: &Value) -> Result<u32, ChangeFault> {
    let number = value.as_f64().ok_or_else(|| wrong("weight", value, "0.01 to 100"))?;
    if !(0.01..=100.0).contains(&number) {
        return Err(ChangeFault { message: format!("`weight` is {number}, expected 0.01 to 100"), hint: None });
    }
    Ok(hundredths(number))
}

fn whole(key: &str, value: &Value, low: u32, high: u32) -> Result<u32, ChangeFault> {
    let expected = || if high == u32::MAX { format!("at least {low}") } else { format!("{low} to {high}") };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number
        .filter(|number| (low..=high).contains(number))
        .ok_or_else(|| ChangeFault { message: format!("`{key}` is {value}, expected {}", expected()), hint: None })
}

fn text(key: &str, value: &Value) -> Result<String, ChangeFault> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong(key, value, "text"))
}

fn wrong(key: &str, value: &Value, expected: &str) -> ChangeFault {
    ChangeFault { message: format!("`{key}` is {}, expected {expected}", kind(value)), hint: None }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn fault(message: impl Into<String>, hint: impl Into<String>) -> ChangeFault {
    ChangeFault { message: message.into(), hint: Some(hint.into()) }
}
