//! `[[route]]`

use std::sync::Arc;

use ::http::{HeaderName, HeaderValue, Uri};
use toml::Spanned;

use super::super::model::{Route, Timeouts, Upgrade};
use super::super::report::{Span, closest, one_of};
use super::super::schema::{RedirectTable, RespondTable, RouteSection, Text};
use super::cluster::{self, Resolved};
use super::target::{self, Target};
use super::{Resolver, defaults};

/// Largest body of a `respond`: what a router may answer.
const LARGEST_BODY: usize = 1 << 20;
/// Statuses that send a client elsewhere.
const REDIRECTS: [u64; 5] = [301, 302, 303, 307, 308];

/// A route, with what the router and the rewriter must know of it.
pub(super) struct ResolvedRoute {
    pub(super) used: Route,
    pub(super) matcher: Matcher,
    /// Lower case; empty matches every host.
    pub(super) hosts: Vec<String>,
    pub(super) action: Action,
    /// Of `path` or `path_regex`.
    pub(super) span: Span,
}

/// What a route matches.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Prefix(String),
    Regex(String),
}

/// What a route does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Not forwarded: 404.
    Exclude,
    Forward {
        cluster: String,
        path: String,
    },
    Redirect {
        to: String,
        status: u64,
    },
    Respond {
        status: u64,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: String,
    },
}

impl Resolver<'_, '_> {
    pub(super) fn routes(
        &mut self,
        written: &[Spanned<RouteSection>],
        start: &Timeouts,
        clusters: &mut Vec<Resolved>,
    ) -> Vec<ResolvedRoute> {
        let routes: Vec<_> = written
            .iter()
            .filter_map(|section| self.route(section.get_ref(), section.span(), start, clusters))
            .collect();
        self.overlaps(&routes);
        routes
    }

    fn route(
        &mut self,
        written: &RouteSection,
        at: Span,
        start: &Timeouts,
        clusters: &mut Vec<Resolved>,
    ) -> Option<ResolvedRoute> {
        let hosts = written.hosts.as_ref().map(|hosts| {
            if hosts.get_ref().is_empty() {
                self.report.fault_hint(
                    hosts.span(),
                    "`hosts` is empty: the route would never match",
                    "leave it out to match every host",
                );
            }
            hosts.get_ref().iter().map(|host| self.host_pattern("hosts", host)).collect()
        });
        let upgrade = self.upgrade(written.upgrade.as_deref());
        let request_headers = self.edits(&written.request_headers);
        let response_headers = self.edits(&written.response_headers);
        let matcher = self.matcher(written, at.clone());
        let action = self.action(written, at, matcher.as_ref().map(|(matcher, _)| matcher), start, clusters);
        let start = match &action {
            Some(Action::Forward { cluster, .. }) => {
                clusters.iter().find(|known| known.used.name == *cluster).map_or(*start, |known| known.used.timeouts)
            }
            _ => *start,
        };
        let timeouts = self.timeouts(&written.timeouts, &start);
        let ((matcher, span), action) = (matcher?, action?);
        let (Matcher::Prefix(name) | Matcher::Regex(name)) = &matcher;
        let used = Route {
            name: Arc::from(name.as_str()),
            upgrade,
            reverse: written.reverse.unwrap_or(true),
            timeouts,
            request_headers,
            response_headers,
            preserve_host: written.preserve_host.unwrap_or(false),
        };
        Some(ResolvedRoute { used, matcher, hosts: hosts.unwrap_or_default(), action, span })
    }

    fn upgrade(&mut self, written: Option<&[Text]>) -> Upgrade {
        let Some(words) = written else { return Upgrade::Only(vec![defaults::UPGRADE.to_owned()]) };
        if words.iter().any(|word| word.get_ref().eq_ignore_ascii_case("any")) {
            return Upgrade::Any;
        }
        for word in words {
            // A protocol is a token with an optional version (RFC 9110 §7.8); a header name is a token too.
            if word.get_ref().split('/').any(|token| HeaderName::try_from(token).is_err()) {
                let message = format!(
                    "bad protocol \"{}\" in `upgrade`, expected for example \"websocket\" or \"any\"",
                    word.get_ref()
                );
                self.report.fault(word.span(), message);
            }
        }
        Upgrade::Only(words.iter().map(|word| word.get_ref().to_ascii_lowercase()).collect())
    }

    fn matcher(&mut self, written: &RouteSection, at: Span) -> Option<(Matcher, Span)> {
        match (&written.path, &written.path_regex) {
            (None, None) => {
                self.report.fault_hint(
                    at,
                    "[[route]] has no `path` and no `path_regex`, expected one of them",
                    "path = \"/\" matches everything",
                );
                None
            }
            (Some(_), Some(regex)) => {
                self.report.fault_hint(
                    regex.span(),
                    "[[route]] has both `path` and `path_regex`, expected one of them",
                    "write two routes",
                );
                None
            }
            (Some(path), None) => {
                let text = path.get_ref();
                if !text.starts_with('/') {
                    let hint = format!("write \"/{text}\"");
                    self.report.fault_hint(
                        path.span(),
                        format!("`path` is \"{text}\", which does not start with `/`"),
                        hint,
                    );
                } else if text.contains(['?', '#']) || text.chars().any(char::is_control) {
                    let message =
                        format!("`path` is {text:?}, expected a path without query, fragment and control characters");
                    self.report.fault(path.span(), message);
                }
                Some((Matcher::Prefix(text.clone()), path.span()))
            }
            (None, Some(regex)) => {
                let text = regex.get_ref();
                if let Err(error) = regex::Regex::new(text) {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    self.report.fault(regex.span(), format!("bad `path_regex` \"{text}\": {reason}"));
                }
                Some((Matcher::Regex(text.clone()), regex.span()))
            }
        }
    }

