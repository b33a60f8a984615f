//! The rules ready for use, and the decision for one request.

use std::collections::BTreeMap;

use tidegate_plugin::{ConfigError, Decision, RequestLine, Response, Target, fault};

use crate::conditions::{Conditions, longest_value};
use crate::index::{Hit, Index, LEAST_FOR_PATTERNS, Pattern, Purpose, TooCostly, TooLong};
use crate::path::{Forms, may_have_dots};
use crate::pattern::{Cost, Regex};
use crate::redirect::RedirectTarget;
use crate::template;
use crate::written::{Action, Forward, Redirect, Respond, Written};

/// Bytes of the longest path and query that are sent, and of the longest Location: what the gateway takes from a
/// router.
const LONGEST: usize = 60 * 1024;

/// All rules with their index.
#[derive(Debug)]
pub struct Rules {
    index: Index,
    rules: Vec<Outcome>,
    /// Of the rules that have any, by number.
    conditions: BTreeMap<u32, Conditions>,
    /// Bytes of values that patterns of conditions look at.
    longest_value: usize,
}

#[derive(Debug)]
enum Outcome {
    Forward { cluster: u32, path: String },
    Redirect { to: RedirectTarget, status: u32, headers: Vec<(String, String)> },
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
        let mut conditions = BTreeMap::new();
        for (number, route) in (0_u32..).zip(written.routes) {
            let at = format!("/routes/{number}");
            match route.when.map(|when| Conditions::new(when, &format!("{at}/when"))).transpose() {
                Ok(None) => {}
                Ok(Some(read)) => {
                    conditions.insert(number, read);
                }
                Err(faults) => errors.extend(faults),
            }
            let outcome = outcome(route.action, &at, clusters);
            let purpose = outcome.as_ref().map_or(Purpose::Plain, Outcome::purpose);
            match (pattern(route.path, route.path_regex, purpose, &at), outcome) {
                (Ok(pattern), Ok(outcome)) => {
                    index.add(number, &pattern, purpose, &route.hosts);
                    rules.push(outcome);
                }
                (pattern, outcome) => errors.extend(pattern.err().into_iter().chain(outcome.err())),
            }
        }
        if errors.is_empty() {
            errors.extend(index.check().err().map(|costly| too_costly(&costly)));
        }
        let cost = conditions.values().fold(Cost::default(), |cost, conditions| cost.and(conditions.cost()));
        match longest_value(cost) {
            Ok(longest_value) if errors.is_empty() => Ok(Self { index, rules, conditions, longest_value }),
            Ok(_) => Err(errors),
            Err(costly) => {
                errors.push(costly);
                Err(errors)
            }
        }
    }

    /// Decides for one request: the first rule that matches.
    #[must_use]
    pub fn decide(&self, request: &RequestLine) -> Decision {
        let forms = Forms::of(&request.path);
        let found = if self.conditions.is_empty() {
            self.index.find(&request.host, &forms)
        } else {
            self.index.find_first(&request.host, &forms, |rule| match self.conditions.get(&rule) {
                Some(conditions) => conditions.hold(request, self.longest_value),
                None => Ok(true),
            })
        };
        let hit = match found {
            Ok(Some(hit)) => hit,
            Ok(None) => return Decision::Unmatched,
            Err(too) => return Decision::Respond(too_long(too)),
        };
        let Some(outcome) = usize::try_from(hit.rule).ok().and_then(|number| self.rules.get(number)) else {
            return Decision::Unmatched;
        };
        match outcome {
            Outcome::Forward { cluster, path } => {
                let target = (!is_kept(path, &hit, request)).then(|| target(path, &hit, request));
                if hit.groups.is_some() && target.as_ref().is_some_and(|target| makes_dots(path, target)) {
                    return Decision::Respond(dots());
                }
                let path = target.and_then(|target| changed(target, request));
                if path.as_ref().is_some_and(|path| path.len() > LONGEST) {
                    return Decision::Respond(too_long(TooLong::Path));
                }
                Decision::Forward(Target { cluster: *cluster, path, route: Some(hit.rule) })
            }
            Outcome::Redirect { to, status, headers } => {
                let Ok(location) = to.location(&hit, request) else { return Decision::Respond(no_host()) };
                if location.len() > LONGEST {
                    return Decision::Respond(too_long(TooLong::Path));
                }
                let own = ("location".to_owned(), location);
                let headers = std::iter::once(own).chain(headers.iter().cloned()).collect();
                Decision::Respond(Response { status: *status, headers, body: Vec::new() })
            }
            Outcome::Respond(response) => Decision::Respond(response.clone()),
            Outcome::Exclude => Decision::Unmatched,
        }
    }
}

