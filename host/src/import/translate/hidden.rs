//! Rules that no request gets to, and lines for websockets that say nothing new.

use std::collections::HashMap;

use super::super::report::{Report, Severity};
use super::path::RulePath;
use super::rule::{RuleEffect, TrafficRule};

/// Rules behind a line for websockets that it is compared with, at the most.
const MOST_COMPARED: usize = 500;

/// Without the rules that others hide.
pub(super) fn living(rules: Vec<TrafficRule>, report: &mut Report) -> Vec<TrafficRule> {
    let mut prefixes: HashMap<String, usize> = HashMap::new();
    let mut patterns: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<TrafficRule> = Vec::with_capacity(rules.len());
    for rule in rules {
        let hider = match &rule.path {
            RulePath::Prefix(path) => ancestors(path).find_map(|prefix| prefixes.get(prefix)),
            RulePath::Pattern { text, .. } => {
                let start = rule.path.start().unwrap_or_else(|| "/".to_owned());
                patterns.get(text).or_else(|| ancestors(&start).find_map(|prefix| prefixes.get(prefix)))
            }
        };
        if let Some(first) = hider.and_then(|at| kept.get(*at)) {
            hidden(&rule, first, report);
            continue;
        }
        if rule.is_unconditional() {
            match &rule.path {
                RulePath::Prefix(path) => _ = prefixes.insert(path.clone(), kept.len()),
                RulePath::Pattern { text, .. } => _ = patterns.insert(text.clone(), kept.len()),
            }
        }
        kept.push(rule);
    }
    kept
}

/// Every prefix that takes `path`: itself, and each of its folders with and without `/`.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').flat_map(|(at, _slash)| [path.get(..at), path.get(..=at)]);
    std::iter::once(path).chain(folders.flatten()).filter(|prefix| !prefix.is_empty())
}

fn hidden(rule: &TrafficRule, first: &TrafficRule, report: &mut Report) {
    let (Some(place), Some(before)) = (rule.places.first(), first.places.first()) else { return };
    if place == before {
        return;
    }
    let probe = rule.path.sample();
    let same = probe.is_some_and(|path| rule.takes(&path, false) && first.outcome(&path) == rule.outcome(&path));
    if same {
        let what = format!("hidden by {before}, which sends it to the same place");
        report.add(place, Severity::Note, what, None);
    } else {
        let what = format!("dead: {before} takes every request for {} before", rule.path.told());
        report.add(place, Severity::Dropped, what, Some("put it before that line, if it is wanted"));
    }
}

/// Without the lines for websockets that say what the line for the rest says.
pub(super) fn without_doubles(rules: &mut Vec<TrafficRule>, report: &mut Report) {
    let mut at = 0;
    while let Some(rule) = rules.get(at) {
        let RuleEffect::Forward(goal) = &rule.effect else {
            at += 1;
            continue;
        };
        if !goal.at.origin().starts_with("ws") {
            at += 1;
            continue;
        }
        let plain = rule.is_unconditional()
            && rule.layers.access.is_silent()
            && rule.layers.requests.is_empty()
            && rule.layers.responses.is_empty();
        if !plain {
            at += 1;
            continue;
        }
        let following = rules.get(at + 1..).unwrap_or_default();
        let cover = following.iter().take(MOST_COMPARED).position(|other| other.path.meets(&rule.path));
        let other = cover.and_then(|offset| following.get(offset));
        let double = other.is_some_and(|other| {
            let probe = rule.path.sample();
            other.is_unconditional()
                && other.layers.access.is_silent()
                && other.layers.requests.is_empty()
                && other.layers.responses.is_empty()
                && other.path.covers(&rule.path)
                && other.worker.get("timeout") == rule.worker.get("timeout")
                && other.worker.get("upgrade").is_none()
                && rule.worker.get("upgrade").is_none()
                && probe.is_some_and(|path| rule.takes(&path, false) && other.outcome(&path) == rule.outcome(&path))
        });
        if !double {
            at += 1;
            continue;
        }
        let index = at + 1 + cover.unwrap_or_default();
        let places = rule.places.clone();
        if let Some(other) = rules.get_mut(index) {
            if let (Some(place), Some(whom)) = (places.first(), other.places.first()) {
                let what = format!("one route with {whom}: the same server, and an upgrade works on every route");
                report.add(place, Severity::Note, what, None);
            }
            other.places.extend(places);
        }
        rules.remove(at);
    }
}
