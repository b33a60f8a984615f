//! One step of Apache's order of evaluation: which requests it takes, and what becomes of them.

use super::super::draft::WhenDraft;
use super::super::tree::Place;
use super::access::AccessReader;
use super::error_documents::{ErrorDocument, ErrorOverride};
use super::goal::Goal;
use super::headers::HeaderLine;
use super::path::{RulePath, rest_of};
use super::pattern::{mapping, one_path};
use super::shape;
use super::worker::WorkerParameters;

/// A step, with what other scopes lay over it.
#[derive(Clone, Debug)]
pub(super) struct TrafficRule {
    pub(super) places: Vec<Place>,
    pub(super) remarks: Vec<String>,
    pub(super) path: RulePath,
    /// Names that it is for, beside those of its server; empty: all.
    pub(super) hosts: Vec<String>,
    pub(super) when: WhenDraft,
    pub(super) effect: RuleEffect,
    pub(super) worker: WorkerParameters,
    pub(super) layers: RuleLayers,
    /// It stands in a Location, where access is decided first.
    pub(super) in_location: bool,
}

/// What Locations and Proxy sections say about a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleLayers {
    pub(super) access: AccessReader,
    pub(super) preserve_host: Option<bool>,
    pub(super) requests: Vec<HeaderLine>,
    pub(super) responses: Vec<HeaderLine>,
    pub(super) error_documents: Vec<ErrorDocument>,
    pub(super) error_override: Option<ErrorOverride>,
    /// Its connections are not kept.
    pub(super) unpooled: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(super) enum RuleEffect {
    /// The path of the goal replaces the prefix. For a pattern it is the whole path if it has a `$1`, else it stands before
    /// the path.
    Forward(Goal),
    /// Apache looks for a file. `told`: that has been said already.
    Local {
        told: bool,
    },
    Redirect {
        to: String,
        status: u16,
    },
    /// To the same by TLS; the name if it is not the one that was asked for.
    ToTls {
        status: u16,
        host: Option<String>,
    },
    Respond(u16),
}

/// What a rule would do with a request, in a form to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RuleOutcome {
    Forwarded { place: String, path: String },
    Local,
    Other(String),
}

impl TrafficRule {
    /// A rule without conditions.
    pub(super) fn new(place: Place, path: RulePath, effect: RuleEffect) -> Self {
        Self {
            places: vec![place],
            remarks: Vec::new(),
            path,
            hosts: Vec::new(),
            when: WhenDraft::default(),
            effect,
            worker: WorkerParameters::default(),
            layers: RuleLayers::default(),
            in_location: false,
        }
    }

    /// Whether it takes every request of its paths.
    pub(super) fn is_unconditional(&self) -> bool {
        self.hosts.is_empty() && self.when.is_always()
    }

    /// Whether it takes this request.
    pub(super) fn takes(&self, path: &str, upgrade: bool) -> bool {
        let mut others = self.when.clone();
        others.upgrade = None;
        self.hosts.is_empty()
            && others.is_always()
            && self.when.upgrade.is_none_or(|wanted| wanted == upgrade)
            && self.path.takes(path)
    }

    /// The same for the paths `path` alone, which are among its own. `None`: that cannot be said.
    pub(super) fn within(&self, path: &RulePath, place: &Place) -> Option<Self> {
        let mut narrow = self.clone();
        narrow.path = path.clone();
        narrow.places.insert(0, place.clone());
        if let RuleEffect::Forward(goal) = &mut narrow.effect {
            match (&self.path, path) {
                (RulePath::Prefix(prefix), RulePath::Prefix(inner)) => {
                    let rest = rest_of(prefix, inner)?;
                    let slash = if goal.path.is_empty() && prefix.ends_with('/') { "/" } else { "" };
                    goal.path = format!("{slash}{}{rest}", goal.path);
                }
                (_, RulePath::Pattern { .. }) if path.single().is_some() => {
                    let only = path.single()?;
                    let RuleOutcome::Forwarded { path: mapped, .. } = self.outcome(&only) else { return None };
                    goal.path = mapped.strip_suffix(only.as_str()).map_or_else(|| one_path(&mapped), str::to_owned);
                }
                (RulePath::Prefix(prefix), RulePath::Pattern { .. }) => {
                    let base = prefix.trim_end_matches('/');
                    let to = goal.path.trim_end_matches('/').strip_suffix(base)?;
                    goal.path = to.to_owned();
                }
                (RulePath::Pattern { .. }, _) if !goal.path.contains('$') && !matches!(path, RulePath::Prefix(_)) => {}
                _ => return None,
            }
        } else if let (RuleEffect::Redirect { to, .. }, RulePath::Prefix(prefix)) = (&mut narrow.effect, &self.path) {
            let RulePath::Prefix(inner) = path else { return None };
            *to = format!("{to}{}", rest_of(prefix, inner)?);
        }
        Some(narrow)
    }

