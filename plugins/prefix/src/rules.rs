//! The rules ready for use, and the decision for one request.

use regex_lite::Regex;
use tidegate_plugin::{ConfigError, Decision, RequestLine, Response, Target, fault};

use crate::index::{Hit, Index, Pattern};
use crate::path;
use crate::template;
use crate::written::{Action, Forward, Redirect, Respond, Route, Written};

/// All rules with their index.
#[derive(Debug)]
pub struct Rules {
    index: Index,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// None for a prefix.
    regex: Option<Regex>,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Forward { cluster: u32, path: String },
    Redirect { to: String, status: u32 },
    Respond(Response),
    Exclude,
}

impl Rules {
    /// Checks what was written; `clusters` are the names that may be used.
    ///
    /// # Errors
    /// Every fault, each with its place.
    pub fn new(written: Written, clusters: &[String]) -> Result<Self, Vec<ConfigError>> {
        let (mut index, mut rules, mut errors) = (Index::default(), Vec::new(), Vec::new());
        for (number, route) in (0_u32..).zip(written.routes) {
            let at = format!("/routes/{number}");
            match (pattern(&route, &at), outcome(route.action, &at, clusters)) {
                (Ok(pattern), Ok(outcome)) => {
                    index.add(number, &pattern, &route.hosts);
                    let regex = if let Pattern::Regex(regex) = pattern { Some(regex) } else { None };
                    rules.push(Rule { regex, outcome });
                }
                (pattern, outcome) => errors.extend(pattern.err().into_iter().chain(outcome.err())),
            }
        }
        if errors.is_empty() { Ok(Self { index, rules }) } else { Err(errors) }
    }

    /// Decides for one request: the first rule that matches.
    #[must_use]
    pub fn decide(&self, request: &RequestLine) -> Decision {
        let normal = path::normal(&request.path);
        let Some(hit) = self.index.find(&request.host, &request.path, normal.as_deref()) else {
            return Decision::Unmatched;
        };
        let Some(rule) = usize::try_from(hit.rule).ok().and_then(|number| self.rules.get(number)) else {
            return Decision::Unmatched;
        };
        match &rule.outcome {
            Outcome::Forward { cluster, path } => Decision::Forward(Target {
                cluster: *cluster,
                path: if is_kept(path, &hit, request) {
                    None
                } else {
                    changed(rule.target(path, &hit, request, normal.as_deref()), request)
                },
                route: Some(hit.rule),
            }),
            Outcome::Redirect { to, status } => Decision::Respond(Response {
                status: *status,
                headers: vec![("location".to_owned(), rule.filled(to, request, normal.as_deref()))],
                body: Vec::new(),
            }),
            Outcome::Respond(response) => Decision::Respond(response.clone()),
            Outcome::Exclude => Decision::Unmatched,
        }
    }
}

impl Rule {
    /// The path towards the endpoint: raw concatenation, as Apache does it.
    fn target(&self, path: &str, hit: &Hit, request: &RequestLine, normal: Option<&str>) -> String {
        let mut target = self.filled(path, request, normal);
        match hit.rest {
            Some(rest) => target.push_str(request.path.get(rest..).unwrap_or_default()),
            None if template::names_a_group(path) => {}
            None => target.push_str(&request.path),
        }
        if !target.starts_with('/') {
            target.insert(0, '/');
        }
        target
    }

    fn filled(&self, template: &str, request: &RequestLine, normal: Option<&str>) -> String {
        match &self.regex {
            Some(regex) => template::fill(template, regex, &request.path, normal),
            None => template.to_owned(),
        }
    }
}

/// Whether the target begins with the very bytes that matched: the most frequent case, told without making a path.
fn is_kept(path: &str, hit: &Hit, request: &RequestLine) -> bool {
    !path.is_empty() && hit.rest.and_then(|rest| request.path.get(..rest)) == Some(path)
}

/// Path and query to send, or none if the client's will do.
fn changed(mut target: String, request: &RequestLine) -> Option<String> {
    if target == request.path {
        return None;
    }
    if let Some(query) = &request.query {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(query);
    }
    Some(target)
}

fn pattern(route: &Route, at: &str) -> Result<Pattern, ConfigError> {
    match (&route.path, &route.path_regex) {
        (Some(path), None) if path.starts_with('/') => Ok(Pattern::Prefix(path.clone())),
        (Some(path), None) => Err(fault(format!("{at}/path"), format!("expected a path that starts with /: {path}"))),
        (None, Some(regex)) => Regex::new(regex)
            .map(Pattern::Regex)
            .map_err(|error| fault(format!("{at}/path_regex"), format!("not a regular expression: {error}"))),
        _ => Err(fault(at, "expected one of path and path_regex")),
    }
}

fn outcome(action: Action, at: &str, clusters: &[String]) -> Result<Outcome, ConfigError> {
    let at = |key: &str| format!("{at}/action/{key}");
    match action {
        Action::Forward(Forward { cluster, path }) => {
            if !path.is_empty() && !path.starts_with(['/', '$']) || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = format!("expected a path that starts with /, blanks and the like as %XX: {path}");
                return Err(fault(at("forward/path"), message));
            }
            let known = clusters.iter().position(|name| *name == cluster).and_then(|id| u32::try_from(id).ok());
            let unknown = || format!("no cluster {cluster}; there are: {}", clusters.join(", "));
            let cluster = known.ok_or_else(|| fault(at("forward/cluster"), unknown()))?;
            Ok(Outcome::Forward { cluster, path })
        }
        Action::Redirect(Redirect { to, status }) => {
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                let message = format!("expected 301, 302, 303, 307 or 308, found {status}");
                return Err(fault(at("redirect/status"), message));
            }
            if to.is_empty() || !to.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(fault(at("redirect/to"), format!("expected a URL without blanks: {to}")));
            }
            Ok(Outcome::Redirect { to, status })
        }
        Action::Respond(Respond { status, headers, body }) => {
            if !(200..=599).contains(&status) {
                return Err(fault(at("respond/status"), format!("expected 200 to 599, found {status}")));
            }
            let bad = headers.iter().position(|(name, value)| {
                name.is_empty() || !name.bytes().all(is_token) || value.bytes().any(|byte| byte.is_ascii_control())
            });
            if let Some(bad) = bad {
                return Err(fault(at(&format!("respond/headers/{bad}")), "not a header field"));
            }
            Ok(Outcome::Respond(Response { status, headers, body: body.into_bytes() }))
        }
        Action::Exclude => Ok(Outcome::Exclude),
    }
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
