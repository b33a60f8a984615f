//! Headers and ways back that cannot do what is said of them where they stand.

use ::http::header::{self, HeaderName};

use super::super::model::{GatewayConfig, ListenerConfig, PluginUse};
use super::super::schema::{AffinityEntry, ConfigFile, HeaderTable, ReverseEntry, RouteSection, Text};
use super::action::Action;
use super::cluster::Resolved;
use super::route::ResolvedRoute;
use super::{Resolver, defaults};
use crate::diagnose::Span;
use crate::net::{HeaderTemplate, HeaderVariable, Underscores};

/// Fields of responses: no server reads them in a request.
const OF_RESPONSES: [HeaderName; 23] = [
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
    header::AGE,
    header::ALT_SVC,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
    HeaderName::from_static("cross-origin-embedder-policy"),
    HeaderName::from_static("cross-origin-opener-policy"),
    HeaderName::from_static("cross-origin-resource-policy"),
    header::LOCATION,
    HeaderName::from_static("permissions-policy"),
    header::REFERRER_POLICY,
    header::RETRY_AFTER,
    header::SERVER,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::WWW_AUTHENTICATE,
    header::X_CONTENT_TYPE_OPTIONS,
    header::X_FRAME_OPTIONS,
];

/// Fields of requests: no client reads them in a response.
const OF_REQUESTS: [HeaderName; 15] = [
    header::ACCESS_CONTROL_REQUEST_HEADERS,
    header::ACCESS_CONTROL_REQUEST_METHOD,
    header::AUTHORIZATION,
    header::COOKIE,
    header::FORWARDED,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::ORIGIN,
    header::RANGE,
    header::REFERER,
    header::UPGRADE_INSECURE_REQUESTS,
    header::USER_AGENT,
];

impl Resolver<'_, '_> {
    /// Warns of edits that come to nothing. What a route does is known with the shipped router only.
    pub(super) fn edits_without_effect(
        &mut self,
        file: &ConfigFile,
        gateway: &GatewayConfig,
        listeners: &[ListenerConfig],
        router: &PluginUse,
    ) {
        let is_shipped = router.plugin == defaults::ROUTER && file.router.config.is_none();
        // A trusted proxy may be the one that speaks TLS.
        let has_tls = listeners.iter().any(|listener| listener.tls.is_some()) || !gateway.forwarded.trusted.is_empty();
        // A plugin may lead users on into another route.
        let asks_users = file.route.iter().any(|route| route.get_ref().basic_auth.is_some());
        for route in file.route.iter().map(toml::Spanned::get_ref) {
            self.fields_of_the_other_way(route);
            self.set_and_removed(&route.request_headers);
            self.set_and_removed(&route.response_headers);
            self.empty_variables(&route.request_headers, listeners, asks_users);
            self.empty_variables(&route.response_headers, listeners, asks_users);
            if let Some(name) =
                is_given(&route.response_headers, &header::STRICT_TRANSPORT_SECURITY).filter(|_| !has_tls)
            {
                let message = "no [[listen]] has `tls`: browsers ignore Strict-Transport-Security over plain HTTP";
                self.report.warn(name.span(), message);
            }
            if is_shipped {
                self.edits_nobody_sees(route);
            }
        }
        if gateway.forwarded.underscores == Underscores::Drop {
            self.keys_that_never_come(file);
        }
    }

    /// Warns of ways back that change nothing.
    pub(super) fn ways_back_without_effect(
        &mut self,
        file: &ConfigFile,
        routes: &[ResolvedRoute],
        clusters: &[Resolved],
    ) {
        // With a rewriter of one's own, `reverse` is behind it and has the [[route]] list.
        let plugin = file.rewriter.plugin.as_ref().map_or(defaults::REWRITER, |plugin| plugin.get_ref());
        let is_read = plugin != defaults::REWRITER || file.rewriter.config.is_none();
        // Where one has a fault, places are others'.
        let all = file.route.iter().zip(routes).filter(|_| file.route.len() == routes.len());
        for (written, route) in all {
            let Some(entry) = &written.get_ref().reverse else { continue };
            let ReverseEntry::Table(table) = entry.get_ref() else { continue };
            if !is_read {
                let message = "`reverse` of this route is not read: [rewriter] has a `config` of its own";
                self.report.warn(entry.span(), message);
            }
            let (Some(way), Action::Forward { cluster, .. }) = (&route.way_back, &route.action) else { continue };
            let mut own = clusters.iter().filter(|known| known.used.name == *cluster);
            let has_bases = own.any(|own| own.used.endpoints.iter().any(|endpoint| !endpoint.base_path.is_empty()));
            let is_same = way.path.trim_end_matches('/') == way.to_path.trim_end_matches('/');
            if let Some(paths) = table.paths.as_ref().filter(|_| way.paths && is_same && !has_bases) {
                let message = "`paths` changes nothing: endpoints know this route's paths as clients do";
                self.report.warn(paths.span(), message);
            }
        }
    }

    /// The key of a hash would be the same for every request, and a condition never hold, or always.
    fn keys_that_never_come(&mut self, file: &ConfigFile) {
        let conditions = file.route.iter().filter_map(|route| route.get_ref().when.as_ref());
        for name in
            conditions.flat_map(|when| when.get_ref().headers.keys()).filter(|name| name.get_ref().contains('_'))
        {
            self.never_comes(name);
        }
        for (_, cluster) in &file.cluster {
            let Some(AffinityEntry::Table(table)) = cluster.affinity.as_ref().map(toml::Spanned::get_ref) else {
                continue;
            };
            if let Some(name) = table.header.as_ref().filter(|name| name.get_ref().contains('_')) {
                self.never_comes(name);
            }
        }
    }