    fn action(
        &mut self,
        written: &RouteSection,
        at: Span,
        matcher: Option<&Matcher>,
        start: &Timeouts,
        clusters: &mut Vec<Resolved>,
    ) -> Option<Action> {
        match (&written.to, &written.respond, &written.redirect) {
            (Some(to), None, None) => self.forward(to, matcher, start, clusters),
            (None, Some(respond), None) => self.respond(respond.get_ref()),
            (None, None, Some(redirect)) => self.redirect(redirect.get_ref()),
            (None, None, None) => {
                let message = "[[route]] has no `to`, `respond` or `redirect`, expected one of them";
                self.report.fault_hint(at, message, "for example to = \"ws://10.0.0.1:8080\"");
                None
            }
            _ => {
                self.report.fault_hint(
                    at,
                    "[[route]] has more than one of `to`, `respond` and `redirect`",
                    "keep one of them",
                );
                None
            }
        }
    }

    fn forward(
        &mut self,
        to: &Text,
        matcher: Option<&Matcher>,
        start: &Timeouts,
        clusters: &mut Vec<Resolved>,
    ) -> Option<Action> {
        let (cluster, path) = match target::parse(to.get_ref(), &self.base) {
            Ok(Target::Exclude) => return Some(Action::Exclude),
            Ok(Target::Balancer { name, path }) => {
                if !clusters.iter().any(|cluster| cluster.used.name == name) {
                    let names = || clusters.iter().filter(|c| c.span.is_some()).map(|c| c.used.name.as_str());
                    let message = match names().next() {
                        Some(_) => format!("unknown cluster `{name}`, expected {}", one_of(names())),
                        None => format!("unknown cluster `{name}`: there is no [cluster.NAME]"),
                    };
                    match closest(&name, names()) {
                        Some(meant) => self.report.fault_meant(to.span(), message, Some(meant)),
                        None => self.report.fault_hint(to.span(), message, format!("add [cluster.{name}]")),
                    }
                    return None;
                }
                (name, path)
            }
            Ok(Target::Direct(url)) => {
                if !clusters.iter().any(|cluster| cluster.used.name == url.origin) {
                    clusters.push(cluster::direct(&url, *start));
                }
                (url.origin, url.path)
            }
            Err(fault) => {
                let message = format!("bad `to`: {}", fault.message);
                match fault.hint {
                    Some(hint) => self.report.fault_hint(to.span(), message, hint),
                    None => self.report.fault(to.span(), message),
                }
                return None;
            }
        };
        let path = match matcher {
            Some(Matcher::Prefix(from)) => self.mapped(from, path, to),
            _ => path,
        };
        Some(Action::Forward { cluster, path })
    }

    /// The path to map to. What is left of the request's path is appended as it is, so both ends must agree.
    fn mapped(&mut self, from: &str, path: String, to: &Text) -> String {
        match (from.ends_with('/'), path.ends_with('/')) {
            (true, false) if path.is_empty() => "/".to_owned(),
            (true, false) => {
                let message = format!(
                    "`path` ends with `/` and `to` does not: Apache would send {path}x for {from}x; end both with `/` or neither"
                );
                self.report.warn(to.span(), message);
                path
            }
            (false, true) => {
                let message = format!(
                    "`to` ends with `/` and `path` does not: Apache would send {path}/x for {from}/x; end both with `/` or neither"
                );
                self.report.warn(to.span(), message);
                path
            }
            _ => path,
        }
    }

    fn respond(&mut self, written: &RespondTable) -> Option<Action> {
        let status = written.status.get_ref().0;
        self.within("status", status, (200, 599), written.status.span());
        let body = written.body.as_ref().map_or("", |body| body.get_ref().as_str());
        if let Some(at) = written.body.as_ref().map(Spanned::span).filter(|_| body.len() > LARGEST_BODY) {
            self.report.fault(at, format!("`body` has {} bytes, at most {LARGEST_BODY} are answered", body.len()));
        }
        let headers = self.fields(&written.headers);
        Some(Action::Respond { status, headers, body: body.to_owned() })
    }

    fn redirect(&mut self, written: &RedirectTable) -> Option<Action> {
        let status = written.status.as_ref().map_or(u64::from(defaults::REDIRECT_STATUS), |status| {
            let number = status.get_ref().0;
            if !REDIRECTS.contains(&number) {
                let message = format!("`status` is {number}, expected 301, 302, 303, 307 or 308");
                self.report.fault_hint(status.span(), message, "use `respond` for other answers");
            }
            number
        });
        let to = written.to.get_ref();
        let is_absolute = to.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.authority().is_some());
        let is_clean = !to.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii());
        if !is_clean || !(to.starts_with('/') || is_absolute) {
            let message = format!("bad `to` \"{to}\" in `redirect`, expected a path or an absolute URL");
            self.report.fault_hint(written.to.span(), message, "for example \"/new\" or \"https://example.org/new\"");
        }
        Some(Action::Redirect { to: to.clone(), status })
    }
}
