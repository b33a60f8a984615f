//! What serde and toml say, in the words of an operator: section, key, found, expected, hint.

use std::fmt;

use toml::Spanned;
use toml::de::{DeValue, Error};

use super::stray;
use crate::diagnose::{FaultReport, Span, closest};

/// Keys that are designed, but not built, with the section they belong to.
const LATER: [(&str, &str); 1] = [("listen", "proxy_protocol")];

/// A section or a table within one.
#[derive(Clone, Debug)]
pub(crate) struct TablePlace {
    path: String,
    is_list: bool,
}

impl TablePlace {
    /// `[path]`
    pub(crate) fn table(path: &str) -> Self {
        Self { path: path.to_owned(), is_list: false }
    }

    /// `[[path]]`
    pub(crate) fn list(path: &str) -> Self {
        Self { path: path.to_owned(), is_list: true }
    }

    /// How to write it.
    pub(crate) fn remedy(&self) -> String {
        match self.path.split_once('.') {
            Some((section, _)) => format!("write [{section}.NAME], one for each"),
            None => format!("write {self}"),
        }
    }

    /// Whether it is `[plugin.NAME]`, or within it.
    pub(crate) fn is_plugin(&self) -> bool {
        self.path.starts_with("plugin.")
    }

    /// Whether it is `[router]` or `[rewriter]`.
    pub(crate) fn is_role(&self) -> bool {
        ["router", "rewriter"].contains(&self.path.as_str())
    }

    /// What a plugin is better called whose name looks like that of its file, and that name.
    fn named_like_a_file(&self) -> Option<(&str, &str)> {
        let name = self.path.strip_prefix("plugin.")?.trim_matches('"');
        let stem = [".wasm", ".wat"].iter().find_map(|suffix| name.strip_suffix(suffix))?;
        let stem = stem.rsplit('/').next().unwrap_or(stem);
        (!stem.is_empty()).then_some((stem, name))
    }

    fn inner(&self, key: &str) -> Self {
        Self::table(&format!("{}.{key}", self.path))
    }

    fn is_in(&self, section: &str) -> bool {
        let mut parts = self.path.split('.');
        let depth = if section == "cluster" { 2 } else { 1 };
        parts.next() == Some(section) && self.path.split('.').count() == depth
    }
}

impl fmt::Display for TablePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_list { write!(f, "[[{}]]", self.path) } else { write!(f, "[{}]", self.path) }
    }
}

/// Where a span lies: the table, and the key in it if the span is that of a key or its value.
struct KeyPlace {
    place: TablePlace,
    key: Option<String>,
}

/// A file that is no TOML.
pub(crate) fn syntax(error: &Error, report: &mut FaultReport<'_>) {
    report.fault(error.span().unwrap_or(0..0), format!("not valid TOML: {}", error.message()));
}

/// A section that serde refused.
pub(crate) fn refused(place: &TablePlace, value: &Spanned<DeValue<'_>>, error: &Error, report: &mut FaultReport<'_>) {
    let at = error.span().unwrap_or_else(|| value.span());
    let found = find(place, value, &at).unwrap_or_else(|| KeyPlace { place: place.clone(), key: None });
    let KeyPlace { place, key } = found;
    let message = error.message();

    if let Some((name, expected)) = unknown_key(message) {
        if LATER.iter().any(|(section, key)| place.is_in(section) && *key == name) {
            let message = format!("`{name}` in {place} is not available in this version");
            return report.fault_hint(at, message, "leave it out");
        }
        let words = expected.split('`').skip(1).step_by(2);
        let message = format!("unknown key `{name}` in {place}, expected {expected}");
        if let Some(plugin) = place.path.strip_prefix("plugin.").filter(|_| ["wasm", "wat"].contains(&name)) {
            let hint = format!(
                "a dot is part of a name only within quotes: [plugin.\"{plugin}.{name}\"]; better [plugin.{plugin}] with \
                 `file = \"{plugin}.{name}\"`"
            );
            return report.fault_hint(at, message, hint);
        }
        return match key_of_plugins(&place, name)
            .or_else(|| key_of_protocols(&place, name))
            .or_else(|| stray::key(&place.path, name))
        {
            Some(hint) => report.fault_hint(at, message, hint),
            None => report.fault_meant(at, message, closest(name, words)),
        };
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        let place = match key {
            Some(key) => place.inner(&key),
            None => place,
        };
        let message = format!("{place} has no {name}");
        if let Some((stem, file)) = place.named_like_a_file().filter(|_| name == "`file`") {
            return report.fault_hint(
                at,
                message,
                format!("write [plugin.{}] with `file = {file:?}`", self::key(stem)),
            );
        }
        if place.is_plugin() && name == "`file`" {
            return report.fault_hint(
                at,
                message,
                "`file` is the path of a .wasm or .wat file, for example \"mine.wasm\"",
            );
        }
        return report.fault(at, message);
    }
    let subject = key.as_ref().map_or_else(|| place.to_string(), |key| format!("`{key}` in {place}"));
    let invalid = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    match invalid.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((was, expected)) => {
            let message = format!("{subject} is {}, expected {}", plain(was), plain(expected));
            match key.and_then(|key| written_otherwise(&key, was, plain(expected))) {
                Some(hint) => report.fault_hint(at, message, hint),
                None => report.fault(at, message),
            }
        }
        None => report.fault(at, format!("{subject}: {message}")),
    }
}

