//! What both are asked: a few requests for each route.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::config::Config;

/// Most pairs of host and path. Each is asked in three ways.
const MOST: usize = 64;
/// The end of a path that no server has by chance.
const BELOW: &str = "tidegate-import-compare";

/// How something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// GET
    Get,
    /// HEAD
    Head,
    /// A handshake of a websocket.
    Websocket,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// How.
    pub(super) how: How,
    /// Host field.
    pub(super) host: String,
    /// Path and query.
    pub(super) path: String,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Get => "GET",
            How::Head => "HEAD",
            How::Websocket => "websocket",
        };
        write!(f, "{how} http://{}{}", self.host, self.path)
    }
}

impl Question {
    /// The request on the wire, for a connection of its own.
    pub(super) fn wire(&self) -> String {
        let Self { how, host, path } = self;
        let (method, more) = match how {
            How::Get => ("GET", "Connection: close\r\n"),
            How::Head => ("HEAD", "Connection: close\r\n"),
            How::Websocket => (
                "GET",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            ),
        };
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tidegate-import\r\nAccept: */*\r\n{more}\r\n")
    }
}

/// Questions for each route of `config`: its path and something below it, at its first host or `authority`; and `/` of each
/// host.
pub(super) fn questions(config: &Config, authority: &str) -> Vec<Question> {
    let routes = config.router.config.get("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut pairs = Vec::new();
    for route in routes {
        let first =
            route.get("hosts").and_then(Value::as_array).and_then(|hosts| hosts.first()).and_then(Value::as_str);
        let host = first.map_or_else(|| authority.to_owned(), |host| host.replace('*', "www"));
        let text = |key| route.get(key).and_then(Value::as_str);
        let path = text("path").map_or_else(|| literal(text("path_regex").unwrap_or_default()), str::to_owned);
        if !path.starts_with('/') {
            continue;
        }
        let below = format!("{}/{BELOW}?a=b%20c", path.trim_end_matches('/'));
        pairs.extend([(host.clone(), "/".to_owned()), (host.clone(), path), (host, below)]);
    }
    let mut seen = BTreeSet::new();
    pairs.retain(|pair| seen.insert(pair.clone()));
    pairs.truncate(MOST);
    let ways = [How::Get, How::Head, How::Websocket];
    pairs
        .iter()
        .flat_map(|(host, path)| ways.map(|how| Question { how, host: host.clone(), path: path.clone() }))
        .collect()
}

/// What stands at the beginning of a pattern and means itself.
fn literal(pattern: &str) -> String {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_~".contains(c);
    let end = pattern.find(|c| !is_plain(c)).unwrap_or(pattern.len());
    // What a quantifier stands behind need not be there.
    let is_repeated = pattern.get(end..).is_some_and(|rest| rest.starts_with(['?', '*', '{']));
    let end = if is_repeated { end.saturating_sub(1) } else { end };
    pattern.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    #[test]
    fn each_route_is_asked_at_its_path_and_below() {
        let text = "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\nhosts = [\"*.example.org\"]\npath = \
            \"/ws\"\nto = \"http://127.0.0.1:9\"\n\
                    [[route]]\npath_regex = \"^/files?/(.*)$\"\nto = \"http://127.0.0.1:9/$1\"\n";
        let config = config::parse(text, Path::new("a.toml")).unwrap();

        let asked: Vec<_> = questions(&config, "here:80").iter().map(Question::to_string).collect();

        assert_eq!(asked.len(), 18, "{asked:?}");
        for question in [
            "GET http://www.example.org/",
            "HEAD http://www.example.org/ws",
            "websocket http://www.example.org/ws/tidegate-import-compare?a=b%20c",
            "GET http://here:80/file",
        ] {
            assert!(asked.iter().any(|asked| asked == question), "{question}: {asked:?}");
        }
    }

    #[test]
    fn the_beginning_of_a_pattern_is_taken_as_far_as_it_means_itself() {
        for (pattern, expected) in
            [("^/a/(.*)$", "/a/"), ("/ab?c", "/a"), ("^/x\\.y", "/x"), ("(a|b)", ""), ("^/$", "/")]
        {
            assert_eq!(literal(pattern), expected, "{pattern}");
        }
    }
}
