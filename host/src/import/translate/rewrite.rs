//! Rewrite rules of a server, put before the rules that come after them.
//!
//! ```text
//! RewriteCond… RewriteRule ──▶ Step ─┐   from the last to the first, so that each step sees what follows it
//!                                    ├──▶ rules
//! ProxyPass, Redirect … ─────────────┘
//! ```

use super::super::draft::WhenDraft;
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place};
use super::balancers::Balancers;
use super::conditions::{self, RuleConditions};
use super::flags::{RewriteFlags, flags};
use super::goal::{Goal, NoGoal, goal};
use super::path::RulePath;
use super::pattern::{PatternMapping, exact_path, mapping, tell_kept_without_caret, understood};
use super::rule::{RuleEffect, TrafficRule, first, left_to_others};
use super::shape::{PatternTail, shape};
use super::to_tls::to_tls;
use super::upgrades::{complete, is_needless};

/// What rewriting has to know of its server.
#[derive(Clone, Copy, Debug)]
pub(super) struct RewriteSetting<'s> {
    /// Clients come by TLS, or do not; `None`: both.
    pub(super) tls: Option<bool>,
    pub(super) document_root: Option<&'s str>,
    /// Its names.
    pub(super) names: &'s [String],
    pub(super) balancers: &'s Balancers,
}

/// Puts what `lines` say before `lower`.
pub(super) fn before(
    lines: &[&Directive],
    lower: Vec<TrafficRule>,
    at: RewriteSetting<'_>,
    report: &mut Report,
) -> Vec<TrafficRule> {
    let mut groups: Vec<(Vec<&Directive>, &Directive)> = Vec::new();
    let mut conditions = Vec::new();
    for line in lines {
        if line.is("RewriteCond") {
            conditions.push(*line);
        } else {
            groups.push((std::mem::take(&mut conditions), *line));
        }
    }
    // Reversed: what comes first is at the end.
    let mut rules: Vec<TrafficRule> = lower.iter().rev().cloned().collect();
    for (conditions, line) in groups.iter().rev() {
        let step = Step { line, conditions: conditions::read(conditions), at };
        step.put(&mut rules, &lower, conditions.first().map(|line| &line.place), report);
    }
    rules.reverse();
    rules
}

struct Step<'r> {
    line: &'r Directive,
    conditions: RuleConditions,
    at: RewriteSetting<'r>,
}

