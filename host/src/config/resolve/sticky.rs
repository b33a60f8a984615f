//! `sticky` and `affinity` of a cluster, and the routes of its endpoints.

use std::collections::BTreeMap;

use ::http::HeaderName;
use toml::Spanned;

use super::super::model::{Affinity, EndpointConfig, EndpointState, Issue, SameSite, StickyConfig};
use super::super::schema::{AffinityEntry, AffinityTable, EndpointEntry, IssueTable, StickyEntry, Text};
use super::{Resolver, defaults};
use crate::diagnose::{Span, closest};

impl Resolver<'_, '_> {
    pub(super) fn sticky(&mut self, cluster: &str, written: &Spanned<StickyEntry>) -> Option<StickyConfig> {
        let table = &written.get_ref().0;
        if table.cookie.is_none() && table.parameter.is_none() {
            let message = format!("`sticky` of cluster `{cluster}` names neither a `cookie` nor a `parameter`");
            self.report.fault_hint(
                written.span(),
                message,
                "for example sticky = { cookie = \"ROUTEID\", issue = {} }",
            );
            return None;
        }
        let cookie = table.cookie.as_ref().map(|name| self.name("cookie", name, is_token, "a cookie name"));
        let parameter = table.parameter.as_ref().map(|name| self.name("parameter", name, is_plain, "a parameter name"));
        let issue = table.issue.as_ref().map(|issue| self.issue(cluster, issue, table.cookie.as_ref()));
        Some(StickyConfig {
            cookie,
            parameter,
            separator: self.separator(table.separator.as_ref()),
            failover: table.failover.unwrap_or(defaults::STICKY_FAILOVER),
            issue,
        })
    }

    fn name(&mut self, key: &str, written: &Text, fits: fn(char) -> bool, what: &str) -> String {
        let name = written.get_ref();
        if name.is_empty() {
            self.report.fault(written.span(), format!("`{key}` is empty, expected {what}"));
        } else if let Some(wrong) = name.chars().find(|c| !fits(*c)) {
            let message = format!("`{key}` is \"{name}\", expected {what}: {wrong:?} cannot be in it");
            self.report.fault(written.span(), message);
        }
        name.clone()
    }

    /// One character, or none at all for `""`.
    fn separator(&mut self, written: Option<&Text>) -> Option<char> {
        let Some(written) = written else { return Some(defaults::STICKY_SEPARATOR) };
        let mut characters = written.get_ref().chars();
        match (characters.next(), characters.next()) {
            (None, _) => None,
            (Some(one), None) if is_cookie_value(one) && !matches!(one, '&' | '?' | '/') => Some(one),
            _ => {
                let message = format!(
                    "`separator` is \"{}\", expected one character that may be in a cookie and in a query",
                    written.get_ref()
                );
                let hint = "for example \".\", or \"\" if the whole value is the route";
                self.report.fault_hint(written.span(), message, hint);
                None
            }
        }
    }

    fn issue(&mut self, cluster: &str, written: &Spanned<IssueTable>, cookie: Option<&Text>) -> Issue {
        let table = written.get_ref();
        if cookie.is_none() {
            let message = format!("cluster `{cluster}` has `issue`, but no `cookie` to set");
            self.report.fault_hint(written.span(), message, "add cookie = \"ROUTEID\"");
        }
        let path = table.path.as_ref().map_or(defaults::COOKIE_PATH.to_owned(), |path| {
            let text = path.get_ref();
            if !text.starts_with('/') || text.contains(|c: char| c == ';' || !c.is_ascii() || c.is_ascii_control()) {
                let message = format!("`path` of the cookie is \"{text}\", expected a path that starts with `/`");
                self.report.fault(path.span(), message);
            }
            text.clone()
        });
        let words = [("strict", SameSite::Strict), ("lax", SameSite::Lax), ("none", SameSite::None)];
        let same_site = self.choice("same_site", table.same_site.as_ref(), &words, SameSite::Lax);
        if let Some(word) =
            table.same_site.as_ref().filter(|_| same_site == SameSite::None && table.secure != Some(true))
        {
            let message = "`same_site` is \"none\", but `secure` is not true: browsers drop such a cookie";
            self.report.fault_hint(word.span(), message, "add secure = true");
        }
        if let Some(name) = cookie {
            self.cookie_prefix(name, table, &path);
        }
        let max_age = table.max_age.as_ref();
        Issue {
            path,
            same_site,
            secure: table.secure,
            http_only: table.http_only.unwrap_or(defaults::COOKIE_HTTP_ONLY),
            max_age: max_age.map(|age| self.time("max_age", Some(age), std::time::Duration::ZERO)),
        }
    }

    /// Names that browsers believe only if the rest fits (RFC 6265bis §4.1.3).
    fn cookie_prefix(&mut self, name: &Text, table: &IssueTable, path: &str) {
        let begins =
            |prefix: &str| name.get_ref().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let host = begins("__Host-");
        if (host || begins("__Secure-")) && table.secure != Some(true) {
            let message = format!("browsers drop a cookie \"{}\" that is not secure", name.get_ref());
            self.report.fault_hint(name.span(), message, "add secure = true to `issue`");
        }
        if host && path != "/" {
            let message = format!("browsers drop a cookie \"{}\" with another path than \"/\"", name.get_ref());
            self.report.fault_hint(name.span(), message, "leave out the `path` of `issue`");
        }
    }

