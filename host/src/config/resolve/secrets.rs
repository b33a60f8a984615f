//! `secrets` of `[plugin.NAME]`: files whose content a plugin's configuration gets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::super::schema::{Json, PluginSection, Text};
use super::Resolver;
use crate::diagnose::{Position, Span};

/// The key of what a plugin without a configuration gets: the `[[route]]` list.
const ROUTES: &str = "routes";

impl Resolver<'_, '_> {
    /// The files of the secrets, by the keys that the configuration gets them under.
    pub(super) fn secrets(&mut self, section: &PluginSection) -> BTreeMap<String, PathBuf> {
        let Some(written) = &section.secrets else { return BTreeMap::new() };
        let mut files = BTreeMap::new();
        for (key, path) in written {
            if key.get_ref() == ROUTES {
                let message = "a secret `routes` would take the place of the [[route]] list";
                self.report.fault_hint(key.span(), message, "give it another key");
            }
            let file = self.file_to_try(&format!("secret `{}`", key.get_ref()), path);
            files.insert(key.get_ref().clone(), file);
        }
        if let Some(Json(config)) = &section.config {
            let at = |name: &str| written.keys().find(|key| key.get_ref() == name).map_or(0..0, Text::span);
            self.room_for_secrets(config, files.keys(), at);
        }
        files
    }

    /// Where the path of each is written.
    pub(super) fn secret_places(&self, section: &PluginSection) -> BTreeMap<String, Position> {
        let place = |(key, path): (&Text, &Text)| (key.get_ref().clone(), self.report.position_of(&path.span()));
        section.secrets.iter().flatten().map(place).collect()
    }

    /// Notes a fault for each of `keys` that `config` has no room for; it is shown at its place.
    pub(super) fn room_for_secrets<'k>(
        &mut self,
        config: &Value,
        keys: impl IntoIterator<Item = &'k String>,
        at: impl Fn(&str) -> Span,
    ) {
        for key in keys {
            match config {
                Value::Object(fields) if fields.contains_key(key) => {
                    let message = format!("`{key}` is in `config` and in `secrets`, expected one of them");
                    self.report.fault_hint(
                        at(key),
                        message,
                        "leave it out of `config`, or give the secret another key",
                    );
                }
                Value::Object(_) => {}
                _ => {
                    let message = format!("`config` is no table, expected one, which gets the secret `{key}`");
                    self.report.fault(at(key), message);
                }
            }
        }
    }
}
