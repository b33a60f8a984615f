//! What an operator writes, and what it means.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_plugin::{Config, ConfigError, config};

use crate::keys::Keys;

/// As written; `keys` comes from a file that `secrets` of the plugin names.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// JWK Set (RFC 7517) that tokens are checked with.
    keys: String,
    /// `iss` that tokens must have; without it any.
    pub(crate) issuer: Option<String>,
    /// `aud` that tokens must have, or have among several; without it only tokens without `aud` are taken.
    pub(crate) audience: Option<String>,
    /// Seconds by which clocks may differ.
    #[config(range = 0..=300)]
    pub(crate) leeway: u32,
    /// Claims that the endpoint gets as headers: claim to header. What clients send in these is taken out.
    pub(crate) claims: BTreeMap<String, String>,
    /// Query field that may have the token, for browsers: their websockets cannot send `Authorization`.
    pub(crate) query: Option<String>,
    /// Subprotocol after which a websocket may offer the token, for browsers: `new WebSocket(url, [protocol, token])`.
    pub(crate) protocol: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keys: String::new(),
            issuer: None,
            audience: None,
            leeway: 60,
            claims: BTreeMap::new(),
            query: None,
            protocol: None,
        }
    }
}

/// What it means: the keys, and the rest as written.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) keys: Keys,
    pub(crate) settings: Settings,
}

impl Settings {
    pub(crate) fn understood(mut self) -> Result<Rules, Vec<ConfigError>> {
        let mut faults = Vec::new();
        // Taken out: nothing shows it from here on.
        let keys = match std::mem::take(&mut self.keys) {
            none if none.is_empty() => {
                Err("expected a JWK Set: write `secrets = { keys = \"keys.json\" }` in the plugin's section".to_owned())
            }
            keys => Keys::read(&keys),
        };
        let keys = keys.map_err(|problem| faults.push(config::fault("/keys", problem)));
        if let Some(name) = self.protocol.as_ref().filter(|name| !is_protocol(name)) {
            faults.push(config::fault(
                "/protocol",
                format!("expected the name of a subprotocol, a token, found {name:?}"),
            ));
        }
        let is_header = |name: &str| {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !name.is_empty() && name.bytes().all(is_token) && !name.eq_ignore_ascii_case("host")
        };
        for (claim, header) in self.claims.iter().filter(|(_, header)| !is_header(header)) {
            let path = format!("/claims/{}", claim.replace('~', "~0").replace('/', "~1"));
            faults.push(config::fault(path, format!("expected the name of a header, found {header:?}")));
        }
        match keys {
            Ok(keys) if faults.is_empty() => Ok(Rules { keys, settings: self }),
            _ => Err(faults),
        }
    }
}

/// RFC 6455 §4.1: a token of RFC 9110 §5.6.2.
fn is_protocol(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}
