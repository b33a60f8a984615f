//! The router that Tidegate starts with: path prefixes and patterns in the operator's order, as Apache's `ProxyPass`.
//!
//! What is compared is percent-decoded, so that no rule can be dodged by encoding a letter; what is forwarded is the
//! target's path and the rest of the client's, byte for byte. `%2F` is no separator, and `;x` belongs to its segment;
//! but exclusions are compared once more with `%2F`, `%5C` and `\` as separators and with parameters cut off, for there
//! are servers that read paths so.

pub mod conditions;
pub mod index;
pub mod path;
pub mod pattern;
pub mod redirect;
pub mod rules;
pub mod template;
pub mod written;

use tidegate_plugin::{About, ConfigError, Decision, Describe, Repeats, RequestLine, Router, config, export_router};

use rules::Rules;

/// The plugin.
#[derive(Debug)]
pub struct Prefix(Rules);

impl Router for Prefix {
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        Rules::new(config::parse_or_default(config)?, &clusters).map(Self)
    }

    fn route(&mut self, request: &RequestLine) -> Decision {
        self.0.decide(request)
    }
}

/// The rules do not change. What has a part in them beside the request line is asked of the gateway where it has, and such
/// a decision is not remembered.
impl Repeats for Prefix {}

impl Describe for Prefix {
    fn description() -> About {
        About {
            name: "prefix".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Path prefixes and patterns, the first that matches wins.".to_owned(),
            schema: None,
        }
    }
}

export_router!(Prefix + Repeats + Describe);
