//! `ProxyPassReverse`: `reverse`, which is on by default, maps the server's own URLs back; what else Apache was told.

use super::super::report::{Report, Severity};
use super::balancers::Balancers;
use super::goal::{Goal, GoalPlace, goal};
use super::rule::{RuleEffect, TrafficRule};
use super::scope::ScopeSettings;
use super::sites::Site;

/// Says which lines never match, or map what is not mapped here.
pub(super) fn check(
    _site: &Site<'_>,
    scopes: &[&ScopeSettings<'_>],
    rules: &[TrafficRule],
    balancers: &Balancers,
    report: &mut Report,
) {
    let goals: Vec<&Goal> = rules
        .iter()
        .filter_map(|rule| match &rule.effect {
            RuleEffect::Forward(goal) => Some(goal),
            _ => None,
        })
        .collect();
    for line in scopes.iter().flat_map(|scope| scope.reverses.iter()) {
        let url = line.word(1).or_else(|| line.word(0)).unwrap_or_default();
        if url.starts_with('/') {
            report.add(
                &line.place,
                Severity::Changed,
                "a path is mapped back for every server in Apache; here the URLs of the route's own server are",
                None,
            );
            continue;
        }
        if url.contains(['*', '(', '$']) || url.ends_with("!") {
            report.add(
                &line.place,
                Severity::Dropped,
                "ProxyPassReverse takes no pattern: the line never matches",
                None,
            );
            continue;
        }
        let Ok(named) = goal(url).map(|goal| balancers.settled(goal)) else { continue };
        let plain = |goal: &Goal| goal.at.key().trim_start_matches("http://").trim_start_matches("https://").to_owned();
        let known = goals.iter().any(|goal| {
            goal.same_place(&named)
                || matches!((&goal.at, &named.at), (GoalPlace::Balancer(name), GoalPlace::Server { .. })
                    if balancers.members(name).iter().any(|member| member.same_place(&named)))
                || matches!(&goal.at, GoalPlace::Socket { host, .. } if plain(&named).starts_with(host.as_str()))
        });
        if !known && !goals.is_empty() {
            let what = format!(
                "no route leads to {}, and `reverse` maps the URLs of a route's own server back",
                named.at.origin()
            );
            let remedy = "X-Forwarded-Proto and -Host are sent: let the server make its URLs with them";
            report.add(&line.place, Severity::Changed, what, Some(remedy));
        }
    }
}
