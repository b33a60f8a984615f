//! Rules, from a configuration to a decision.

use tidegate_plugin::{Scheme, config};

use super::*;

mod exclusions;
mod faults;
mod mapping;
mod responses;

/// What the client asks for, and what is sent; none if unmatched.
type Sent = (&'static str, Option<&'static str>);

fn request(uri: &str) -> RequestLine {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    RequestLine {
        method: "GET".to_owned(),
        scheme: Scheme::Http,
        host: "front.example".to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        upgrade: None,
    }
}

fn rules(json: &str) -> Result<Rules, Vec<ConfigError>> {
    Rules::new(config::parse(json)?, &["main".to_owned(), "other".to_owned()])
}

/// `path target`, `~regex target`, `path !`: one rule a line.
fn listed(lines: &[&str]) -> Rules {
    let routes = lines.iter().map(|line| {
        let (path, target) = line.rsplit_once(' ').unwrap();
        let action = match target {
            "!" => r#""exclude""#.to_owned(),
            "-" => r#"{"forward":{"cluster":"main"}}"#.to_owned(),
            _ => format!(r#"{{"forward":{{"cluster":"main","path":"{target}"}}}}"#),
        };
        match path.strip_prefix('~') {
            Some(regex) => format!(r#"{{"path_regex":"{}","action":{action}}}"#, regex.replace('\\', r"\\")),
            None => format!(r#"{{"path":"{path}","action":{action}}}"#),
        }
    });
    rules(&format!(r#"{{"routes":[{}]}}"#, routes.collect::<Vec<_>>().join(","))).unwrap()
}

/// Path and query that would be sent; none if unmatched.
fn sent(rules: &Rules, uri: &str) -> Option<String> {
    match rules.decide(&request(uri)) {
        Decision::Forward(target) => Some(target.path.unwrap_or_else(|| uri.to_owned())),
        Decision::Unmatched => None,
        other @ (Decision::Respond(_) | Decision::Next) => panic!("{uri}: {other:?}"),
    }
}