/// Where a key about plugins belongs that is in another table.
fn key_of_plugins(place: &TablePlace, name: &str) -> Option<String> {
    let cluster = place.is_in("cluster");
    Some(match name {
        "router" | "rewriter" => format!("write a section of its own: [{name}] with `plugin = \"NAME\"`"),
        "balancer" => "write it in [cluster.NAME]: `balancer = \"NAME\"`".to_owned(),
        "balancer_config" | "balancer-config" | "plugin_config" if cluster => {
            format!("write `config = {{ … }}` in {place}, beside `balancer`")
        }
        "plugin" if cluster => format!("write `balancer = \"NAME\"` in {place}"),
        "plugin" | "plugins" if !place.is_plugin() => {
            "write a section for each plugin: [plugin.NAME] with `file = \"NAME.wasm\"`".to_owned()
        }
        _ => return None,
    })
}

/// Where the version of HTTP is said that has another name or is in another table.
fn key_of_protocols(place: &TablePlace, name: &str) -> Option<String> {
    if !["protocol", "protocols", "alpn", "http2", "h2", "h2c", "http_version"].contains(&name) {
        return None;
    }
    if place.path.starts_with("listen") {
        return Some("write `protocol = \"auto\"` (the default), `\"h1\"` or `\"h2\"` in [[listen]]".to_owned());
    }
    let holds = ["cluster", "route"].iter().any(|section| place.path.starts_with(section));
    holds.then(|| {
        "write `protocol = \"h1\"` (the default), `\"h2\"` or `\"auto\"` in [cluster.NAME]: it holds for all of its \
         endpoints"
            .to_owned()
    })
}

/// How the value of a key is written that is something else.
fn written_otherwise(key: &str, was: &str, expected: &str) -> Option<String> {
    match was.strip_prefix("string ") {
        Some(text) if expected == "an array" => Some(format!("write `{key} = [{text}]`")),
        None if key == "protocol" && plain(was) != "a table" => {
            Some("write one word: \"auto\" is HTTP/1.1 and HTTP/2".to_owned())
        }
        Some(text) if stray::table_of_text(key, text).is_some() => stray::table_of_text(key, text),
        Some(_) if key == "upgrade" && expected == "a boolean" => {
            Some("write `upgrade = true`; which protocols these are is said by `upgrade` of the route".to_owned())
        }
        _ if key == "balancer" && plain(was) == "a table" => {
            Some("write `balancer = \"NAME\"`, and `config = { … }` beside it".to_owned())
        }
        _ => None,
    }
}

/// A key as it is written in TOML: within quotes where it needs them.
pub(crate) fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { name.to_owned() } else { format!("{name:?}") }
}

/// What kind of thing a value is.
pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// The name and what was expected, if this is serde's message about an unknown key.
fn unknown_key(message: &str) -> Option<(&str, &str)> {
    let (name, expected) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    Some((name, expected))
}

/// serde's words for types, as TOML calls them.
fn plain(words: &str) -> &str {
    match words {
        "map" => "a table",
        "sequence" | "a sequence" => "an array",
        _ if words.starts_with("struct ") || words == "a map" => "a table",
        _ => words,
    }
}

fn find(place: &TablePlace, value: &Spanned<DeValue<'_>>, at: &Span) -> Option<KeyPlace> {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().find_map(|(key, value)| {
            let name = key.get_ref().as_ref();
            if key.span() == *at || value.span() == *at {
                return Some(KeyPlace { place: place.clone(), key: Some(name.to_owned()) });
            }
            find(&place.inner(name), value, at)
        }),
        DeValue::Array(items) => items.iter().find_map(|item| {
            if item.span() == *at {
                let (path, key) = place.path.rsplit_once('.').unwrap_or(("", place.path.as_str()));
                let is_list = path == "listen" || path == "route";
                return Some(KeyPlace {
                    place: TablePlace { path: path.to_owned(), is_list },
                    key: Some(key.to_owned()),
                });
            }
            find(place, item, at)
        }),
        _ => None,
    }
}
