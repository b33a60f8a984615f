//! Locations: the rules that stand in them, and what they lay over the rules of their server.

use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place, Section};
use super::goal::{Goal, goal};
use super::mapping::{self, LocationPath};
use super::pattern::escape;
use super::rule::{RuleEffect, TrafficRule};
use super::scope::{self, ScopeKind, ScopeSettings};
use super::to_tls::redirect_of_location;

/// A Location with what stands in it.
pub(super) struct LocationScope<'t> {
    pub(super) place: Place,
    pub(super) path: LocationPath,
    pub(super) scope: ScopeSettings<'t>,
}

pub(super) fn read<'t>(section: &'t Section, report: &mut Report) -> Option<LocationScope<'t>> {
    let place = section.place.clone();
    let mut words = section.words.iter().map(|word| word.text.as_str());
    let mut first = words.next().unwrap_or_default();
    let mut pattern = section.is("LocationMatch");
    if first == "~" {
        pattern = true;
        first = words.next().unwrap_or_default();
    }
    let path = if pattern || first.contains(['*', '?', '[']) {
        let text = if pattern { first.to_owned() } else { wildcard(first) };
        LocationPath::Pattern(text)
    } else if first.starts_with('/') {
        LocationPath::Prefix(first.to_owned())
    } else {
        report.refuse(&place, format!("`{first}` is no path"), "begin it with /");
        return None;
    };
    let scope = scope::read(&section.children, ScopeKind::Location, report);
    Some(LocationScope { place, path, scope })
}

/// The shell's wildcards as a pattern.
fn wildcard(text: &str) -> String {
    let mut pattern = "^".to_owned();
    for c in text.chars() {
        match c {
            '*' => pattern.push_str("[^/]*"),
            '?' => pattern.push_str("[^/]"),
            '[' | ']' => pattern.push(c),
            plain => pattern.push_str(&escape(&plain.to_string())),
        }
    }
    pattern
}

/// What stands in a Location and works otherwise there than it seems to; its redirects.
pub(super) fn rules(location: &LocationScope<'_>, tls: Option<bool>, report: &mut Report) -> Vec<TrafficRule> {
    let scope = &location.scope;
    for line in scope.mappings.iter().rev().skip(1) {
        report.add(&line.place, Severity::Dropped, "a Location has one ProxyPass: the last one in it counts", None);
    }
    let target = scope.mappings.last().and_then(|line| line.word(0)).and_then(|url| goal(url).ok());
    let mut found = Vec::new();
    let mut conditions = Vec::new();
    for line in &scope.rewrites {
        if !line.is("RewriteRule") {
            conditions.push(*line);
            continue;
        }
        let asked = super::conditions::read(&std::mem::take(&mut conditions));
        let (pattern, to) = (line.word(0).unwrap_or_default(), line.word(1).unwrap_or_default());
        let whole = [".*", "^", ".?", "(.*)", "^(.*)$", "^(.*)", "^.*$", ".", ""].contains(&pattern);
        let flags = line.word(2).unwrap_or_default().to_ascii_uppercase();
        let proxied = flags.trim_matches(['[', ']']).split(',').any(|flag| flag.trim() == "P");
        if to == "-" {
            report.add(&line.place, Severity::Dropped, "the rule changes nothing that is known here", None);
        } else if whole
            && !proxied
            && to.ends_with("%{REQUEST_URI}")
            && to.starts_with("http")
            && asked.strange.is_empty()
        {
            if asked.scheme_of_proxy {
                super::conditions::tell_of_proxy(&line.place, report);
            }
            found.extend(redirect_of_location(line, &location.path, &asked, tls));
        } else if whole && proxied && target.is_some() && !to.contains("$1") && to.ends_with("%{REQUEST_URI}") {
            proxied_rule(location, line, to, target.as_ref(), report);
        } else if whole && proxied && to.contains("$1") && !pattern.contains('(') {
            let what = "$1 is empty without a group, so that Apache sends every upgrade to one path; here it works \
                on the paths of the ProxyPass";
            report.add(&line.place, Severity::Changed, what, None);
        } else {
            let what = if target.is_some() {
                "a rule in a Location that is proxied meets the server's URL and not the path, so that Apache sends \
                 another path than it seems"
            } else {
                "a rule in a Location meets the name of a file and not the path"
            };
            report.refuse(&line.place, what, "write the rule outside of the Location, or a route by hand");
        }
    }
    found
}

/// A rule that sends upgrades with their whole path, beside a ProxyPass.
fn proxied_rule(location: &LocationScope<'_>, line: &Directive, to: &str, target: Option<&Goal>, report: &mut Report) {
    let LocationPath::Prefix(path) = &location.path else { return };
    let base = to.trim_end_matches("%{REQUEST_URI}").trim_end_matches('/');
    let kept = target.is_some_and(|goal| goal.path.trim_end_matches('/') == path.trim_end_matches('/'));
    let elsewhere = goal(base).is_ok_and(|other| target.is_some_and(|goal| !goal.same_place(&other)));
    if elsewhere {
        report.refuse(
            &line.place,
            "upgrades go to another server than the ProxyPass beside the rule",
            "a route with when = { upgrade = true } before the other",
        );
    } else if kept {
        report.add(
            &line.place,
            Severity::Note,
            "an upgrade works on every route: the ProxyPass beside it is the route",
            None,
        );
    } else {
        let what = format!(
            "Apache sends upgrades to {path} at the server and other requests to the path of the ProxyPass, which is \
             taken for both"
        );
        report.add(
            &line.place,
            Severity::Changed,
            what,
            Some(&format!("to = \"{base}{path}\", if the server needs that path")),
        );
    }
}

/// `SetHandler`.
pub(super) fn handler(location: &LocationScope<'_>, report: &mut Report) -> Option<TrafficRule> {
    let line = location.scope.handler?;
    let name = line.word(0).unwrap_or_default();
    let path = mapping::plain_path(&location.path, &location.place, report)?;
    match name.to_ascii_lowercase().as_str() {
        "balancer-manager" | "server-status" | "server-info" | "ldap-status" => {
            report.refuse(
                &line.place,
                format!("{name} is a page of Apache"),
                "[admin] has an API for members and metrics; see docs/admin.md",
            );
            Some(TrafficRule::new(line.place.clone(), path, RuleEffect::Local { told: true }))
        }
        "none" | "default-handler" => None,
        _ => {
            report.refuse(
                &line.place,
                format!("the handler `{name}` has no counterpart"),
                "ProxyPass to a server that does it",
            );
            Some(TrafficRule::new(line.place.clone(), path, RuleEffect::Local { told: true }))
        }
    }
}
