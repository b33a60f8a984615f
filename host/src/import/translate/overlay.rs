//! What Locations say of access and headers, laid over the rules of their server.
//!
//! A rule gets all Locations that hold for all of its paths, in their order. For a Location that is about some of its paths
//! alone, a rule of its own comes before it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::report::Report;
use super::super::tree::Place;
use super::admission::{ImportedAccess, admission};
use super::hidden::ancestors;
use super::locations::LocationScope;
use super::mapping;
use super::path::{RulePath, rest_of};
use super::rule::{RuleEffect, RuleLayers, TrafficRule};
use super::scope::ScopeSettings;

/// A Location that says something of the requests in it.
struct Layer<'l, 't> {
    place: &'l Place,
    path: RulePath,
    scope: &'l ScopeSettings<'t>,
    /// What it says of access for itself.
    admission: Option<ImportedAccess>,
}

/// All of them, in their order, and by path.
struct Layers<'l, 't> {
    all: Vec<Layer<'l, 't>>,
    /// Those of prefixes.
    prefixes: HashMap<String, Vec<usize>>,
    sorted: BTreeMap<String, usize>,
    patterns: Vec<usize>,
}

impl Layer<'_, '_> {
    fn is_closed(&self) -> bool {
        !matches!(self.admission, None | Some(ImportedAccess::Everybody))
    }
}

impl<'l, 't> Layers<'l, 't> {
    fn new(locations: &'l [LocationScope<'t>], report: &mut Report) -> Self {
        let mut layers =
            Self { all: Vec::new(), prefixes: HashMap::new(), sorted: BTreeMap::new(), patterns: Vec::new() };
        for location in locations {
            let scope = &location.scope;
            let says = scope.preserve_host.is_some()
                || scope.unpooled.is_some()
                || !scope.error_documents.is_empty()
                || scope.error_override.is_some()
                || !scope.requests.is_empty()
                || !scope.responses.is_empty()
                || !scope.access.is_silent();
            if !says {
                continue;
            }
            let Some(path) = mapping::plain_path(&location.path, &location.place, report) else { continue };
            let at = layers.all.len();
            match &path {
                RulePath::Prefix(prefix) => {
                    layers.prefixes.entry(prefix.clone()).or_default().push(at);
                    layers.sorted.entry(prefix.clone()).or_insert(at);
                }
                RulePath::Pattern { .. } => layers.patterns.push(at),
            }
            let admission = admission(&scope.access);
            layers.all.push(Layer { place: &location.place, path, scope, admission });
        }
        layers
    }

    /// Those that hold for all of `path`, in their order.
    fn over(&self, path: &RulePath) -> Vec<&Layer<'l, 't>> {
        let start = path.start().unwrap_or_else(|| "/".to_owned());
        let mut found: Vec<usize> = ancestors(&start)
            .collect::<HashSet<_>>()
            .into_iter()
            .filter_map(|prefix| self.prefixes.get(prefix))
            .flatten()
            .copied()
            .chain(self.patterns.iter().copied())
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.all.get(at)).filter(|layer| layer.path.covers(path)).collect()
    }

    /// Whether another prefix lies between `path` and the wider `rule`.
    fn is_nested(&self, path: &RulePath, rule: &RulePath) -> bool {
        let (RulePath::Prefix(path), RulePath::Prefix(rule)) = (path, rule) else { return false };
        ancestors(path).any(|prefix| prefix.len() > rule.len() && prefix != path && self.prefixes.contains_key(prefix))
    }

    /// One for each path that some, but not all of the paths of `path` are in; of prefixes, the longer ones first.
    fn within(&self, path: &RulePath) -> Vec<&Layer<'l, 't>> {
        let start = path.start().unwrap_or_else(|| "/".to_owned());
        let below = self.sorted.range(start.clone()..).take_while(|(prefix, _at)| prefix.starts_with(&start));
        let mut found: Vec<&Layer<'_, '_>> = below
            .filter(|(prefix, _at)| rest_of(&start, prefix).is_some())
            .filter_map(|(_prefix, at)| self.all.get(*at))
            .collect();
        found.sort_by_key(|layer| std::cmp::Reverse(layer.path.told().len()));
        let patterns = self.patterns.iter().filter_map(|at| self.all.get(*at));
        found.extend(patterns);
        found.retain(|layer| !layer.path.covers(path) && layer.path.meets(path));
        found
    }
}

