//! A router that decides by the beginning of the body: of its JSON, `cluster` is where it goes and `status` what it
//! responds; all else is left to the next.
//!
//! `{"bytes": 64}` is how much it sees, 256 without it; what it saw is told in `x-seen` of the response. `{"last": true}`
//! is in place of the gateway's router, and forwards to the first cluster. It asks nothing of a GET, and repeats itself.

use tidegate_plugin::edits::Side;
use tidegate_plugin::{
    ConfigError, Decision, Preview, Repeats, RequestLine, Response, Router, Sight, Target, body, edits, export_router,
};

/// The plugin.
#[derive(Debug)]
pub struct BodyRouter {
    bytes: u32,
    is_last: bool,
}

fn forward(cluster: u32) -> Decision {
    Decision::Forward(Target { cluster, path: None, route: None })
}

impl Router for BodyRouter {
    fn configure(config: &str, _clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        let bytes = config.split_once("\"bytes\":").map(|(_, rest)| rest.split(|digit: char| !digit.is_ascii_digit()));
        let bytes = bytes.and_then(|mut pieces| pieces.next()?.parse().ok());
        Ok(Self { bytes: bytes.unwrap_or(256), is_last: config.contains("\"last\":true") })
    }

    fn route(&mut self, request: &RequestLine) -> Decision {
        let other = if self.is_last { forward(0) } else { Decision::Next };
        if request.method == "GET" {
            return other;
        }
        edits::append(Side::Response, "x-seen", &body::first().len().to_string());
        if let Some(status) = body::field("status").and_then(|status| status.parse().ok()) {
            return Decision::Respond(Response { status, headers: Vec::new(), body: Vec::new() });
        }
        body::field("cluster").and_then(|cluster| cluster.parse().ok()).map_or(other, forward)
    }
}

impl Repeats for BodyRouter {}

impl Preview for BodyRouter {
    fn wants(&self) -> Sight {
        Sight { bytes: self.bytes, block: 0 }
    }
}

export_router!(BodyRouter + Repeats + Preview);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake::{self, Host};

    use super::*;

    #[test]
    fn the_field_names_the_cluster() {
        let host = Host::new();
        let mut router = BodyRouter::configure(r#"{"bytes":64}"#, Vec::new()).unwrap();
        assert_eq!(router.wants(), Sight { bytes: 64, block: 0 });
        host.body_field("cluster", "1");
        assert_eq!(router.route(&fake::request()), Decision::Next, "nothing is asked of a GET");

        let posted = RequestLine { method: "POST".to_owned(), ..fake::request() };
        assert_eq!(router.route(&posted), forward(1));
    }
}
