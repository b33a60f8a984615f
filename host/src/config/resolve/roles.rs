//! `[router]` and `[rewriter]`: who fills them, and the `[[route]]` list in the form that plugins read.

use ::http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use toml::Spanned;

use super::super::model::PluginUse;
use super::super::schema::{ConfigFile, RedirectToTls, RoleSection};
use super::action::Action;
use super::cluster::Resolved;
use super::matcher::Matcher;
use super::plugins::{Plugins, RoleToFill};
use super::route::ResolvedRoute;
use super::{Resolver, defaults};

impl Resolver<'_, '_> {
    pub(super) fn router(&mut self, written: &RoleSection, routes: &[ResolvedRoute], plugins: &Plugins) -> PluginUse {
        let role = role("router", defaults::ROUTER, written);
        self.plugin_use(role, plugins, || json!({ "routes": routes.iter().map(for_router).collect::<Vec<_>>() }))
    }

    pub(super) fn rewriter(
        &mut self,
        written: &RoleSection,
        routes: &[ResolvedRoute],
        clusters: &[Resolved],
        plugins: &Plugins,
    ) -> PluginUse {
        let role = role("rewriter", defaults::REWRITER, written);
        let list = || routes.iter().map(|route| for_rewriter(route, clusters)).collect::<Vec<_>>();
        self.plugin_use(role, plugins, || json!({ "routes": list() }))
    }

    /// `reverse` behind `rewriter`, unless that is it.
    pub(super) fn reverse(
        &mut self,
        rewriter: &PluginUse,
        routes: &[ResolvedRoute],
        clusters: &[Resolved],
        plugins: &Plugins,
    ) -> Option<PluginUse> {
        (rewriter.plugin != defaults::REWRITER)
            .then(|| self.rewriter(&RoleSection::default(), routes, clusters, plugins))
    }

    /// Warns of what is written and never used. With a router of one's own, or plugins of routes, who uses a cluster is not
    /// known.
    pub(super) fn unused(
        &mut self,
        file: &ConfigFile,
        routes: &[ResolvedRoute],
        clusters: &[Resolved],
        used: [&PluginUse; 2],
    ) {
        let [router, _] = used;
        if router.plugin == defaults::ROUTER && file.router.config.is_none() {
            let target = |name: &str| {
                routes.iter().any(|route| {
                    let asks = route.used.access.forward.as_ref().is_some_and(|auth| auth.cluster == name);
                    asks || matches!(&route.action, Action::Forward { cluster, .. } if cluster == name)
                })
            };
            let is_known = routes.iter().all(|route| route.used.plugins.is_empty());
            for cluster in clusters.iter().filter(|cluster| is_known && !target(&cluster.used.name)) {
                if let Some(span) = cluster.span.clone() {
                    self.report.warn(span, format!("cluster `{}` is not used by any route", cluster.used.name));
                }
            }
            let mut served = file.listen.iter().filter(|listen| {
                matches!(
                    listen.get_ref().redirect_to_tls.as_ref().map(Spanned::get_ref),
                    None | Some(RedirectToTls::Wanted(false))
                )
            });
            if let Some(first) = served.next().filter(|_| file.route.is_empty()) {
                self.report
                    .warn(first.get_ref().address.span(), "there is no [[route]]: every request is answered 404");
            }
        }
        for (name, _) in &file.plugin {
            let text = name.get_ref();
            let balances = clusters.iter().any(|cluster| cluster.used.balancer.plugin == *text);
            let decides = routes.iter().flat_map(|route| &route.used.plugins).any(|used| used.plugin == *text);
            if !balances && !decides && text != defaults::REWRITER && !used.iter().any(|role| role.plugin == *text) {
                self.report.warn(
                    name.span(),
                    format!("plugin `{text}` is not used by any router, rewriter, route or cluster"),
                );
            }
        }
    }
}

fn role<'a>(kind: &'a str, default: &'a str, written: &'a RoleSection) -> RoleToFill<'a> {
    RoleToFill {
        kind,
        section: kind.to_owned(),
        written: written.plugin.as_ref(),
        default,
        config: written.config.as_ref(),
    }
}

/// One entry of the router's list.
fn for_router(route: &ResolvedRoute) -> Value {
    let fields = |headers: &[(HeaderName, HeaderValue)]| -> Value {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.iter().map(|(name, value)| json!([name.as_str(), text(value)])).collect()
    };
    let action = match &route.action {
        Action::Exclude => json!("exclude"),
        Action::Forward { cluster, path } => json!({ "forward": { "cluster": cluster, "path": path } }),
        Action::Redirect { to, status, headers } if headers.is_empty() => {
            json!({ "redirect": { "to": to, "status": status } })
        }
        Action::Redirect { to, status, headers } => {
            json!({ "redirect": { "to": to, "status": status, "headers": fields(headers) } })
        }
        Action::Respond { status, headers, body } => {
            json!({ "respond": { "status": status, "headers": fields(headers), "body": body } })
        }
    };
    let (key, pattern) = match &route.matcher {
        Matcher::Prefix(path) => ("path", path),
        Matcher::Regex(regex) => ("path_regex", regex),
    };
    let mut entry = json!({ key: pattern, "action": action });
    if let Some(fields) = entry.as_object_mut() {
        if !route.hosts.is_empty() {
            fields.insert("hosts".to_owned(), json!(route.hosts));
        }
        if let Some(when) = route.conditions.for_router() {
            fields.insert("when".to_owned(), when);
        }
    }
    entry
}

/// For each place of the rewriter's list the cluster whose origins stand there. Empty if the list is the operator's
/// own.
pub(super) fn mapped(rewriter: &PluginUse, routes: &[ResolvedRoute], clusters: &[Resolved]) -> Vec<Option<String>> {
    let made = Value::Array(routes.iter().map(|route| for_rewriter(route, clusters)).collect());
    if rewriter.config.get("routes") != Some(&made) {
        return Vec::new();
    }
    let cluster = |route: &ResolvedRoute| match (&route.way_back, &route.action) {
        (Some(_), Action::Forward { cluster, .. }) => Some(cluster.clone()),
        _ => None,
    };
    routes.iter().map(cluster).collect()
}

/// One entry of the rewriter's list; null where nothing is mapped back.
fn for_rewriter(route: &ResolvedRoute, clusters: &[Resolved]) -> Value {
    let (Some(way), Action::Forward { cluster, .. }) = (&route.way_back, &route.action) else { return Value::Null };
    let cluster = clusters.iter().find(|known| known.used.name == *cluster);
    let origins: Vec<_> = cluster
        .iter()
        .flat_map(|known| &known.used.endpoints)
        .map(super::super::model::EndpointConfig::known_as)
        .collect();
    let mut entry = json!({ "path": way.path, "to_path": way.to_path, "origins": origins });
    let further = [
        ("further", json!(way.further), way.further.is_empty()),
        ("paths", json!(way.paths), !way.paths),
        ("cookie_paths", json!(way.cookie_paths), way.cookie_paths.is_empty()),
        ("cookie_domains", json!(way.cookie_domains), way.cookie_domains.is_empty()),
    ];
    if let Some(fields) = entry.as_object_mut() {
        let said = further.into_iter().filter(|(_, _, is_default)| !is_default);
        fields.extend(said.map(|(key, value, _)| (key.to_owned(), value)));
    }
    entry
}