    fn never_comes(&mut self, name: &Text) {
        let message = format!(
            "header `{}` never comes here: names with `_` are dropped, unless [gateway] has \
             forwarded = {{ underscores = \"pass\" }}",
            name.get_ref()
        );
        self.report.warn(name.span(), message);
    }

    fn fields_of_the_other_way(&mut self, route: &RouteSection) {
        for name in route.request_headers.given().filter(|name| is_among(&OF_RESPONSES, name)) {
            let message = format!(
                "header `{}` means nothing in a request: use `response_headers` to send it to the client",
                name.get_ref()
            );
            self.report.warn(name.span(), message);
        }
        let of_requests = |name: &Text| {
            is_among(&OF_REQUESTS, name) || name.get_ref().to_ascii_lowercase().starts_with("x-forwarded-")
        };
        for name in route.response_headers.given().filter(|name| of_requests(name)) {
            let message = format!(
                "header `{}` means nothing in a response: use `request_headers` to send it to the server",
                name.get_ref()
            );
            self.report.warn(name.span(), message);
        }
        let set = &route.response_headers.set;
        if let Some(name) = set.keys().find(|set| is_among(&[header::SET_COOKIE], set)) {
            let message =
                "`set` of Set-Cookie takes the place of every cookie that the server sets: use `append` for one more";
            self.report.warn(name.span(), message);
        }
    }

    fn set_and_removed(&mut self, edits: &HeaderTable) {
        for name in &edits.remove {
            if edits.set.keys().any(|set| set.get_ref().eq_ignore_ascii_case(name.get_ref())) {
                let message = format!("header `{}` is in `set`, too: it is not removed", name.get_ref());
                self.report.warn(name.span(), message);
            }
        }
        for name in edits.set_if_absent.keys() {
            if edits.set.keys().any(|set| set.get_ref().eq_ignore_ascii_case(name.get_ref())) {
                let message = format!("header `{}` is in `set`, too: it is never absent", name.get_ref());
                self.report.warn(name.span(), message);
            }
        }
    }

    /// Variables that no client brings a value for.
    fn empty_variables(&mut self, edits: &HeaderTable, listeners: &[ListenerConfig], asks_users: bool) {
        let tls = || listeners.iter().filter_map(|listener| listener.tls.as_ref());
        let asks = tls().any(|tls| tls.client_ca.is_some() || tls.by_name.iter().any(|name| name.client_ca.is_some()));
        let is_empty = |variable| match variable {
            HeaderVariable::TlsVersion | HeaderVariable::TlsServerName => {
                tls().next().is_none().then_some("[[listen]] has `tls`")
            }
            HeaderVariable::ClientCert | HeaderVariable::ClientCertSubject | HeaderVariable::ClientCertFingerprint => {
                (!asks).then_some("[[listen]] has `client_ca`")
            }
            HeaderVariable::User => (!asks_users).then_some("[[route]] has `basic_auth`"),
            _ => None,
        };
        for (_, value) in edits.values() {
            let Ok(template) = HeaderTemplate::read(value.get_ref()) else { continue };
            let found = template.variables().find_map(|variable| Some((variable, is_empty(variable)?)));
            if let Some((variable, lacking)) = found {
                let message = format!("`${}` is always empty: no {lacking}", variable.name());
                self.report.warn(value.span(), message);
            }
        }
    }

    fn edits_nobody_sees(&mut self, route: &RouteSection) {
        let is_excluded = route.to.as_ref().is_some_and(|to| to.get_ref() == "!");
        let is_answered_here = is_excluded || route.respond.is_some() || route.redirect.is_some();
        if let Some(at) = first(&route.request_headers).filter(|_| is_answered_here) {
            self.report.warn(at, "`request_headers` of a route that is not forwarded: no server gets them");
        }
        if let Some(pages) = route.error_pages.as_ref().filter(|_| is_answered_here) {
            let message = "`error_pages` of a route that leads to no endpoint: what it answers is its own; the 404 of \
                           to = \"!\" has those of [gateway]";
            self.report.warn(pages.span(), message);
        }
        if let Some(at) = first(&route.response_headers).filter(|_| is_excluded) {
            let message = "`response_headers` of a route with to = \"!\": its 404 is answered without them; use \
                           respond = { status = 404 } for one that has them";
            self.report.warn(at, message);
        }
        if let Some(name) = is_given(&route.response_headers, &header::LOCATION).filter(|_| route.redirect.is_some()) {
            self.report.warn(name.span(), "the Location of a `redirect` is its `to`: this one is left out");
        }
    }
}

fn is_among(names: &[HeaderName], name: &Text) -> bool {
    names.iter().any(|known| known.as_str().eq_ignore_ascii_case(name.get_ref()))
}

fn is_given<'a>(edits: &'a HeaderTable, name: &HeaderName) -> Option<&'a Text> {
    edits.given().find(|set| name.as_str().eq_ignore_ascii_case(set.get_ref()))
}

/// Where the edits begin, if there are any.
fn first(edits: &HeaderTable) -> Option<Span> {
    edits.given().chain(&edits.remove).map(toml::Spanned::span).min_by_key(|span| span.start)
}