    /// What it does with a request for `path`, which it takes.
    pub(super) fn outcome(&self, path: &str) -> RuleOutcome {
        match &self.effect {
            RuleEffect::Forward(goal) => {
                let mapped = match &self.path {
                    RulePath::Prefix(prefix) => {
                        let rest = rest_of(prefix, path).unwrap_or_default();
                        if goal.path.is_empty() {
                            let slash = if prefix.ends_with('/') { "/" } else { "" };
                            format!("{slash}{rest}")
                        } else {
                            format!("{}{rest}", goal.path)
                        }
                    }
                    RulePath::Pattern { .. } if !goal.path.contains('$') => format!("{}{path}", goal.path),
                    RulePath::Pattern { compiled, .. } => {
                        let groups = shape::groups(compiled, path).unwrap_or_default();
                        fill(&goal.path, &groups)
                    }
                };
                let path = if mapped.is_empty() { "/".to_owned() } else { mapped };
                RuleOutcome::Forwarded { place: goal.at.key(), path }
            }
            RuleEffect::Local { .. } => RuleOutcome::Local,
            RuleEffect::Redirect { to, status } => RuleOutcome::Other(format!("{status} {to}")),
            RuleEffect::ToTls { status, host } => RuleOutcome::Other(format!("{status} tls {host:?}")),
            RuleEffect::Respond(status) => RuleOutcome::Other(status.to_string()),
        }
    }

    /// The same rule for the paths that match `pattern` as well.
    pub(super) fn narrowed(&self, pattern: &str, place: &Place) -> Option<Self> {
        let path = mapping(pattern, "%{REQUEST_URI}", false).ok()?.path;
        if path.covers(&self.path) {
            return Some(self.clone());
        }
        let mut narrow = self.within(&path, place)?;
        narrow.places.clone_from(&self.places);
        Some(narrow)
    }
}

/// The rules for what a rule leaves out (reversed): what others behind it would do there.
pub(super) fn left_to_others(pattern: &str, rules: &[TrafficRule], place: &Place) -> Option<Vec<TrafficRule>> {
    let path = mapping(pattern, "%{REQUEST_URI}", false).ok()?.path;
    let mut found = Vec::new();
    for rule in rules.iter().rev() {
        if path.covers(&rule.path) {
            found.push(rule.clone());
        } else if rule.path.covers(&path) {
            found.push(rule.within(&path, place)?);
        }
        if rule.is_unconditional() && rule.path.covers(&path) {
            found.reverse();
            return Some(found);
        }
    }
    found.push(TrafficRule::new(place.clone(), path, RuleEffect::Local { told: false }));
    found.reverse();
    Some(found)
}

/// `$0` to `$9` filled in.
pub(super) fn fill(template: &str, groups: &[String]) -> String {
    let mut pieces = template.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let mut rest = piece.chars();
        match rest.next().and_then(|digit| digit.to_digit(10)).and_then(|digit| usize::try_from(digit).ok()) {
            Some(number) => {
                filled.push_str(groups.get(number).map(String::as_str).unwrap_or_default());
                filled.push_str(rest.as_str());
            }
            None => {
                filled.push('$');
                filled.push_str(piece);
            }
        }
    }
    filled
}

/// What the first of `rules` that takes the request does with it.
pub(super) fn first<'r>(
    rules: impl IntoIterator<Item = &'r TrafficRule>,
    path: &str,
    upgrade: bool,
) -> Option<&'r TrafficRule> {
    rules.into_iter().find(|rule| rule.takes(path, upgrade))
}
