//! So many requests a second for each API key, and for each address that shows none.
//!
//! The gateway holds the buckets, for all its workers together and over swaps.

mod client;
mod settings;

use tidegate_plugin::{
    About, Config, ConfigError, Decision, Describe, RequestLine, Response, Router, export_router, limit, metrics,
    request,
};

use settings::Settings;

/// What `take` answers where there will be no token: for longer than it can say.
const NEVER: u32 = 0x7fff_ffff;

/// The plugin.
#[derive(Debug)]
pub struct RateLimit(Settings);

impl Router for RateLimit {
    fn configure(config: &str, _clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        Settings::read(config).map(Self)
    }

    fn route(&mut self, line: &RequestLine) -> Decision {
        // A key that is not in the list has no bucket of its own: with made-up keys one could have as many as one likes.
        let known = self.key(line).and_then(|key| self.0.keys.get_key_value(&key));
        let (who, bucket, limit) = match known {
            Some((key, limit)) => ("key", format!("key {key}"), limit),
            None => ("anonymous", format!("from {}", client::network(request::client())), &self.0.anonymous),
        };
        let wait = limit::take(&bucket, limit.rate, limit.burst);
        if wait == 0 {
            metrics::count("passed", who, 1.0);
            return Decision::Next;
        }
        metrics::count("refused", who, 1.0);
        let mut headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        if wait < NEVER {
            headers.push(("retry-after".to_owned(), wait.div_ceil(1000).to_string()));
        }
        Decision::Respond(Response { status: 429, headers, body: b"too many requests\n".to_vec() })
    }
}

impl RateLimit {
    /// The key that a request shows: in the header, else in the query.
    fn key(&self, line: &RequestLine) -> Option<String> {
        let in_header = self.0.header.as_deref().and_then(request::header);
        in_header.or_else(|| {
            let (name, query) = (self.0.query.as_deref()?, line.query.as_deref()?);
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        })
    }
}

impl Describe for RateLimit {
    fn description() -> About {
        About {
            name: "rate-limit".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "So many requests a second for each API key.".to_owned(),
            schema: Some(Settings::schema()),
        }
    }
}

export_router!(RateLimit + Describe);

#[cfg(test)]
mod tests;
