//! `ProxyPassReverse` and its relatives: what `reverse` does by default, and what it has to be told.

use std::collections::{HashMap, HashSet};

use super::super::draft::{ActionDraft, PathDraft, ReverseDraft, RouteDraft};
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Node, Place, Section};
use super::balancers::Balancers;
use super::goal::{Goal, GoalPlace, goal};
use super::path::rest_of;
use super::rule::{RuleEffect, TrafficRule};
use super::scope::ScopeSettings;

/// A line, with the public path that it is for.
struct ReverseLine<'t> {
    place: &'t Place,
    path: &'t str,
    url: &'t str,
}

/// Lines about cookies outside of Locations, at the most: each is written to every route.
const MOST_COOKIE_LINES: usize = 64;

/// Gives `routes`, which were made of `rules`, what their `reverse` has to be told.
pub(super) fn tell(
    scopes: &[&ScopeSettings<'_>],
    rules: &[TrafficRule],
    routes: &mut [RouteDraft],
    balancers: &Balancers,
    report: &mut Report,
) {
    let servers = servers(rules, balancers);
    let mut by_path = RoutesByPath::new(rules, routes);
    for line in scopes.iter().flat_map(|scope| lines(scope)) {
        one(&line, &mut by_path, &servers, balancers, report);
    }
    let mut of_server = scopes.iter().flat_map(|scope| scope.cookies.iter());
    for line in of_server.by_ref().take(MOST_COOKIE_LINES) {
        cookie(line, "/", rules, routes, report);
    }
    for line in of_server {
        let what = format!("{}: more than {MOST_COOKIE_LINES} such lines, each of which is for every route", line.name);
        report.refuse(
            &line.place,
            what,
            "reverse = { cookie_paths = { … }, cookie_domains = { … } } on the routes meant",
        );
    }
    for section in scopes.iter().flat_map(|scope| scope.locations.iter()) {
        let of_cookies =
            |line: &&Directive| line.is("ProxyPassReverseCookiePath") || line.is("ProxyPassReverseCookieDomain");
        for line in directives(section).filter(of_cookies) {
            match section.word(0).filter(|path| section.is("Location") && path.starts_with('/')) {
                Some(path) => cookie(line, path, rules, routes, report),
                None => report.refuse(
                    &line.place,
                    format!("{} for paths by a pattern", line.name),
                    "reverse = { cookie_paths = { … }, cookie_domains = { … } } on the route",
                ),
            }
        }
    }
}

fn lines<'t>(scope: &ScopeSettings<'t>) -> Vec<ReverseLine<'t>> {
    let mut all = Vec::new();
    let mut add = |line: &'t Directive, location: Option<&'t str>| {
        let words = (line.word(0), line.word(1));
        let (path, url) = match (location, words) {
            (Some(path), (Some(url), _)) => (path, url),
            (None, (Some(path), Some(url))) => (path, url),
            _ => return,
        };
        all.push(ReverseLine { place: &line.place, path, url });
    };
    for line in &scope.reverses {
        add(line, None);
    }
    for section in &scope.locations {
        let path = section.words.last().map(|word| word.text.as_str());
        for line in directives(section).filter(|line| line.is("ProxyPassReverse")) {
            add(line, path);
        }
    }
    all
}

fn directives(section: &Section) -> impl Iterator<Item = &Directive> {
    section.children.iter().filter_map(|node| match node {
        Node::Directive(line) => Some(line),
        Node::Section(_) => None,
    })
}

/// Rules and their routes, found by path.
struct RoutesByPath<'r> {
    rules: &'r [TrafficRule],
    routes: &'r mut [RouteDraft],
    /// Those of prefixes that forward, by the prefix without the slash at its end.
    by_path: HashMap<String, Vec<usize>>,
}

impl<'r> RoutesByPath<'r> {
    fn new(rules: &'r [TrafficRule], routes: &'r mut [RouteDraft]) -> Self {
        let mut by_path: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, route) in routes.iter().enumerate() {
            if let (PathDraft::Prefix(prefix), ActionDraft::To(_)) = (&route.path, &route.action) {
                by_path.entry(prefix.trim_end_matches('/').to_owned()).or_default().push(at);
            }
        }
        Self { rules, routes, by_path }
    }

    /// Does something with each route that is for exactly this path, and where it leads; whether there is one.
    fn each(&mut self, path: &str, mut act: impl FnMut(&Goal, &mut RouteDraft)) -> bool {
        let mut found = false;
        for at in self.by_path.get(path.trim_end_matches('/')).into_iter().flatten() {
            let (Some(rule), Some(route)) = (self.rules.get(*at), self.routes.get_mut(*at)) else { continue };
            if let RuleEffect::Forward(goal) = &rule.effect {
                act(goal, route);
                found = true;
            }
        }
        found
    }
}