/// Lays `locations` over `rules`.
pub(super) fn lay(rules: Vec<TrafficRule>, locations: &[LocationScope<'_>], report: &mut Report) -> Vec<TrafficRule> {
    let layers = Layers::new(locations, report);
    if layers.all.is_empty() {
        return rules;
    }
    let mut laid = Vec::with_capacity(rules.len());
    // Behind a rule that takes all of a Location, nothing gets there.
    let mut taken: HashSet<String> = HashSet::new();
    let mut kept_out: HashSet<&Place> = HashSet::new();
    for mut rule in rules {
        if matches!(rule.effect, RuleEffect::Local { .. }) {
            // Files are not served: that there are none is told to everybody.
            if let RulePath::Prefix(prefix) = &rule.path
                && rule.is_unconditional()
            {
                taken.insert(prefix.clone());
            }
            laid.push(rule);
            continue;
        }
        let inner = layers.within(&rule.path);
        let over = layers.over(&rule.path);
        let bare = rule.clone();
        for layer in over {
            overlay(&mut rule, layer);
        }
        for layer in inner {
            let is_taken =
                layer.path.start().is_some_and(|start| ancestors(&start).any(|prefix| taken.contains(prefix)));
            if is_taken && matches!(layer.path, RulePath::Prefix(_)) {
                continue;
            }
            if bare.path.covers(&layer.path) {
                let narrow = bare.within(&layer.path, layer.place);
                let Some(mut narrow) = narrow.or_else(|| refused_within(&bare, layer, report)) else { continue };
                for other in layers.over(&layer.path) {
                    overlay(&mut narrow, other);
                }
                // Within another Location of the rule, what lifts that one has to be said as well.
                if differs(&narrow, &rule) || layers.is_nested(&layer.path, &rule.path) {
                    laid.push(narrow);
                }
            } else if layer.is_closed() && kept_out.insert(layer.place) {
                // Some of its paths may be in the Location: what is not let in there has to stay outside.
                let mut deny = closed(layer);
                overlay(&mut deny, layer);
                laid.push(deny);
            }
        }
        if let RulePath::Prefix(prefix) = &rule.path
            && rule.is_unconditional()
        {
            taken.insert(prefix.clone());
        }
        laid.push(rule);
    }
    laid
}

/// A rule that keeps everybody out of a Location; why, is laid over it.
fn closed(layer: &Layer<'_, '_>) -> TrafficRule {
    let rule = TrafficRule::new(layer.place.clone(), layer.path.clone(), RuleEffect::Respond(403));
    TrafficRule { in_location: true, ..rule }
}

/// A Location within a rule that cannot be narrowed to it.
fn refused_within(rule: &TrafficRule, layer: &Layer<'_, '_>, report: &mut Report) -> Option<TrafficRule> {
    if layer.is_closed() {
        return Some(TrafficRule { when: rule.when.clone(), ..closed(layer) });
    }
    let (inner, outer) = (layer.path.told(), rule.path.told());
    let what = format!("what the Location says of {inner} cannot be said for a part of the route of {outer}");
    report.refuse(layer.place, what, "write a route for these paths by hand");
    None
}

/// Lays one Location over a rule.
fn overlay(rule: &mut TrafficRule, layer: &Layer<'_, '_>) {
    let Layer { scope, .. } = layer;
    let layers = &mut rule.layers;
    // Redirects and refusals of the server come before access is looked at.
    if !scope.access.is_silent()
        && (rule.in_location || matches!(rule.effect, RuleEffect::Forward(_) | RuleEffect::Local { .. }))
    {
        layers.access = scope.access.within(&layers.access);
    }
    layers.preserve_host = scope.preserve_host.or(layers.preserve_host);
    layers.error_documents.extend(scope.error_documents.iter().cloned());
    if scope.error_override.is_some() {
        layers.error_override.clone_from(&scope.error_override);
    }
    let forwards = matches!(rule.effect, RuleEffect::Forward(_));
    if forwards {
        layers.requests.extend(scope.requests.iter().cloned());
    }
    // Files are not served, and have no headers.
    if !matches!(rule.effect, RuleEffect::Local { .. }) {
        layers.responses.extend(scope.responses.iter().filter(|line| forwards || line.always).cloned());
    }
    layers.unpooled |= scope.unpooled.is_some();
}

/// Whether a rule that was narrowed to a Location is any different there.
fn differs(narrow: &TrafficRule, rule: &TrafficRule) -> bool {
    let (one, other) = (&narrow.layers, &rule.layers);
    let limits =
        |layers: &RuleLayers| admission(&layers.access).filter(|admission| *admission != ImportedAccess::Everybody);
    limits(one) != limits(other)
        || one.preserve_host != other.preserve_host
        || one.unpooled != other.unpooled
        || one.requests.len() != other.requests.len()
        || one.responses.len() != other.responses.len()
        || one.error_documents.len() != other.error_documents.len()
        || one.error_override != other.error_override
}
