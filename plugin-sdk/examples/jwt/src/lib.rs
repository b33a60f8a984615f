//! Requests and websockets go on only with a JSON Web Token (RFC 7519) that one of the operator's keys has signed. What
//! it claims reaches the endpoint as headers.
//!
//! A router for the `plugins` of a route, before whatever decides where requests go.

mod keys;
#[cfg(target_arch = "wasm32")]
mod randomness;
mod settings;

use serde_json::Value;
use tidegate_plugin::{
    About, Config, ConfigError, Decision, Describe, RequestLine, Response, Router, clock, edits, edits::Side,
    export_router, metrics, notes, request,
};

use keys::TokenClaims;
use settings::{Rules, Settings};

/// Longest token, in bytes; one of an identity provider has one or two thousand.
const LONGEST_TOKEN: usize = 8192;

/// Longest note that a gateway takes, in bytes.
const LONGEST_NOTE: usize = 256;

/// The plugin.
#[derive(Debug)]
pub struct ByToken {
    rules: Rules,
}

impl Router for ByToken {
    fn configure(config: &str, _clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        Ok(Self { rules: Settings::read(config)?.understood()? })
    }

    fn route(&mut self, line: &RequestLine) -> Decision {
        let headers = match self.rules.token(line).and_then(|token| self.rules.headers(&token)) {
            Ok(headers) => headers,
            Err(refused) => {
                metrics::count("requests", "refused", 1.0);
                return refused.respond();
            }
        };
        metrics::count("requests", "accepted", 1.0);
        for (name, value) in headers {
            // What a client claims of itself is taken out in any case.
            match value {
                Some(value) => edits::set(Side::Request, name, &value),
                None => edits::remove(Side::Request, name),
            }
        }
        Decision::Next
    }
}

/// Why a request goes no further (RFC 6750 §3.1).
enum Refused {
    /// It has no token, and need not be told what is wrong with it.
    WithoutToken,
    /// It says who it is in a way that is not understood.
    Malformed(&'static str),
    /// It has a token that is not to be trusted.
    Invalid(&'static str),
}

impl Refused {
    fn respond(self) -> Decision {
        let (status, challenge) = match self {
            Self::WithoutToken => (401, "Bearer".to_owned()),
            Self::Malformed(why) => (400, format!("Bearer error=\"invalid_request\", error_description=\"{why}\"")),
            Self::Invalid(why) => (401, format!("Bearer error=\"invalid_token\", error_description=\"{why}\"")),
        };
        let headers =
            [("www-authenticate", challenge.as_str()), ("cache-control", "no-store"), ("content-type", "text/plain")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Decision::Respond(Response { status, headers, body: b"a valid token is needed\n".to_vec() })
    }
}

impl Rules {
    /// The token of a request: of its `Authorization`, of its query, or among the subprotocols of a websocket.
    fn token(&self, line: &RequestLine) -> Result<String, Refused> {
        let mut found = Vec::new();
        for value in request::values("authorization") {
            // The scheme in any case (RFC 9110 §11.1).
            let (scheme, token) = value.split_once(' ').unwrap_or((&value, ""));
            if scheme.eq_ignore_ascii_case("bearer") {
                found.push(token.trim_matches(' ').to_owned());
            }
        }
        if let (Some(name), Some(query)) = (&self.settings.query, &line.query) {
            let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            found.extend(pairs.map(|(_, token)| token.into_owned()));
        }
        if let (Some(name), Some("websocket")) = (&self.settings.protocol, line.upgrade.as_deref()) {
            found.extend(offered(name));
        }
        match &mut found[..] {
            [] => Err(Refused::WithoutToken),
            [token] if token.len() > LONGEST_TOKEN => Err(Refused::Invalid("it is too long")),
            [token] => Ok(std::mem::take(token)),
            // Two readers could take two (RFC 6750 §2).
            _ => Err(Refused::Malformed("expected one token, found several")),
        }
    }

    /// What the endpoint is to get in each header that the operator names: the claim's value, or nothing.
    fn headers(&self, token: &str) -> Result<Vec<(&str, Option<String>)>, Refused> {
        let claims = self.keys.check(token, clock::wall(), self.settings.leeway).map_err(Refused::Invalid)?;
        self.check_names(&claims).map_err(Refused::Invalid)?;
        if let Some(subject) =
            claims.custom.get("sub").and_then(Value::as_str).filter(|text| text.len() <= LONGEST_NOTE)
        {
            notes::note("sub", subject);
        }
        let header = |(claim, name)| {
            let value = claims.custom.get(claim).and_then(header_value);
            if value.as_deref().is_some_and(|value| value.bytes().any(|byte| byte < b' ' || byte == 127)) {
                return Err(Refused::Invalid("a claim has characters that no header may have"));
            }
            Ok((name, value))
        };
        let named = self.settings.claims.iter().map(|(claim, name)| (claim.as_str(), name.as_str()));
        named.map(header).collect()
    }

    /// Checks who has made a token and whom it is for.
    fn check_names(&self, claims: &TokenClaims) -> Result<(), &'static str> {
        let claim = |name: &str| claims.custom.get(name);
        if self.settings.issuer.is_some() && claim("iss").and_then(Value::as_str) != self.settings.issuer.as_deref() {
            return Err("it is of another issuer");
        }
        let is_for = |wanted: &str| match claim("aud") {
            Some(Value::String(one)) => one == wanted,
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(wanted)),
            _ => false,
        };
        match &self.settings.audience {
            Some(wanted) if is_for(wanted) => Ok(()),
            // Who is not named must reject it (RFC 7519 §4.1.3).
            Some(_) => Err("it is for another audience"),
            None if claim("aud").is_some() => Err("it is for an audience, and this gateway has no name"),
            None => Ok(()),
        }
    }
}

/// What a websocket offers as the subprotocol after the one of this `name`, in the order of the client (RFC 6455 §4.1).
fn offered(name: &str) -> Vec<String> {
    let fields = request::values("sec-websocket-protocol").join(",");
    let protocols: Vec<_> = fields.split(',').map(str::trim).collect();
    let named = protocols.iter().zip(protocols.iter().skip(1)).filter(|(before, _)| **before == name);
    named.map(|(_, token)| (*token).to_owned()).collect()
}

/// A claim as a header has it: texts as they are, numbers and truths as JSON writes them, lists of these with commas; a
/// list in which an item has a comma of its own would be read as another.
fn header_value(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(claim.to_string()),
        Value::Array(items) => {
            let items = items.iter().map(|item| header_value(item).filter(|text| !text.contains(',')));
            Some(items.collect::<Option<Vec<_>>>()?.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

impl Describe for ByToken {
    fn description() -> About {
        About {
            name: "jwt".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Requests go on with a JSON Web Token of the operator's keys, and its claims as headers."
                .to_owned(),
            schema: Some(Settings::schema()),
        }
    }
}

export_router!(ByToken + Describe);

#[cfg(test)]
mod tests;
