//! Texts that a plugin is handed with its configuration, and that nobody is shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value;

use crate::files::{self, ReadError, limit};

/// What stands where a secret stood.
const MASK: &str = "[secret]";

/// Secrets that are shorter are not masked: every other word would be, and nothing would be kept from anybody.
const LEAST_MASKED: usize = 4;

/// Lines of a longer secret, such as a key in PEM, are masked one by one from this length on.
const LEAST_LINE: usize = 16;

/// Texts that are masked for one plugin, those of before a change among them: instances of before may go on.
const MOST_MASKS: usize = 256;

/// The secrets of a plugin, by the key under which its configuration gets them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PluginSecrets(BTreeMap<String, Arc<str>>);

impl PluginSecrets {
    /// The text of one, from its file, which has at most 64 KiB. One newline at its end is none of it.
    ///
    /// # Errors
    /// If the file cannot be read, or holds nothing.
    pub fn read(path: &Path) -> Result<String, ReadError> {
        whole(&files::read_text(path, limit::SECRET)?)
    }

    /// `config` with the secrets at its top level. The configuration was checked: it is an object or nothing, and has
    /// none of their keys.
    #[must_use]
    pub fn within(&self, config: &Value) -> Value {
        if self.0.is_empty() {
            return config.clone();
        }
        let mut fields = config.as_object().cloned().unwrap_or_default();
        fields.extend(self.0.iter().map(|(key, text)| (key.clone(), Value::from(&**text))));
        Value::Object(fields)
    }
}

impl FromIterator<(String, String)> for PluginSecrets {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(secrets: T) -> Self {
        Self(secrets.into_iter().map(|(key, text)| (key, text.into())).collect())
    }
}

impl fmt::Debug for PluginSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.keys()).finish()
    }
}

/// What is taken out of whatever a plugin writes. None for most, which costs nothing.
#[derive(Default)]
pub(super) struct SecretMasks(ArcSwap<Vec<String>>);

impl SecretMasks {
    /// Masks `secrets` from now on, too.
    pub(super) fn add(&self, secrets: &PluginSecrets) {
        let mut masks = Vec::clone(&self.0.load());
        for mask in secrets.0.values().flat_map(|secret| forms(secret)) {
            if !masks.contains(&mask) {
                masks.push(mask);
            }
        }
        let old = masks.len().saturating_sub(MOST_MASKS);
        masks.drain(..old);
        // The longest first: one may be part of another.
        masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
        self.0.store(Arc::new(masks));
    }

    /// `text` without secrets.
    pub(super) fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let masks = self.0.load();
        let mut text = Cow::Borrowed(text);
        for mask in masks.iter() {
            if text.contains(mask.as_str()) {
                text = Cow::Owned(text.replace(mask.as_str(), MASK));
            }
        }
        text
    }
}

impl fmt::Debug for SecretMasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretMasks").finish_non_exhaustive()
    }
}

/// The text without the newline that editors and `echo` put at its end. Nothing is no secret: what is signed with it,
/// anybody can sign.
fn whole(text: &str) -> Result<String, ReadError> {
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    // Editors show none, and whatever is signed with it fails.
    if text.starts_with('\u{feff}') {
        let found = "it begins with a byte order mark, which would be of the secret: save it without one";
        return Err(std::io::Error::other(found).into());
    }
    if text.is_empty() {
        return Err(std::io::Error::other("it is empty, expected a secret").into());
    }
    Ok(text.to_owned())
}

/// How a secret may stand in a text: as it is, as in JSON, and its lines.
fn forms(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let json = json.trim_start_matches('"').trim_end_matches('"');
    let lines = secret.lines().filter(|line| line.len() >= LEAST_LINE);
    let forms = [secret, secret.trim(), json].into_iter().chain(lines);
    forms.filter(|form| form.len() >= LEAST_MASKED).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secrets(texts: &[(&str, &str)]) -> PluginSecrets {
        texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn one_newline_at_the_end_is_none_of_the_secret() {
        for (text, secret) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a \n", " a ")] {
            assert_eq!(whole(text).unwrap(), secret);
        }
        let marked = whole("\u{feff}a\n").unwrap_err().to_string();
        assert_eq!(marked, "it begins with a byte order mark, which would be of the secret: save it without one");
        for text in ["", "\n", "\r\n"] {
            assert_eq!(whole(text).unwrap_err().to_string(), "it is empty, expected a secret");
        }
    }

    #[test]
    fn secrets_stand_beside_what_is_configured_and_are_not_shown() {
        let secrets = secrets(&[("key", "hunter2")]);

        assert_eq!(secrets.within(&json!({ "issuer": "a" })), json!({ "issuer": "a", "key": "hunter2" }));
        assert_eq!(secrets.within(&Value::Null), json!({ "key": "hunter2" }));
        assert_eq!(PluginSecrets::default().within(&json!([1])), json!([1]));
        assert_eq!(format!("{secrets:?}"), "[\"key\"]");
    }

    #[test]
    fn what_a_plugin_writes_of_them_is_masked() {
        let masks = SecretMasks::default();
        assert!(matches!(masks.mask("hunter2"), Cow::Borrowed(_)));
        masks.add(&secrets(&[("a", "hunter2"), ("b", "hunter2-longer"), ("c", "abc"), ("d", "say \"so\"\nor not")]));
        let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n";
        masks.add(&secrets(&[("key", pem)]));

        for (text, masked) in [
            ("found \"hunter2\", expected", "found \"[secret]\", expected"),
            ("hunter2-longer", "[secret]"),
            ("abc", "abc"),
            (r#"{"d":"say \"so\"\nor not"}"#, r#"{"d":"[secret]"}"#),
            ("at MIIEvQIBADANBgkqhkiG9w0BAQ!", "at [secret]!"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(masks.mask(text), masked);
        }
    }
}
