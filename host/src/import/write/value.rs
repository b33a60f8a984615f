//! Values of TOML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A string: in single quotes where escapes would be needed, as for patterns.
pub(in super::super) fn text(value: &str) -> String {
    let plain = !value.chars().any(char::is_control);
    if plain && value.contains(['\\', '"']) && !value.contains('\'') {
        return format!("'{value}'");
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => _ = write!(out, "\\u{:04X}", u32::from(control)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A list of strings.
pub(super) fn list<S: AsRef<str>>(values: &[S]) -> String {
    let inner: Vec<_> = values.iter().map(|value| text(value.as_ref())).collect();
    format!("[{}]", inner.join(", "))
}

/// A key, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if bare { name.to_owned() } else { text(name) }
}

/// `{ a = 1, b = 2 }`
pub(super) fn table(entries: &[String]) -> String {
    format!("{{ {} }}", entries.join(", "))
}

/// `{ Name = "value" }`
pub(super) fn texts(entries: &BTreeMap<String, String>) -> String {
    let inner: Vec<_> = entries.iter().map(|(name, value)| format!("{} = {}", key(name), text(value))).collect();
    table(&inner)
}

/// What can stand in a comment.
pub(super) fn comment(value: &str) -> String {
    crate::text::printable(value).to_string()
}
