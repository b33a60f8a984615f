//! A plugin's own configuration: read into structs, with faults that point at their place, and described by a schema.
//!
//! ```
//! use serde::Deserialize;
//! use tidegate_plugin::Config;
//!
//! #[derive(Deserialize, Config)]
//! #[serde(deny_unknown_fields, default)]
//! struct Settings {
//!     /// Milliseconds after which a peak has shrunk to 37 %.
//!     #[config(range = 1..=3_600_000)]
//!     decay: u32,
//! }
//!
//! impl Default for Settings {
//!     fn default() -> Self {
//!         Self { decay: 10_000 }
//!     }
//! }
//!
//! assert_eq!(Settings::read("null").unwrap().decay, 10_000);
//! let faults = Settings::read(r#"{"decay": 0}"#).map(drop).unwrap_err();
//! assert_eq!((&*faults[0].path, &*faults[0].message), ("/decay", "expected 1 to 3600000, found 0"));
//! assert_eq!(
//!     Settings::schema(),
//!     concat!(
//!         r#"{"type":"object","additionalProperties":false,"properties":{"decay":{"type":"integer","minimum":1,"#,
//!         r#""maximum":3600000,"default":10000,"description":"Milliseconds after which a peak has shrunk to 37 %."}}}"#
//!     )
//! );
//! ```
//!
//! Derived from: the names, defaults and `deny_unknown_fields` of serde; doc comments (descriptions); and of each field
//! `#[config(range = LEAST..=MOST)]` for numbers and `#[config(non_empty)]` for texts and lists.

mod json;
mod schema;

use serde::de::DeserializeOwned;

use crate::ConfigError;
#[doc(hidden)]
pub use schema::{in_range, not_empty, within, write_default};

pub use tidegate_plugin_derive::Config;

/// A type that a configuration is read into: what may be written, and what each value is limited to.
///
/// Derive it beside serde's `Deserialize`; [the module](self) shows how. What serde reads in ways that no attribute tells
/// (`flatten`, `with`, `alias`, enums with data) needs an `impl` by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read as part of a configuration",
    note = "structs and enums of yours: `#[derive(Deserialize, Config)]`; objects with any keys: `BTreeMap<String, T>`"
)]
pub trait Config: Sized {
    /// Appends the members of the JSON schema, without the braces around them: `"type":"integer"`.
    fn write_type(schema: &mut String);

    /// Appends limits of the type that a range of a field replaces: `,"minimum":0,"maximum":255`.
    fn write_limits(schema: &mut String) {
        let _ = schema;
    }

    /// Appends the value as JSON, for the `default` of a schema and for messages.
    fn write_value(&self, json: &mut String);

    /// Adds a fault for every value that is out of its limits. `path` leads here, as a JSON pointer; it is left as it was.
    fn check(&self, path: &mut String, faults: &mut Vec<ConfigError>) {
        let _ = (path, faults);
    }

    /// Reads the JSON text that `configure` received. Where the operator wrote none, every field has its default.
    ///
    /// # Errors
    /// The place where reading stopped; or every value that is out of its limits.
    fn read(config: &str) -> Result<Self, Vec<ConfigError>>
    where
        Self: DeserializeOwned,
    {
        let read: Self = parse(if is(config, "null") { "{}" } else { config })?;
        let mut faults = Vec::new();
        read.check(&mut String::new(), &mut faults);
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }

    /// The JSON schema, for [`About::schema`](crate::About).
    #[must_use]
    fn schema() -> String {
        let mut schema = String::from("{");
        Self::write_type(&mut schema);
        Self::write_limits(&mut schema);
        schema.push('}');
        schema
    }
}

/// Parses `config`, the JSON text that `configure` received. It is `null` if the operator wrote none: where that is fine,
/// use [`parse_or_default`]. Limits that [`Config`] would check are not.
///
/// Use `#[serde(deny_unknown_fields)]` on your structs: a misspelt key is then refused instead of ignored.
///
/// # Errors
/// One [`ConfigError`] whose path points at the value where reading stopped.
pub fn parse<T: DeserializeOwned>(config: &str) -> Result<T, Vec<ConfigError>> {
    json::read(config).map_err(|error| vec![error])
}

/// The same, for a configuration that may be left out altogether.
///
/// # Errors
/// As [`parse`].
pub fn parse_or_default<T: DeserializeOwned + Default>(config: &str) -> Result<T, Vec<ConfigError>> {
    if is(config, "null") { Ok(T::default()) } else { parse(config) }
}

/// For a plugin that has nothing to configure: accepts `null` and `{}` alone.
///
/// # Errors
/// One [`ConfigError`] that says so.
pub fn nothing(config: &str) -> Result<(), Vec<ConfigError>> {
    if is(config, "null") || is(config, "{}") {
        Ok(())
    } else {
        Err(vec![fault("", "this plugin takes no configuration: leave it out")])
    }
}

/// The same for a router or a rewriter: the gateway hands them its list of `[[route]]`, an object with the key `routes`,
/// where the operator wrote no configuration. It is accepted, too, and not looked at.
///
/// # Errors
/// As [`nothing`].
pub fn nothing_but_routes(config: &str) -> Result<(), Vec<ConfigError>> {
    let mut bytes = config.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let is_routes = b"{\"routes\":".iter().all(|byte| bytes.next() == Some(*byte));
    if is_routes { Ok(()) } else { nothing(config) }
}

/// One fault. `path` is a JSON pointer, e.g. `/routes/3/path`; empty for the whole.
pub fn fault(path: impl Into<String>, message: impl Into<String>) -> ConfigError {
    ConfigError { path: path.into(), message: message.into() }
}

/// Whether `config` is `json`, apart from blanks.
#[inline(never)]
fn is(config: &str, json: &str) -> bool {
    config.bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(json.bytes())
}

#[cfg(test)]
mod tests;
