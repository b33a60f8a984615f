//! Reading a plugin's own configuration, with faults that point at the place.

use serde::de::DeserializeOwned;

use crate::ConfigError;

/// Parses `config`, the JSON text that `configure` received. It is `null` if the operator wrote none: where that is fine,
/// use [`parse_or_default`].
///
/// Use `#[serde(deny_unknown_fields)]` on your structs: a misspelt key is then refused instead of ignored.
///
/// # Errors
/// One [`ConfigError`] whose path points at the value where reading stopped.
pub fn parse<T: DeserializeOwned>(config: &str) -> Result<T, Vec<ConfigError>> {
    serde_json::from_str(config).map_err(|error| vec![located(config, &error)])
}

/// The same, for a configuration that may be left out altogether.
///
/// # Errors
/// As [`parse`].
pub fn parse_or_default<T: DeserializeOwned + Default>(config: &str) -> Result<T, Vec<ConfigError>> {
    if config.trim() == "null" { Ok(T::default()) } else { parse(config) }
}

/// For a plugin that has nothing to configure: accepts `null` and `{}` alone.
///
/// # Errors
/// One [`ConfigError`] that says so.
pub fn nothing(config: &str) -> Result<(), Vec<ConfigError>> {
    let is_nothing = config.bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}") || config.trim() == "null";
    if is_nothing { Ok(()) } else { Err(vec![fault("", "this plugin takes no configuration: leave it out")]) }
}

/// One fault. `path` is a JSON pointer, e.g. `/routes/3/path`; empty for the whole.
pub fn fault(path: impl Into<String>, message: impl Into<String>) -> ConfigError {
    ConfigError { path: path.into(), message: message.into() }
}

fn located(config: &str, error: &serde_json::Error) -> ConfigError {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = text.strip_suffix(place.as_str()).unwrap_or(&text);
    let before_line: usize = config.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut open = open_at(config.as_bytes(), before_line.saturating_add(error.column()));
    // What is missing is told at the end of its object, where the last key is still open.
    if message.starts_with("missing field") {
        open.pop_if(|step| matches!(step, Step::Key(_)));
    }
    fault(open.iter().filter_map(Step::pointer).collect::<String>(), message)
}

/// The way to the innermost value that is being read once `offset` bytes of `json` were consumed.
///
/// serde_json counts the last byte it looked at, so a container that ends exactly there still counts as open.
fn open_at(json: &[u8], offset: usize) -> Vec<Step> {
    let mut open: Vec<Step> = Vec::new();
    let mut bytes = json.iter().copied().take(offset.saturating_sub(1)).peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' => open.push(Step::Key(Vec::new())),
            b'[' => open.push(Step::Index(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Step::Index(index)) => *index = index.saturating_add(1),
                Some(Step::Key(key)) => key.clear(),
                None => {}
            },
            b'"' => {
                let mut text = Vec::new();
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => text.extend([byte].into_iter().chain(bytes.next())),
                        _ => text.push(byte),
                    }
                }
                // A string directly inside an object is its key, unless a key is already there: then it is the value.
                if let Some(Step::Key(key)) = open.last_mut()
                    && key.is_empty()
                {
                    *key = text;
                }
            }
            _ => {}
        }
    }
    open
}

enum Step {
    Key(Vec<u8>),
    Index(usize),
}

impl Step {
    /// `/name` as RFC 6901 escapes it; none before the first key.
    fn pointer(&self) -> Option<String> {
        match self {
            Self::Index(index) => Some(format!("/{index}")),
            Self::Key(key) if key.is_empty() => None,
            Self::Key(key) => Some(format!("/{}", String::from_utf8_lossy(key).replace('~', "~0").replace('/', "~1"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Sample {
        routes: Vec<Route>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Route {
        path: String,
        weight: Option<u32>,
    }

    #[test]
    fn fault_points_at_the_value() {
        let table = [
            (r#"{"routes":[{"path":"/"},{"path":7}]}"#, "/routes/1/path"),
            (r#"{"routes":[{"path":"/"},{"weight":1}]}"#, "/routes/1"),
            ("{\"routes\":[\n{\"path\":\"/\",\n \"weight\":\"x\"}]}", "/routes/0/weight"),
            (r#"{"routes":[{"path":"/\"","wieght":1}]}"#, "/routes/0/wieght"),
            (r#"{"routes":{}}"#, "/routes"),
            ("7", ""),
            ("{", ""),
        ];

        for (json, pointer) in table {
            let errors = parse::<Sample>(json).unwrap_err();
            assert_eq!(errors[0].path, pointer, "{json}: {errors:?}");
        }
    }

    #[test]
    fn nothing_means_null_or_an_empty_object() {
        assert!(nothing("null").is_ok() && nothing("{ }").is_ok() && nothing("{\"a\":1}").is_err());
        assert!(parse_or_default::<Sample>("null").is_ok(), "left out means default");
    }
}
