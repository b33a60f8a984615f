//! What becomes of the requests of one server, in Apache's order of evaluation.
//!
//! ```text
//! Redirect in a Location ▸ RewriteRule ▸ ProxyPass of the last Location ▸ ProxyPass of the main server, then of the vhost
//!                        ▸ Redirect ▸ Alias
//! and over all of them what Locations and Proxy sections say of access and headers
//! ```

use std::collections::HashMap;

use super::super::report::{Report, Severity};
use super::super::tree::Section;
use super::balancers::Balancers;
use super::goal::goal;
use super::hidden;
use super::locations::{self, LocationScope};
use super::mapping::{self, LocationPath};
use super::overlay;
use super::path::RulePath;
use super::rewrite::{self, RewriteSetting};
use super::rule::{RuleEffect, TrafficRule};
use super::scope::ScopeSettings;
use super::sites::Site;
use super::worker::WorkerParameters;

/// The rules of `site`, first match first.
pub(super) fn rules(
    site: &Site<'_>,
    main: &ScopeSettings<'_>,
    balancers: &Balancers,
    report: &mut Report,
) -> Vec<TrafficRule> {
    let inherited: Vec<&Section> = if site.is_main { Vec::new() } else { main.locations.clone() };
    let sections = inherited.into_iter().chain(site.scope.locations.iter().copied());
    let outside = [main, &site.scope].into_iter();
    let outside = outside.filter(|scope| !scope.access.is_silent()).map(|scope| LocationScope {
        place: site.place.clone(),
        path: LocationPath::Prefix("/".to_owned()),
        scope: ScopeSettings { access: scope.access.clone(), ..ScopeSettings::default() },
    });
    let read = sections.filter_map(|section| locations::read(section, report));
    // What stands outside of Locations comes before all of them.
    let locations: Vec<_> = outside.chain(read).collect();

    let mut first = Vec::new();
    let mut lower = Vec::new();
    for place in &locations {
        for line in &place.scope.redirects {
            let found = mapping::redirect(line, Some(&place.path), site.tls, report);
            first.extend(found.map(|rule| TrafficRule { in_location: true, ..rule }));
        }
        first.extend(locations::rules(place, site.tls, report));
    }
    for place in locations.iter().rev() {
        lower.extend(place.scope.mappings.last().and_then(|line| mapping::proxy_pass(line, Some(&place.path), report)));
        lower.extend(locations::handler(place, report));
    }
    let redirects = site.scope.redirects.iter().chain(&main.redirects);
    let redirects: Vec<_> = redirects.filter_map(|line| mapping::redirect(line, None, site.tls, report)).collect();
    for line in main.mappings.iter().chain(&site.scope.mappings) {
        let Some(rule) = mapping::proxy_pass(line, None, report) else { continue };
        if matches!(rule.effect, RuleEffect::Local { .. }) {
            // What is not proxied may still be redirected.
            lower.extend(redirects.iter().filter_map(|redirect| within(redirect, &rule)));
        }
        lower.push(rule);
    }
    lower.extend(redirects);
    aliases(&mut lower, site, main, report);
    for rule in &mut lower {
        settle(rule, balancers);
    }

    let rewriting = site.scope.rewriting.or(main.rewriting).unwrap_or(false);
    let rewrites = if site.is_main { &main.rewrites } else { &site.scope.rewrites };
    let mut rules = if rewriting {
        let root = site
            .scope
            .files
            .iter()
            .chain(&main.files)
            .find(|line| line.is("DocumentRoot"))
            .and_then(|line| line.word(0));
        let at = RewriteSetting { tls: site.tls, document_root: root, names: &site.names, balancers };
        rewrite::before(rewrites, lower, at, report)
    } else {
        if let Some(line) = rewrites.first() {
            report.add(
                &line.place,
                Severity::Dropped,
                "RewriteEngine is off, so that no rewrite rule runs",
                Some("RewriteEngine On, if they are wanted"),
            );
        }
        lower
    };
    first.append(&mut rules);
    let rules = first;
    let mut rules = hidden::living(overlay::lay(rules, &locations, report), report);
    hidden::without_doubles(&mut rules, report);
    let workers = workers(&locations, main, site);
    for rule in &mut rules {
        let RuleEffect::Forward(goal) = &rule.effect else { continue };
        if rule.worker.is_empty()
            && let Some(worker) = workers.get(&goal.at.key())
        {
            rule.worker = worker.clone();
        }
        rule.worker = balancers.parameters_of(goal).extended(&rule.worker);
    }
    rules
}

/// A redirect as far as it is about the paths of an exclusion.
fn within(redirect: &TrafficRule, exclusion: &TrafficRule) -> Option<TrafficRule> {
    if exclusion.path.covers(&redirect.path) {
        return Some(redirect.clone());
    }
    let place = redirect.places.first()?;
    if redirect.path.covers(&exclusion.path) { redirect.within(&exclusion.path, place) } else { None }
}

/// Files: an Alias is a place where nothing is forwarded; all of them are told once.
fn aliases(lower: &mut Vec<TrafficRule>, site: &Site<'_>, main: &ScopeSettings<'_>, report: &mut Report) {
    let taken: Vec<RulePath> =
        lower.iter().filter(|rule| rule.is_unconditional()).map(|rule| rule.path.clone()).collect();
    let files = site.scope.files.iter().chain(if site.is_main { &main.files } else { &[] as &[_] });
    for line in files {
        let path =
            if line.is("DocumentRoot") { Some(RulePath::Prefix("/".to_owned())) } else { mapping::alias(line, report) };
        let Some(path) = path else { continue };
        let excluded =
            lower.iter().any(|rule| matches!(rule.effect, RuleEffect::Local { .. }) && rule.path.covers(&path));
        if !excluded && taken.iter().any(|other| other.covers(&path)) {
            report.add(
                &line.place,
                Severity::Dropped,
                format!("{} is never looked at: what takes its path is forwarded or answered before", line.name),
                None,
            );
            continue;
        }
        let remedy = "route the path to a server that serves them (nginx, Caddy, the application), before other routes";
        report.refuse(&line.place, format!("{}: files are not served here", line.name), remedy);
        if !line.is("DocumentRoot") && !excluded {
            lower.push(TrafficRule::new(line.place.clone(), path, RuleEffect::Local { told: true }));
        }
    }
}

fn settle(rule: &mut TrafficRule, balancers: &Balancers) {
    if let RuleEffect::Forward(goal) = &mut rule.effect {
        *goal = balancers.settled(goal.clone());
    }
}

/// The first line that names each server with parameters: they belong to its connections, which rewrite rules use too.
fn workers<'t>(
    locations: &[LocationScope<'t>],
    main: &ScopeSettings<'t>,
    site: &Site<'t>,
) -> HashMap<String, WorkerParameters> {
    let in_locations = locations.iter().flat_map(|location| &location.scope.mappings);
    let mut workers = HashMap::new();
    for line in main.mappings.iter().chain(&site.scope.mappings).chain(in_locations) {
        let Some(at) = line.words.iter().position(|word| word.text.contains("://")) else { continue };
        let words = line.words.get(at + 1..).unwrap_or_default();
        if words.is_empty() {
            continue;
        }
        let Ok(goal) = goal(line.word(at).unwrap_or_default()) else { continue };
        workers.entry(goal.at.key()).or_insert_with(|| {
            let mut worker = WorkerParameters::default();
            // What is wrong with them is said where the line is read.
            let _faults = worker.add(words, &line.place);
            worker
        });
    }
    workers
}
