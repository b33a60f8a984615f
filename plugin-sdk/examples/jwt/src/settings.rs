//! What an operator writes, and what it means.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_plugin::{Config, ConfigError, config};

use crate::keys::Keys;

/// As written; `keys` comes from a file that `secrets` of the plugin names.
#[derive(Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// JWK Set (RFC 7517) that tokens are checked with.
    keys: String,
    /// `iss` that tokens must have; without it any.
    issuer: Option<String>,
    /// `aud` that tokens must have, or have among several; without it only tokens without `aud` are taken.
    audience: Option<String>,
    /// Seconds by which clocks may differ.
    #[config(range = 0..=300)]
    leeway: u32,
    /// Claims that the endpoint gets as headers: claim to header. What clients send in these is taken out.
    claims: BTreeMap<String, String>,
    /// Query field that may have the token, for browsers: their websockets cannot send `Authorization`.
    query: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { keys: String::new(), issuer: None, audience: None, leeway: 60, claims: BTreeMap::new(), query: None }
    }
}

/// What it means.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) keys: Keys,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) leeway: u32,
    pub(crate) claims: BTreeMap<String, String>,
    pub(crate) query: Option<String>,
}

impl Settings {
    pub(crate) fn understood(self) -> Result<Rules, Vec<ConfigError>> {
        let mut faults = Vec::new();
        if self.keys.is_empty() {
            let message = "expected a JWK Set: write `secrets = { keys = \"keys.json\" }` in the plugin's section";
            faults.push(config::fault("/keys", message));
        }
        let is_header = |name: &str| {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !name.is_empty() && name.bytes().all(is_token) && !name.eq_ignore_ascii_case("host")
        };
        for (claim, header) in self.claims.iter().filter(|(_, header)| !is_header(header)) {
            let path = format!("/claims/{}", claim.replace('~', "~0").replace('/', "~1"));
            faults.push(config::fault(path, format!("expected the name of a header, found {header:?}")));
        }
        let keys = if self.keys.is_empty() { Err(String::new()) } else { Keys::read(&self.keys) };
        match keys {
            Ok(keys) if faults.is_empty() => Ok(Rules {
                keys,
                issuer: self.issuer,
                audience: self.audience,
                leeway: self.leeway,
                claims: self.claims,
                query: self.query,
            }),
            Ok(_) => Err(faults),
            Err(problem) => {
                if !problem.is_empty() {
                    faults.push(config::fault("/keys", problem));
                }
                Err(faults)
            }
        }
    }
}