fn one(
    line: &ReverseLine<'_>,
    routes: &mut RoutesByPath<'_>,
    servers: &HashSet<String>,
    balancers: &Balancers,
    report: &mut Report,
) {
    if line.url.starts_with('/') {
        let mut found = false;
        routes.each(line.path, |goal, route| {
            if goal.path.trim_end_matches('/') == line.url.trim_end_matches('/') {
                found = true;
                route.options.reverse.paths = route.options.reverse.paths || line.path != "/";
            }
        });
        if !found {
            let what = "no route has this path and leads to that one, so that nothing is mapped back by it";
            report.add(line.place, Severity::Dropped, what, None);
        }
        return;
    }
    if line.url.contains(['*', '(', '$']) || line.url.ends_with('!') || line.path.contains(['*', '(', '^']) {
        report.add(line.place, Severity::Dropped, "ProxyPassReverse takes no pattern: the line never matches", None);
        return;
    }
    let Ok(named) = goal(line.url).map(|goal| balancers.settled(goal)) else { return };
    if servers.contains(&named.at.key()) {
        return;
    }
    let url = format!("{}{}", named.at.origin(), named.path.trim_end_matches('/'));
    let found = matches!(named.at, GoalPlace::Server { .. })
        && routes.each(line.path, |_goal, route| {
            let origins = &mut route.options.reverse.origins;
            if !origins.contains(&url) {
                origins.push(url.clone());
            }
        });
    if !found {
        let what = format!("no route leads to {}, so that the line maps nothing back here", named.at.origin());
        let remedy = "reverse = { origins = [ … ] } on the route whose responses name it";
        report.add(line.place, Severity::Changed, what, Some(remedy));
    }
}

/// How the servers that `rules` lead to name themselves: what `reverse` maps by default.
fn servers(rules: &[TrafficRule], balancers: &Balancers) -> HashSet<String> {
    let mut servers = HashSet::new();
    for rule in rules {
        let RuleEffect::Forward(goal) = &rule.effect else { continue };
        if !servers.insert(goal.at.key()) {
            continue;
        }
        match &goal.at {
            GoalPlace::Balancer(name) => {
                servers.extend(balancers.members(name).iter().map(|member| member.at.plain_key()))
            }
            GoalPlace::Socket { host, .. } => {
                let named = GoalPlace::Server { scheme: "http", host: host.clone(), port: None };
                servers.insert(named.key());
            }
            GoalPlace::Server { .. } => _ = servers.insert(goal.at.plain_key()),
        }
    }
    servers
}

/// ProxyPassReverseCookiePath and -Domain for the paths below `within`: the server's own are mapped anyway.
fn cookie(line: &Directive, within: &str, rules: &[TrafficRule], routes: &mut [RouteDraft], report: &mut Report) {
    let (Some(inside), Some(public)) = (line.word(0), line.word(1)) else {
        report.refuse(&line.place, format!("{} has too few words", line.name), "write the inner and the public one");
        return;
    };
    if inside.contains(['$', '%']) || public.contains(['$', '%']) {
        report.refuse(
            &line.place,
            format!("{} with values of the request", line.name),
            "`reverse` maps the server's own cookies to the client's host",
        );
        return;
    }
    let is_path = line.is("ProxyPassReverseCookiePath");
    for (rule, route) in rules.iter().zip(routes) {
        let (RuleEffect::Forward(goal), PathDraft::Prefix(prefix)) = (&rule.effect, &route.path) else { continue };
        if !matches!(route.action, ActionDraft::To(_)) || rest_of(within, prefix).is_none() {
            continue;
        }
        let ReverseDraft { cookie_paths, cookie_domains, .. } = &mut route.options.reverse;
        let bare = |path: &str| path.trim_end_matches('/').to_owned();
        if is_path {
            if bare(inside) != bare(&goal.path) || bare(public) != bare(prefix) {
                cookie_paths.insert(inside.to_owned(), public.to_owned());
            }
        } else {
            let own = matches!(&goal.at, GoalPlace::Server { host, .. } if host == inside);
            if !own {
                cookie_domains.insert(inside.to_owned(), public.to_owned());
            }
        }
    }
}