impl Outcome {
    /// What a hit is wanted for.
    fn purpose(&self) -> Purpose {
        match self {
            Self::Forward { path, .. } if template::names_a_group(path) => Purpose::Groups,
            Self::Redirect { to, .. } if to.names_a_group() => Purpose::Groups,
            Self::Exclude => Purpose::Exclude,
            _ => Purpose::Plain,
        }
    }
}

fn too_costly(costly: &TooCostly) -> ConfigError {
    let TooCostly { rule, patterns, longest } = costly;
    let message = format!(
        "looking for it costs too much: beside {} other patterns it leaves time for paths of {longest} bytes, at least \
         {LEAST_FOR_PATTERNS} are expected; anchor it with ^, write + or * for counted repetitions, use `path`, or \
         give such routes `hosts` of their own",
        patterns.saturating_sub(1)
    );
    fault(format!("/routes/{rule}/path_regex"), message)
}

/// Whether groups have made a dot segment of what was none in the client's path: `/v1../x` by `^/v1(.*)` and `/api/$1`.
/// The endpoint would leave `/api` with it.
fn makes_dots(template: &str, target: &str) -> bool {
    let path = |text: &str| text.split('?').next().is_some_and(may_have_dots);
    path(target) && !path(template)
}

fn too_long(what: TooLong) -> Response {
    match what {
        TooLong::Path => refusal(414, "The path is too long to be routed.\n"),
        TooLong::Query => refusal(414, "A value of the query is too long to be routed by.\n"),
        TooLong::Header => refusal(431, "A header is too long to be routed by.\n"),
    }
}

fn no_host() -> Response {
    refusal(400, "The request has to name its Host, which is where its client is sent.\n")
}

fn dots() -> Response {
    refusal(400, "The path would have a dot segment where it is sent.\n")
}

fn refusal(status: u32, text: &str) -> Response {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    Response { status, headers, body: text.as_bytes().to_vec() }
}

/// The path towards the endpoint: raw concatenation, as Apache does it.
fn target(path: &str, hit: &Hit<'_>, request: &RequestLine) -> String {
    let mut target = filled(path, hit);
    match (hit.rest, &hit.groups) {
        (Some(rest), _) => target.push_str(request.path.get(rest..).unwrap_or_default()),
        (None, Some(_)) => {}
        (None, None) => target.push_str(&request.path),
    }
    if !target.starts_with('/') {
        target.insert(0, '/');
    }
    target
}

fn filled(template: &str, hit: &Hit<'_>) -> String {
    hit.groups.as_ref().map_or_else(|| template.to_owned(), |groups| template::fill(template, groups))
}

/// Whether the target begins with the very bytes that matched: the most frequent case, told without making a path.
fn is_kept(path: &str, hit: &Hit<'_>, request: &RequestLine) -> bool {
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

fn pattern(
    path: Option<String>,
    path_regex: Option<String>,
    purpose: Purpose,
    at: &str,
) -> Result<Pattern, ConfigError> {
    match (path, path_regex) {
        (Some(path), None) if path.starts_with('/') => Ok(Pattern::Prefix(path)),
        (Some(path), None) => Err(fault(format!("{at}/path"), format!("expected a path that starts with /: {path}"))),
        (None, Some(regex)) => Regex::new(&regex, purpose == Purpose::Groups)
            .map(|regex| Pattern::Regex(regex.into()))
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
        Action::Redirect(Redirect { to, status, headers }) => {
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                let message = format!("expected 301, 302, 303, 307 or 308, found {status}");
                return Err(fault(at("redirect/status"), message));
            }
            let to = RedirectTarget::parse(&to).map_err(|error| fault(at("redirect/to"), error.0))?;
            Ok(Outcome::Redirect { to, status, headers })
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
