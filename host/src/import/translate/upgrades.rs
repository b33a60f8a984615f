//! Rules for upgrades beside rules for the rest: where they become one route.

use super::super::draft::WhenDraft;
use super::super::report::{Report, Severity};
use super::path::RulePath;
use super::rule::{RuleOutcome, TrafficRule, first};

/// Rules that a rule for upgrades is compared with, at the most.
const MOST_COMPARED: usize = 500;

/// Behind a rule for upgrades, one for everything else takes what is left: it needs no condition of its own.
pub(super) fn complete(rule: &TrafficRule, rules: &mut [TrafficRule]) {
    let Some(upgrade) = rule.when.upgrade else { return };
    for other in rules.iter_mut().rev().take(MOST_COMPARED) {
        let others = WhenDraft { upgrade: rule.when.upgrade, ..other.when.clone() };
        if other.when.upgrade == Some(!upgrade)
            && others == rule.when
            && other.hosts == rule.hosts
            && rule.path.covers(&other.path)
        {
            other.when.upgrade = None;
        }
    }
}

/// Whether a rule about upgrades says what the rules behind it (reversed) say for every request anyway. Then they may take
/// what it takes, whatever the request asks for; this is where a rule for websockets and a ProxyPass become one route.
pub(super) fn is_needless(rule: &TrafficRule, rules: &mut [TrafficRule], report: &mut Report) -> bool {
    if rules.len() > MOST_COMPARED {
        return false;
    }
    let upgrade = rule.when.upgrade == Some(true);
    let root = || (rule.path.takes("/") || rule.path.sample().is_some()).then(|| "/".to_owned());
    let Some(start) = rule.path.start().or_else(root) else { return false };
    let trimmed = start.trim_end_matches('/');
    let mut probes: Vec<String> = ["", "/", "/x", "/x/y.z"].iter().map(|tail| format!("{trimmed}{tail}")).collect();
    probes.extend(rules.iter().filter_map(|other| other.path.start()).flat_map(|start| {
        let start = start.trim_end_matches('/').to_owned();
        [start.clone(), format!("{start}/x")]
    }));
    probes.extend(rule.path.sample());
    probes.retain(|path| path.starts_with('/') && rule.path.takes(path));
    if probes.is_empty()
        || matches!(rule.path, RulePath::Pattern { .. })
            && !rules.iter().any(|other| other.is_unconditional() && other.path.covers(&rule.path))
    {
        return false;
    }
    // Where nothing is forwarded, no websocket is missed.
    let mut excluded = None;
    let mut same = None;
    for path in &probes {
        let outcome = rule.outcome(path);
        match first(rules.iter().rev(), path, upgrade) {
            Some(other) if other.outcome(path) == outcome => same = same.or(Some(path)),
            Some(other) if upgrade && other.outcome(path) == RuleOutcome::Local => {
                excluded = excluded.or_else(|| Some(other.path.told().to_owned()));
            }
            _ => return false,
        }
    }
    let at = same.and_then(|path| rules.iter().rposition(|other| other.takes(path, upgrade)));
    let Some(other) = at.and_then(|at| rules.get_mut(at)) else { return false };
    let Some(place) = rule.places.first() else { return false };
    other.places.push(place.clone());
    let whom = other.places.first().map(ToString::to_string).unwrap_or_default();
    let what = format!("one route with {whom}: an upgrade works on every route, on all of its paths");
    report.add(place, Severity::Note, what, None);
    if let Some(path) = excluded {
        let what = format!(
            "Apache forwards upgrades for {path} as well, which is left out below; here it is left out for them too"
        );
        report.add(place, Severity::Changed, what, None);
    }
    true
}
