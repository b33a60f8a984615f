//! Routes of all servers in one list: which hosts and listeners each is for.

use std::collections::HashSet;

use super::super::draft::{ActionDraft, Draft, PathDraft, RouteDraft, RouteOptions, WhenDraft};
use super::super::report::{Report, Severity};
use super::listeners::ListenerPlan;
use super::rule::{RuleEffect, TrafficRule};
use super::sites::{Site, Sites};

/// What one server does, twice: as rules, and as the routes made of them.
pub(super) struct ServedSite {
    pub(super) rules: Vec<TrafficRule>,
    pub(super) routes: Vec<RouteDraft>,
}

/// The routes of one server with the listeners they are for.
struct SiteRoutes {
    /// Empty: every host.
    hosts: Vec<String>,
    /// Indexes of listeners.
    listeners: Vec<usize>,
    routes: Vec<RouteDraft>,
}

/// The list of all routes. Listeners get their names, and are told where they only redirect.
pub(super) fn routes(
    sites: &Sites<'_>,
    mut served: Vec<ServedSite>,
    plans: &mut [ListenerPlan],
    nobody_trusted: bool,
    report: &mut Report,
) -> Vec<RouteDraft> {
    redirecting(sites, &served, plans, report);
    let serving: Vec<usize> =
        plans.iter().enumerate().filter(|(_at, plan)| !plan.draft.redirect_to_tls).map(|(at, _plan)| at).collect();
    let mut named = Vec::new();
    let mut defaults = Vec::new();
    for (index, site) in sites.sites.iter().enumerate() {
        let listeners: Vec<usize> = serving
            .iter()
            .copied()
            .filter(|at| plans.get(*at).is_some_and(|plan| plan.sites.contains(&index)))
            .collect();
        let is_default = |at: &usize| plans.get(*at).is_some_and(|plan| plan.sites.first() == Some(&index));
        let (default_on, other_on): (Vec<usize>, Vec<usize>) = listeners.iter().partition(|at| is_default(at));
        let Some(own) = served.get_mut(index) else { continue };
        if own.routes.is_empty() && (other_on.is_empty() || default_on.is_empty()) && site.is_main {
            continue;
        }
        let routes = std::mem::take(&mut own.routes);
        // Of those that take a name Apache asks the first: it is no host of the others, and where a wildcard of another takes
        // names of the first server, whose routes stand last, these stand here, too.
        let before = other_on.iter().map(|at| (*at, names_of_none_before(sites, plans, *at, index)));
        let ahead = default_on.iter().map(|at| (*at, names_of_wildcards_behind(sites, plans, *at, index)));
        for (hosts, listeners) in by_hosts(before.chain(ahead)) {
            let mut routes = routes.clone();
            routes.retain_mut(|route| {
                let had = !route.hosts.is_empty();
                route.hosts.retain(|host| !site.names.contains(host) || hosts.contains(host));
                !had || !route.hosts.is_empty()
            });
            if !ends_everything(&routes) {
                routes.push(nothing_else(site));
            }
            named.push(SiteRoutes { hosts, listeners, routes });
        }
        if !other_on.is_empty() && !site.names.is_empty() {
            // Its names are above.
        } else if !other_on.is_empty() && !site.any_name && !site.is_main {
            let what = "the virtual host has no name, and another one at its address is first: no request gets to it";
            report.add(&site.place, Severity::Dropped, what, Some("ServerName, if it is wanted"));
        } else if !other_on.is_empty() && !site.is_main {
            named.push(SiteRoutes { hosts: Vec::new(), listeners: other_on.clone(), routes: routes.clone() });
        }
        if !default_on.is_empty() {
            defaults.push(SiteRoutes { hosts: Vec::new(), listeners: default_on, routes });
        }
    }
    let mut groups = merged(named);
    groups.extend(merged(defaults));
    let mut list = Vec::new();
    for group in &groups {
        let everywhere = serving.iter().all(|at| group.listeners.contains(at));
        // Where it means the same, the scheme costs less than the listener. A trusted proxy may say another one.
        let scheme = scheme(plans, &serving, &group.listeners).filter(|_tls| nobody_trusted && !everywhere);
        let by_name = !everywhere && scheme.is_none();
        let names = if by_name { group.listeners.iter().map(|at| name(plans, *at)).collect() } else { Vec::new() };
        for route in &group.routes {
            let hosts = if route.hosts.is_empty() { group.hosts.clone() } else { route.hosts.clone() };
            let when = WhenDraft { tls: route.when.tls.or(scheme), ..route.when.clone() };
            list.push(RouteDraft { hosts, listen: names.clone(), when, ..route.clone() });
        }
    }
    list
}

