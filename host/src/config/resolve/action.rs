//! What a route does: `to`, `respond` or `redirect`.

use ::http::header::LOCATION;
use ::http::{HeaderName, HeaderValue};
use toml::Spanned;

use super::super::model::{AccessConfig, HeaderEditsConfig, TimeoutsConfig};
use super::super::schema::{RedirectTable, RespondTable, RouteSection, Text};
use super::cluster::{self, Resolved};
use super::matcher::Matcher;
use super::target::{self, RouteTo};
use super::{Resolver, defaults};
use crate::diagnose::{Span, closest, one_of};
use crate::net::ROUTE_OF_RESPONSE;

/// Largest body of a `respond`: what a router may respond with.
const LARGEST_BODY: usize = 1 << 20;
/// Statuses that send a client elsewhere.
const REDIRECTS: [u64; 5] = [301, 302, 303, 307, 308];

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
        headers: Vec<(HeaderName, HeaderValue)>,
    },
    Respond {
        status: u64,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: String,
    },
}

impl Action {
    /// The same with the edits that the operator wants on every response of route `number`, where the response is made
    /// from this alone. Those with variables are left to whoever knows the exchange, and so is who may have it.
    pub(super) fn edited(mut self, edits: &mut HeaderEditsConfig, access: &AccessConfig, number: usize) -> Self {
        if let Self::Redirect { .. } = &self {
            // Where it leads is what it is.
            edits.remove.retain(|name| name != LOCATION);
            edits.set.retain(|(name, _)| name != LOCATION);
            edits.more.retain(|edit| edit.name != LOCATION);
        }
        if let Self::Redirect { headers, .. } | Self::Respond { headers, .. } = &mut self {
            if edits.has_variables() || !access.is_open() {
                headers.push((ROUTE_OF_RESPONSE, HeaderValue::from(number)));
            } else {
                edits.carry_out(headers);
            }
        }
        self
    }
}

impl Resolver<'_, '_> {
    pub(super) fn action(
        &mut self,
        written: &RouteSection,
        at: Span,
        matcher: Option<&Matcher>,
        start: &TimeoutsConfig,
        clusters: &mut Vec<Resolved>,
    ) -> Option<Action> {
        match (&written.to, &written.respond, &written.redirect) {
            (Some(to), None, None) => self.forward(to, matcher, start, clusters),
            (None, Some(respond), None) => self.respond(respond.get_ref()),
            (None, None, Some(redirect)) => self.redirect(redirect.get_ref(), matcher),
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
        start: &TimeoutsConfig,
        clusters: &mut Vec<Resolved>,
    ) -> Option<Action> {
        let (cluster, path) = match target::parse(to.get_ref(), &self.base) {
            Ok(RouteTo::Exclude) => return Some(Action::Exclude),
            Ok(RouteTo::Balancer { name, path }) => {
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
            Ok(RouteTo::Direct(url)) => {
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
                    "`path` ends with `/` and `to` does not: Apache would send {path}x for {from}x; end both with `/` \
                     or neither"
                );
                self.report.warn(to.span(), message);
                path
            }
            (false, true) => {
                let message = format!(
                    "`to` ends with `/` and `path` does not: Apache would send {path}/x for {from}/x; end both with \
                     `/` or neither"
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

    fn redirect(&mut self, written: &RedirectTable, matcher: Option<&Matcher>) -> Option<Action> {
        let status = written.status.as_ref().map_or(u64::from(defaults::REDIRECT_STATUS), |status| {
            let number = status.get_ref().0;
            if !REDIRECTS.contains(&number) {
                let message = format!("`status` is {number}, expected 301, 302, 303, 307 or 308");
                self.report.fault_hint(status.span(), message, "use `respond` for other answers");
            }
            number
        });
        self.redirect_to(&written.to, matcher);
        Some(Action::Redirect { to: written.to.get_ref().clone(), status, headers: Vec::new() })
    }
}