    /// Whether routes and redirects of the endpoints are what stickiness can work with.
    pub(super) fn sticky_routes(
        &mut self,
        cluster: &str,
        sticky: Option<&StickyConfig>,
        written: &[Spanned<EndpointEntry>],
        endpoints: &[EndpointConfig],
    ) {
        let tables = written.iter().filter_map(|entry| match entry.get_ref() {
            EndpointEntry::Table(table) => Some(table),
            EndpointEntry::Url(_) => None,
        });
        let routes: Vec<&str> = endpoints.iter().filter_map(|endpoint| endpoint.route.as_deref()).collect();
        let issues = sticky.is_some_and(|sticky| sticky.issue.is_some());
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for table in tables {
            if let Some(redirect) = &table.redirect {
                self.redirect_route(cluster, sticky, redirect, table.route.as_ref(), &routes);
            }
            let (Some(route), Some(_)) = (&table.route, sticky) else { continue };
            let name = route.get_ref().as_str();
            if issues && let Some(wrong) = name.chars().find(|c| !is_cookie_value(*c)) {
                let message = format!("`route` is \"{name}\", but {wrong:?} cannot be in the cookie that is issued");
                self.report.fault_hint(route.span(), message, "use letters, digits, `-`, `_` and `.`");
            }
            let line = self.report.line(&route.span());
            let is_standby =
                table.state.as_ref().is_some_and(|state| state.get_ref() == EndpointState::Standby.as_str());
            match first.get(name) {
                // A standby that takes over its route is Apache's pattern.
                Some(_) if is_standby => {}
                Some(before) => {
                    let message = format!(
                        "route \"{name}\" in cluster `{cluster}` is on line {before} already: \
                         this endpoint gets its sticky requests only while that one cannot take them"
                    );
                    self.report.warn(route.span(), message);
                }
                None if is_standby => {}
                None => _ = first.insert(name, line),
            }
        }
        if sticky.is_some()
            && !issues
            && routes.is_empty()
            && !endpoints.is_empty()
            && let Some(at) = written.first().map(Spanned::span)
        {
            let message =
                format!("cluster `{cluster}` is `sticky`, but no endpoint has a `route` and no cookie is issued");
            self.report.warn(at, message);
        }
    }

    fn redirect_route(
        &mut self,
        cluster: &str,
        sticky: Option<&StickyConfig>,
        written: &Text,
        own: Option<&Text>,
        routes: &[&str],
    ) {
        let name = written.get_ref().as_str();
        if sticky.is_none() {
            let message = format!("cluster `{cluster}` is not `sticky`: `redirect` is not used");
            return self.report.warn(written.span(), message);
        }
        if own.is_some_and(|own| own.get_ref() == name) {
            let message = format!("`redirect` is \"{name}\", which is the endpoint's own route");
            return self.report.fault_hint(written.span(), message, "name the route of another endpoint");
        }
        if !routes.contains(&name) {
            let message = format!("no endpoint of cluster `{cluster}` has route \"{name}\"");
            self.report.fault_meant(written.span(), message, closest(name, routes.iter().copied()));
        }
    }

    pub(super) fn affinity(&mut self, written: &Spanned<AffinityEntry>) -> Option<Affinity> {
        match written.get_ref() {
            AffinityEntry::Word(word) => match word.as_str() {
                "path" => Some(Affinity::Path),
                "client" => Some(Affinity::Client),
                _ => {
                    let message = format!(
                        "`affinity` is \"{word}\", expected \"path\", \"client\" or a table with `cookie`, `header` or \
                         `query`"
                    );
                    self.report.fault_meant(written.span(), message, closest(word, ["path", "client"]));
                    None
                }
            },
            AffinityEntry::Table(table) => self.affinity_by(table, written.span()),
        }
    }

    fn affinity_by(&mut self, table: &AffinityTable, at: Span) -> Option<Affinity> {
        match (&table.cookie, &table.header, &table.query) {
            (Some(name), None, None) => Some(Affinity::Cookie(self.name("cookie", name, is_token, "a cookie name"))),
            (None, Some(name), None) => match HeaderName::from_bytes(name.get_ref().as_bytes()) {
                Ok(header) => Some(Affinity::Header(header)),
                Err(_not_a_name) => {
                    let message = format!("`header` is \"{}\", expected the name of a header", name.get_ref());
                    self.report.fault(name.span(), message);
                    None
                }
            },
            (None, None, Some(name)) => Some(Affinity::Query(self.name("query", name, is_plain, "a parameter name"))),
            _ => {
                let message = "`affinity` does not have exactly one of `cookie`, `header` and `query`";
                self.report.fault_hint(at, message, "for example affinity = { cookie = \"user\" }");
                None
            }
        }
    }
}

/// RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// What a parameter name may have without an encoding.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

/// RFC 6265 §4.1.1, cookie-octet.
fn is_cookie_value(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | ',' | ';' | '\\')
}