/// The names of a server at a listener that no server before it has there.
fn names_of_none_before(sites: &Sites<'_>, plans: &[ListenerPlan], at: usize, index: usize) -> Vec<String> {
    let Some((site, plan)) = sites.sites.get(index).zip(plans.get(at)) else { return Vec::new() };
    let before = || plan.sites.iter().filter(|other| **other < index).filter_map(|other| sites.sites.get(*other));
    let is_free = |name: &&String| !before().any(|other| other.is_beside(site) && other.takes(name));
    site.names.iter().filter(is_free).cloned().collect()
}

/// The names of a server at a listener that a wildcard of a server behind it has there as well.
fn names_of_wildcards_behind(sites: &Sites<'_>, plans: &[ListenerPlan], at: usize, index: usize) -> Vec<String> {
    let Some((site, plan)) = sites.sites.get(index).zip(plans.get(at)) else { return Vec::new() };
    let behind = || plan.sites.iter().filter(|other| **other > index).filter_map(|other| sites.sites.get(*other));
    let is_taken = |name: &&String| {
        behind().any(|other| other.is_beside(site) && other.takes(name) && !other.names.contains(name))
    };
    site.names.iter().filter(is_taken).cloned().collect()
}

/// Listeners with the same hosts together, without those that have none.
fn by_hosts(each: impl Iterator<Item = (usize, Vec<String>)>) -> Vec<(Vec<String>, Vec<usize>)> {
    let mut groups: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    for (at, hosts) in each.filter(|(_at, hosts)| !hosts.is_empty()) {
        match groups.iter_mut().find(|(known, _at)| *known == hosts) {
            Some((_hosts, listeners)) => listeners.push(at),
            None => groups.push((hosts, vec![at])),
        }
    }
    groups
}

/// Finds the listeners all of whose servers send every client to the same by TLS.
fn redirecting(sites: &Sites<'_>, served: &[ServedSite], plans: &mut [ListenerPlan], report: &mut Report) {
    let secure = plans.iter().any(|plan| plan.draft.tls.is_some());
    for plan in plans.iter_mut().filter(|plan| plan.draft.tls.is_none()) {
        let all = plan.sites.iter().all(|index| match (sites.sites.get(*index), served.get(*index)) {
            (Some(site), Some(own)) => only_redirects(site, &own.rules),
            _ => false,
        });
        if !secure || !all || plan.sites.is_empty() {
            continue;
        }
        plan.draft.redirect_to_tls = true;
        for rule in plan.sites.iter().filter_map(|index| served.get(*index)).filter_map(|own| own.rules.first()) {
            let RuleEffect::ToTls { status, host } = &rule.effect else { continue };
            let Some(place) = rule.places.first() else { continue };
            report.add(
                place,
                Severity::Note,
                "redirect_to_tls of the listener: 301 for GET and HEAD, 308 for the rest",
                None,
            );
            if *status != 301 {
                report.add(place, Severity::Changed, format!("the status is 301 or 308 instead of {status}"), None);
            }
            if host.is_some() {
                report.add(place, Severity::Note, "clients are sent to the name that they asked for", None);
            }
        }
    }
}