impl Step<'_> {
    fn put(
        mut self,
        rules: &mut Vec<TrafficRule>,
        lower: &[TrafficRule],
        first_condition: Option<&Place>,
        report: &mut Report,
    ) {
        let place = self.line.place.clone();
        let (Some(pattern), Some(to)) = (self.line.word(0), self.line.word(1)) else {
            report.refuse(&place, "RewriteRule has too few words", "write a pattern and where it leads");
            return;
        };
        let flags = flags(self.line.word(2).unwrap_or_default());
        if flags.strange {
            let what = "S, C, N and CO among the flags of a rule have no counterpart, so that the rule is left out";
            report.refuse(
                &place,
                what,
                "routes in the order that is meant; see what the rules behind it do without it",
            );
            return;
        }
        if to == "-" && flags.answer.is_none() && !flags.proxy && !flags.last {
            report.add(&place, Severity::Note, "the rule changes nothing; what follows it decides", None);
            return;
        }
        if let Some(why) = &self.conditions.never {
            report.add(&place, Severity::Dropped, format!("the rule never runs: {why}"), None);
            return;
        }
        if self.conditions.scheme_of_proxy {
            conditions::tell_of_proxy(first_condition.unwrap_or(&place), report);
        } else if let (Some(wanted), Some(tls)) = (self.conditions.when.tls, self.at.tls) {
            if wanted != tls {
                let what = "the rule never runs: its condition is about the other scheme than this server's";
                report.add(&place, Severity::Dropped, what, None);
                return;
            }
            self.conditions.when.tls = None;
        }
        if !self.conditions.strange.is_empty() {
            let what = format!(
                "the condition `{}` has no counterpart, so that the rule is left out",
                self.conditions.strange.join("` and `")
            );
            report.refuse(first_condition.unwrap_or(&place), what, "a route with `when`, or a router plugin");
            return;
        }
        if self.conditions.files {
            let what = "files that are there come first in Apache; here every request goes on, as files are not served";
            report.add(
                first_condition.unwrap_or(&place),
                Severity::Changed,
                what,
                Some("route their paths to a server that serves them, before this route"),
            );
        }
        let pattern = self.pattern(pattern, flags.ignores_case, report);
        if to == "-" && flags.answer.is_none() && !flags.proxy {
            self.pass(&pattern, &flags, rules, lower, report);
            return;
        }
        if let Some(rule) = self.effect(&pattern, to, &flags, lower, report) {
            self.insert(rule, rules, report);
        }
    }

    /// The pattern, with the DocumentRoot taken off.
    fn pattern(&self, pattern: &str, ignores_case: bool, report: &mut Report) -> String {
        let plain = pattern.strip_prefix('^').unwrap_or(pattern);
        if let Some(root) = self.at.document_root.filter(|root| root.len() > 1)
            && let Some(rest) = plain.strip_prefix(root.trim_end_matches('/'))
        {
            let what = format!("the pattern names the DocumentRoot {root}: taken as the path behind it");
            report.add(&self.line.place, Severity::Changed, what, None);
            return format!("^{rest}");
        }
        // Paths whose letters differ by case alone are rare; a prefix that takes one case is what was meant.
        if ignores_case && shape(pattern).is_none() && !pattern.starts_with("(?") && !pattern.starts_with('!') {
            return format!("(?i){pattern}");
        }
        pattern.to_owned()
    }

    /// `-` without an answer: what the rule takes is rewritten no further.
    fn pass(
        &self,
        pattern: &str,
        flags: &RewriteFlags,
        rules: &mut Vec<TrafficRule>,
        lower: &[TrafficRule],
        report: &mut Report,
    ) {
        let place = &self.line.place;
        let after: Vec<_> = rules.len().checked_sub(lower.len()).map(|count| count > 0).into_iter().collect();
        if !flags.last || after != [true] {
            report.add(place, Severity::Note, "the rule changes nothing; what follows it decides", None);
            return;
        }
        let Ok(path) = exact_path(pattern) else { return };
        let found = lower.iter().find(|rule| rule.is_unconditional() && rule.path.covers(&path));
        let rule = match found.map(|rule| rule.within(&path, place)) {
            Some(Some(rule)) => rule,
            Some(None) => {
                report.refuse(
                    place,
                    "what the rule leaves to others cannot be said as a route",
                    "write that route by hand",
                );
                return;
            }
            None => TrafficRule::new(place.clone(), path, RuleEffect::Local { told: false }),
        };
        rules.push(rule);
    }

    /// What the rule does, with the paths it does it for.
    fn effect(
        &self,
        pattern: &str,
        to: &str,
        flags: &RewriteFlags,
        lower: &[TrafficRule],
        report: &mut Report,
    ) -> Option<TrafficRule> {
        let place = &self.line.place;
        let told = |report: &mut Report, no: NoGoal| report.refuse(place, no.what, no.remedy);
        if let Some(status) = flags.answer {
            let path = understood(exact_path(&self.positive(pattern)), place, report)?;
            return Some(TrafficRule::new(place.clone(), path, RuleEffect::Respond(status)));
        }
        let lower_to = to.to_ascii_lowercase();
        let absolute = lower_to.contains("://");
        if flags.proxy || lower_to.starts_with("proxy:") {
            let to = to.strip_prefix("proxy:").unwrap_or(to);
            // `%1` of a condition on the request line is the path, as it is used.
            let to = to.replace("/%{REQUEST_URI}", "%{REQUEST_URI}");
            if to.contains("%1") || to.contains("%{") && !to.ends_with("%{REQUEST_URI}") || to.contains("${") {
                report.refuse(
                    place,
                    format!("where `{to}` leads comes from the request"),
                    "write a route for each target, or a router plugin",
                );
                return None;
            }
            let goal = goal(&to).map_err(|no| told(report, no)).ok()?;
            let positive = self.positive(pattern);
            let mapping = self.checked(&positive, mapping(&positive, &goal.path, false), report)?;
            if to.len() < self.line.word(1).unwrap_or_default().len() {
                let what = "the path that Apache sends begins with two slashes; one here";
                report.add(place, Severity::Changed, what, None);
            }
            let goal = self.at.balancers.settled(Goal { path: mapping.to, ..goal });
            return Some(TrafficRule::new(place.clone(), mapping.path, RuleEffect::Forward(goal)));
        }
        if flags.redirect.is_some() || absolute {
            return self.redirect(pattern, to, flags, report);
        }
        self.rewritten(pattern, to, flags, lower, report)
    }

    /// The pattern without `!`, whose own text goes to the exceptions.
    fn positive(&self, pattern: &str) -> String {
        if pattern.starts_with('!') { "^".to_owned() } else { pattern.to_owned() }
    }

    fn checked(
        &self,
        pattern: &str,
        found: Result<PatternMapping, String>,
        report: &mut Report,
    ) -> Option<PatternMapping> {
        let place = &self.line.place;
        let found = understood(found, place, report)?;
        found.tell_caret(pattern, place, report);
        found.tell_boundary(place, report);
        if found.without_group {
            let what = "$1 is empty without a group, so that Apache sends every request to one path; taken as the \
                path that follows";
            report.add(place, Severity::Changed, what, None);
        }
        Some(found)
    }

    fn redirect(&self, pattern: &str, to: &str, flags: &RewriteFlags, report: &mut Report) -> Option<TrafficRule> {
        let status = flags.redirect.unwrap_or(302);
        let place = &self.line.place;
        let positive = self.positive(pattern);
        let found = understood(mapping(&positive, "%{REQUEST_URI}", false), place, report)?;
        tell_kept_without_caret(&positive, place, report);
        // Where less than a prefix of segments is meant, the pattern stays as it is.
        let exact = !found.without_boundary && !found.without_caret;
        let path = found.path;
        let everything = path.is_everything();
        if let Some((host, whole)) = to_tls(to, &positive)
            && whole
            && everything
            && self.at.tls != Some(true)
        {
            return Some(TrafficRule::new(place.clone(), path, RuleEffect::ToTls { status, host }));
        }
        let scheme = if self.at.tls == Some(true) { "https" } else { "http" };
        let ours = to
            .replace("%{HTTP_HOST}", "$host")
            .replace("%{SERVER_NAME}", "$host")
            .replace("%{REQUEST_URI}", "$path")
            .replace("%{REQUEST_SCHEME}", scheme)
            .replace("$0", "$path");
        let ours = flags.with_query(&ours);
        if ours.contains("%{") || ours.contains("%1") || ours.contains("${") {
            report.refuse(
                place,
                format!("where `{to}` leads comes from the request"),
                "a redirect knows $host, $path, $query and the groups of its pattern",
            );
            return None;
        }
        // A redirect of a prefix has what is left of the path behind it, so the pattern stays one.
        let (path, ours) = match shape(&positive) {
            Some(found) if exact && found.tail == PatternTail::Any && ours.ends_with("$1") && found.group.is_some() => {
                let at = found.group.unwrap_or_default();
                let target = format!("{}{}", ours.trim_end_matches("$1"), found.literal.get(at..).unwrap_or_default());
                (path, target)
            }
            Some(found) if exact && found.tail == PatternTail::Any && ours.ends_with("$path") => {
                (path, format!("{}{}", ours.trim_end_matches("$path"), found.literal))
            }
            _ => (RulePath::pattern(&positive).ok()?, ours),
        };
        let ours =
            if path.is_everything() && ours.contains("://") { ours.trim_end_matches('/').to_owned() } else { ours };
        let ours = if ours.contains("://") || ours.starts_with(['/', '$']) { ours } else { format!("/{ours}") };
        Some(TrafficRule::new(place.clone(), path, RuleEffect::Redirect { to: ours, status }))
    }

    /// A rewrite to another path of the same server: with PT, or within what is proxied, other rules take it from there.
    fn rewritten(
        &self,
        pattern: &str,
        to: &str,
        flags: &RewriteFlags,
        lower: &[TrafficRule],
        report: &mut Report,
    ) -> Option<TrafficRule> {
        let place = &self.line.place;
        if !flags.pass_through {
            let what = format!("the rewrite to `{to}` leads to a file (without the flag PT no ProxyPass is tried)");
            report.refuse(place, what, "files are not served here: route the path to a server that does");
            return None;
        }
        let positive = self.positive(pattern);
        let found = self.checked(&positive, mapping(&positive, to.split('?').next().unwrap_or(to), false), report)?;
        let inner = if found.to.is_empty() { found.path.told().to_owned() } else { found.to.clone() };
        let literal = inner.split('$').next().unwrap_or_default().to_owned();
        let taken = first(lower, &literal, false);
        let Some(TrafficRule { path: RulePath::Prefix(prefix), effect: RuleEffect::Forward(goal), worker, .. }) = taken
        else {
            report.refuse(
                place,
                format!("nothing takes the path `{to}` that the rule leads to"),
                "route the path by hand",
            );
            return None;
        };
        let rest = inner.strip_prefix(prefix.as_str()).unwrap_or_default();
        let base = if goal.path.is_empty() && prefix.ends_with('/') { "/" } else { goal.path.as_str() };
        let goal = Goal { path: format!("{base}{rest}"), at: goal.at.clone() };
        report.add(place, Severity::Note, "the rewrite and the ProxyPass behind it are one route", None);
        let mut rule = TrafficRule::new(place.clone(), found.path, RuleEffect::Forward(goal));
        rule.worker = worker.clone();
        Some(rule)
    }

    /// Adds the conditions and puts the rule in, if nothing behind it does the same anyway.
    fn insert(self, mut rule: TrafficRule, rules: &mut Vec<TrafficRule>, report: &mut Report) {
        let place = self.line.place.clone();
        if let Some(path) = &self.conditions.path {
            match rule.narrowed(path, &place) {
                Some(narrow) => rule = narrow,
                None => {
                    report.refuse(
                        &place,
                        format!("the condition on the path, `{path}`, and the pattern cannot be said together"),
                        "write the route by hand",
                    );
                    return;
                }
            }
        }
        rule.when = WhenDraft { tls: self.conditions.when.tls, ..self.conditions.when.clone() };
        rule.hosts.clone_from(&self.conditions.hosts);
        if !self.at.names.is_empty() && self.at.names.iter().all(|name| rule.hosts.contains(name)) {
            rule.hosts.clear();
        }
        if !self.conditions.not_hosts.is_empty() {
            // A server has no other names than its own.
            rule.hosts =
                self.at.names.iter().filter(|name| !self.conditions.not_hosts.contains(name)).cloned().collect();
            if rule.hosts.is_empty() {
                let what = "the rule is for every name but those of the server, which `hosts` cannot say";
                report.refuse(&place, what, "a route without `hosts` behind those that name them");
                return;
            }
        }
        let mut excepted = self.conditions.not_paths.clone();
        if let Some(not) = self.line.word(0).and_then(|pattern| pattern.strip_prefix('!')) {
            excepted.push(not.to_owned());
        }
        // Redirects of ACME's challenges are told apart everywhere; what else is left out needs rules of its own.
        let mut exceptions = Vec::new();
        for pattern in &excepted {
            match left_to_others(pattern, rules, &place) {
                Some(mut found) => exceptions.append(&mut found),
                None => {
                    report.refuse(
                        &place,
                        format!("what `{pattern}` leaves to others cannot be said as a route"),
                        "write that route by hand",
                    );
                    return;
                }
            }
        }
        complete(&rule, rules);
        if rule.when.upgrade.is_some() {
            if is_needless(&rule, rules, report) {
                return;
            }
            let what = "upgrades go elsewhere than other requests for these paths: told apart with `when`";
            report.add(&place, Severity::Note, what, None);
        }
        rules.push(rule);
        rules.extend(exceptions);
    }
}
