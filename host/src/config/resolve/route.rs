//! `[[route]]`

use std::sync::Arc;

use toml::Spanned;

use super::super::model::{GatewayConfig, RouteConfig, UpgradeConfig};
use super::super::schema::{ReverseEntry, RouteSection, Text};
use super::action::Action;
use super::cluster::Resolved;
use super::conditions::Conditions;
use super::matcher::Matcher;
use super::pattern::Sees;
use super::plugins::Plugins;
use super::reverse::WayBack;
use super::{Resolver, defaults, target};
use crate::diagnose::Span;
use crate::net::UpgradeProtocol;

/// A route, with what the router and the rewriter must know of it.
pub(super) struct ResolvedRoute {
    pub(super) used: RouteConfig,
    pub(super) matcher: Matcher,
    /// Lower case; empty matches every host.
    pub(super) hosts: Vec<String>,
    pub(super) conditions: Conditions,
    /// `listen`, as written.
    pub(super) listeners: Option<Spanned<Vec<Text>>>,
    pub(super) action: Action,
    /// How its responses are mapped back; none if they are not.
    pub(super) way_back: Option<WayBack>,
    /// Of `path` or `path_regex`.
    pub(super) span: Span,
}

impl Resolver<'_, '_> {
    pub(super) fn routes(
        &mut self,
        written: &[Spanned<RouteSection>],
        gateway: &GatewayConfig,
        clusters: &mut Vec<Resolved>,
        plugins: &Plugins,
    ) -> Vec<ResolvedRoute> {
        let routes: Vec<_> = written
            .iter()
            .enumerate()
            .filter_map(|(number, section)| self.route(number, section, gateway, clusters, plugins))
            .collect();
        self.overlaps(&routes);
        routes
    }

    fn route(
        &mut self,
        number: usize,
        section: &Spanned<RouteSection>,
        gateway: &GatewayConfig,
        clusters: &mut Vec<Resolved>,
        plugins: &Plugins,
    ) -> Option<ResolvedRoute> {
        let (written, at) = (section.get_ref(), section.span());
        let start = &gateway.timeouts;
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
        let conditions = self.conditions(written, &upgrade);
        let request_headers = self.edits(&written.request_headers);
        let mut response_headers = self.edits(&written.response_headers);
        let matcher = self.matcher(written, at.clone());
        let action = self.action(written, at, matcher.as_ref().map(|(matcher, _)| matcher), start, clusters);
        let start = match &action {
            Some(Action::Forward { cluster, .. }) => {
                clusters.iter().find(|known| known.used.name == *cluster).map_or(*start, |known| known.used.timeouts)
            }
            _ => *start,
        };
        let timeouts = self.timeouts(&written.timeouts, &start);
        self.check_tunnel_ping(&written.timeouts, &upgrade);
        let forwards = !matches!(&action, Some(Action::Respond { .. } | Action::Redirect { .. } | Action::Exclude));
        let access = self.access(written, action.as_ref(), &upgrade, clusters);
        let error_pages = self.error_pages(written.error_pages.as_ref(), &gateway.error_pages);
        let found = matcher.as_ref().map(|(matcher, _)| matcher);
        let way_back = self.way_back(written.reverse.as_ref(), found, action.as_ref());
        let plugins = self.route_plugins(written.plugins.as_ref(), forwards, plugins);
        // What leads to no endpoint switches to nothing: it is no reason to announce websockets over HTTP/2.
        let upgrade = if forwards { upgrade } else { UpgradeConfig::Only(Vec::new()) };
        let ((matcher, span), action) = (matcher?, action?.edited(&mut response_headers, &access, number));
        let (Matcher::Prefix(name) | Matcher::Regex(name)) = &matcher;
        let used = RouteConfig {
            name: Arc::from(name.as_str()),
            upgrade,
            plugins,
            reverse: !matches!(written.reverse.as_ref().map(Spanned::get_ref), Some(ReverseEntry::Flag(false))),
            timeouts,
            request_headers,
            response_headers,
            preserve_host: written.preserve_host.unwrap_or(false),
            access,
            error_pages,
        };
        Some(ResolvedRoute {
            used,
            matcher,
            hosts: hosts.unwrap_or_default(),
            conditions,
            listeners: written.listen.clone(),
            action,
            way_back,
            span,
        })
    }

    fn upgrade(&mut self, written: Option<&[Text]>) -> UpgradeConfig {
        let Some(words) = written else { return UpgradeConfig::Only(vec![defaults::UPGRADE]) };
        if words.iter().any(|word| word.get_ref().eq_ignore_ascii_case("any")) {
            return UpgradeConfig::Any;
        }
        let mut protocols = Vec::new();
        for word in words {
            let text = word.get_ref().as_str();
            match UpgradeProtocol::try_from(text) {
                Ok(protocol) => protocols.push(protocol),
                Err(_names_none) => {
                    let message =
                        format!("bad protocol \"{text}\" in `upgrade`, expected for example \"websocket\" or \"any\"");
                    self.report.fault(word.span(), message);
                }
            }
        }
        UpgradeConfig::Only(protocols)
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
                } else if has_dot_segment(text) {
                    let message =
                        format!("`path` is \"{text}\", which never matches: requests have no dot segments here");
                    self.report.fault_hint(path.span(), message, "leave out `.` and `..`, and what they stand for");
                } else if let Some(escape) = bad_escape(text) {
                    let message =
                        format!("`path` is \"{text}\", which never matches: requests with {escape} are refused");
                    self.report.warn(path.span(), message);
                }
                Some((Matcher::Prefix(text.clone()), path.span()))
            }
            (None, Some(regex)) => {
                let text = regex.get_ref();
                let excludes = written.to.as_ref().is_some_and(|to| to.get_ref() == target::EXCLUDE);
                self.pattern(text, if excludes { Sees::Decoded } else { Sees::Written }, regex.span());
                Some((Matcher::Regex(text.clone()), regex.span()))
            }
        }
    }
}

/// Whether a segment is `.` or `..`, however it is spelt, with parameters or without. The gateway resolves or refuses
/// these before it routes.
fn has_dot_segment(path: &str) -> bool {
    let plain =
        path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace("%3b", ";");
    let names = plain.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap_or_default());
    names.into_iter().any(|name| matches!(name, "." | ".."))
}

/// An escape that is no character. The gateway refuses requests with one.
fn bad_escape(path: &str) -> Option<&str> {
    let escapes = path.match_indices('%').map(|(at, _)| path.get(at..).unwrap_or_default());
    escapes.map(|rest| rest.get(..3).unwrap_or(rest)).find(|escape| {
        let digits = escape.get(1..).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        digits
            .and_then(|digits| (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?)
            .is_none_or(|byte| byte == 0)
    })
}