fn only_redirects(site: &Site<'_>, rules: &[TrafficRule]) -> bool {
    let Some(first) = rules.first() else {
        // A server without anything in it serves nothing that a redirect would hide.
        return !site.is_main && site.scope.files.is_empty();
    };
    match &first.effect {
        RuleEffect::ToTls { host, .. } => {
            let own = host.as_ref().is_none_or(|host| site.names == [host.clone()]);
            own && first.is_unconditional() && first.path.is_everything() && first.layers.access.is_silent()
        }
        _ => false,
    }
}

/// Whether what comes behind these routes gets nothing.
fn ends_everything(routes: &[RouteDraft]) -> bool {
    routes.last().is_some_and(|last| {
        last.path == PathDraft::Prefix("/".to_owned()) && last.when.is_always() && last.hosts.is_empty()
    })
}

/// The end of a server that forwards some paths only: the rest is not for the default server.
fn nothing_else(site: &Site<'_>) -> RouteDraft {
    RouteDraft {
        places: vec![site.place.clone()],
        remarks: vec!["nothing else under these names".to_owned()],
        path: PathDraft::Prefix("/".to_owned()),
        hosts: Vec::new(),
        listen: Vec::new(),
        when: WhenDraft::default(),
        action: ActionDraft::Exclude,
        options: RouteOptions::default(),
    }
}

/// Servers that do the same on different listeners are one.
fn merged(groups: Vec<SiteRoutes>) -> Vec<SiteRoutes> {
    let mut merged: Vec<SiteRoutes> = Vec::new();
    for group in groups {
        let same = merged.iter_mut().find(|known| {
            known.hosts == group.hosts
                && known.routes.len() == group.routes.len()
                && known.routes.iter().zip(&group.routes).all(|(one, other)| one.does_the_same(other))
        });
        match same {
            Some(known) => {
                known.listeners.extend(group.listeners);
                for (route, other) in known.routes.iter_mut().zip(group.routes) {
                    route.places.extend(other.places);
                }
            }
            None => merged.push(group),
        }
    }
    merged
}

/// Whether `listeners` are all of those with TLS, or all without.
fn scheme(plans: &[ListenerPlan], serving: &[usize], listeners: &[usize]) -> Option<bool> {
    let is_tls = |at: &usize| plans.get(*at).is_some_and(|plan| plan.draft.tls.is_some());
    let tls = is_tls(listeners.first()?);
    serving.iter().all(|at| (is_tls(at) == tls) == listeners.contains(at)).then_some(tls)
}

/// The name of a listener, which it gets now.
fn name(plans: &mut [ListenerPlan], at: usize) -> String {
    let alike = plans
        .iter()
        .filter(|plan| plan.draft.tls.is_some() == plans.get(at).is_some_and(|own| own.draft.tls.is_some()))
        .count();
    let Some(plan) = plans.get(at) else { return String::new() };
    let word = if plan.draft.tls.is_some() { "https" } else { "http" };
    let port = plan.draft.address.rsplit_once(':').map(|(_ip, port)| port.to_owned()).unwrap_or_default();
    let mut name = if alike == 1 { word.to_owned() } else { format!("{word}-{port}") };
    // Several addresses may have one port.
    let is_taken = |name: &String| plans.iter().any(|plan| plan.draft.name.as_ref() == Some(name));
    if plans.get(at).is_some_and(|plan| plan.draft.name.is_none()) && is_taken(&name) {
        name = format!("{name}-{at}");
    }
    let Some(plan) = plans.get_mut(at) else { return String::new() };
    plan.draft.name.get_or_insert(name).clone()
}

/// Without clusters that no route leads to: those of routes that are closed.
pub(super) fn prune(draft: &mut Draft) {
    let used: HashSet<&str> = draft
        .routes
        .iter()
        .filter_map(|route| match &route.action {
            ActionDraft::To(to) => to.strip_prefix("balancer://")?.split('/').next(),
            _ => None,
        })
        .collect();
    draft.clusters.retain(|cluster| used.contains(cluster.name.as_str()));
}
