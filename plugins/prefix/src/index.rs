//! Finding the first rule that matches, without asking each.
//!
//! ```text
//! host ─▶ tree of exact name ┐
//!      ─▶ tree of *.suffix   ├─▶ one step per segment ─▶ smallest rule number ─▶ patterns before that one
//!      ─▶ tree of every host ┘
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::path::{Forms, Parameters, Segments, Separators};
use crate::pattern::{Cost, Groups, LONGEST, Regex, Use};

/// Bytes of a path that every set of patterns must have time for.
pub const LEAST_FOR_PATTERNS: usize = 1024;

/// How a rule compares paths.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// On segment boundaries, as Apache's `ProxyPass`.
    Prefix(String),
    /// Found anywhere in the path, unless the pattern anchors itself.
    Regex(Arc<Regex>),
}

/// What is done with a hit, as far as it matters for finding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Nothing is made of what matched.
    Plain,
    /// The groups of a pattern are filled in.
    Groups,
    /// The rule excludes: what servers may make of the path counts too.
    Exclude,
}

/// The rule that matched.
#[derive(Debug)]
pub struct Hit<'a> {
    /// Its number.
    pub rule: u32,
    /// What it left of the path: offset into it. None for a pattern.
    pub rest: Option<usize>,
    /// What its pattern found, if that is wanted.
    pub groups: Option<Groups<'a>>,
}

/// What a pattern would have to be asked about, and all that may have to be would take too long for something so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLong {
    /// The path.
    Path,
    /// A value of the query.
    Query,
    /// The values of a header.
    Header,
}

/// Patterns that may be asked about one request leave no time for a path of [`LEAST_FOR_PATTERNS`].
#[derive(Debug, PartialEq, Eq)]
pub struct TooCostly {
    /// The rule that costs the most of them.
    pub rule: u32,
    /// How many there are.
    pub patterns: usize,
    /// Bytes of the longest path that there is time for.
    pub longest: usize,
}

/// All rules, by host and by segment.
#[derive(Debug, Default)]
pub struct Index {
    any: Tree,
    exact: BTreeMap<String, Tree>,
    /// By suffix, without `*.`.
    below: BTreeMap<String, Tree>,
    /// Bytes of the longest suffix: a Host of many more has many that need not be looked for.
    longest_suffix: usize,
}

/// Rules for one host.
#[derive(Debug, Default)]
struct Tree {
    root: Node,
    /// Exclusions once more, by segments between separators of every kind.
    excluded: Node,
    regexes: Vec<Asked>,
    /// Of asking all of them.
    cost: Cost,
}

/// A pattern in its place.
#[derive(Debug)]
struct Asked {
    rule: u32,
    regex: Arc<Regex>,
    purpose: Purpose,
}

#[derive(Debug, Default)]
struct Node {
    /// Rules that end here.
    open: Ends,
    /// Rules that end here with a slash.
    slash: Ends,
    children: BTreeMap<Box<[u8]>, Node>,
}

/// Rules that end in one place.
#[derive(Debug, Default)]
struct Ends {
    first: Option<u32>,
    /// Those behind it, ascending: they have their turn where the conditions of one before do not hold.
    later: Vec<u32>,
}

/// What may be the first rule for a path.
enum Candidate<'s> {
    /// It is, and leaves this of the path.
    Prefix(usize),
    /// It is if its pattern matches.
    Pattern(&'s Asked),
}

impl Index {
    /// Adds the next rule; numbers ascend. `hosts` empty means every host.
    pub fn add(&mut self, rule: u32, pattern: &Pattern, purpose: Purpose, hosts: &[String]) {
        if hosts.is_empty() {
            self.any.add(rule, pattern, purpose);
        }
        for host in hosts {
            let host = host.to_ascii_lowercase();
            let tree = match host.strip_prefix("*.") {
                _ if host == "*" => &mut self.any,
                Some(suffix) => {
                    self.longest_suffix = self.longest_suffix.max(suffix.len());
                    self.below.entry(suffix.to_owned()).or_default()
                }
                None => self.exact.entry(host).or_default(),
            };
            tree.add(rule, pattern, purpose);
        }
    }

    /// The first rule for `host` (lower case, without port) and a path.
    ///
    /// # Errors
    /// [`TooLong`] if that depends on a pattern.
    pub fn find<'a>(&self, host: &str, path: &'a Forms<'_>) -> Result<Option<Hit<'a>>, TooLong> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let (mut best, mut cost) = (None, Cost::default());
        for tree in self.trees(host) {
            tree.find_prefix(path, &mut best);
            cost = cost.and(tree.cost);
        }
        if cost == Cost::default() {
            return Ok(best);
        }
        let longest = longest(cost, path);
        for tree in self.trees(host) {
            tree.find_pattern(path, longest, &mut best)?;
        }
        Ok(best)
    }

    /// The same among rules with conditions: the first of which these hold, too. They are asked of a rule whose path
    /// matches alone, and each pattern is asked once.
    ///
    /// # Errors
    /// [`TooLong`] if it depends on a pattern, or as `holds` says.
    pub fn find_first<'a>(
        &self,
        host: &str,
        path: &'a Forms<'_>,
        mut holds: impl FnMut(u32) -> Result<bool, TooLong>,
    ) -> Result<Option<Hit<'a>>, TooLong> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let (mut candidates, mut cost) = (Vec::new(), Cost::default());
        for tree in self.trees(host) {
            tree.walk(path, |ends, rest| candidates.extend(ends.rules().map(|rule| (rule, Candidate::Prefix(rest)))));
            candidates.extend(tree.regexes.iter().map(|asked| (asked.rule, Candidate::Pattern(asked))));
            cost = cost.and(tree.cost);
        }
        candidates.sort_unstable_by_key(|(rule, _)| *rule);
        // Of a rule that is there for several hosts, or found in several readings, any will do.
        candidates.dedup_by_key(|(rule, _)| *rule);
        let longest = if cost == Cost::default() { usize::MAX } else { longest(cost, path) };
        for (rule, candidate) in candidates {
            let (rest, groups) = match candidate {
                Candidate::Prefix(rest) => (Some(rest), None),
                Candidate::Pattern(_) if path.raw().len() > longest => return Err(TooLong::Path),
                Candidate::Pattern(asked) => match asked.find(path) {
                    Some(groups) => (None, groups),
                    None => continue,
                },
            };
            if holds(rule)? {
                return Ok(Some(Hit { rule, rest, groups }));
            }
        }
        Ok(None)
    }

    /// Whether patterns have time for ordinary paths, whatever the host.
    ///
    /// # Errors
    /// [`TooCostly`], of the first host for which they have not.
    pub fn check(&self) -> Result<(), TooCostly> {
        let below = self.below.keys().map(|suffix| format!("*.{suffix}"));
        for host in [String::new()].into_iter().chain(self.exact.keys().cloned()).chain(below) {
            let cost = self.trees(&host).fold(Cost::default(), |cost, tree| cost.and(tree.cost));
            let longest = cost.longest(Forms::ORDINARY, Forms::ORDINARY_FOR_EXCLUSIONS);
            if longest < LEAST_FOR_PATTERNS {
                let asked = || self.trees(&host).flat_map(|tree| &tree.regexes);
                let cost = |asked: &&Asked| asked.cost().per_byte(Forms::ORDINARY, Forms::ORDINARY_FOR_EXCLUSIONS);
                let rule = asked().max_by_key(cost).map_or(0, |asked| asked.rule);
                return Err(TooCostly { rule, patterns: asked().count(), longest });
            }
        }
        Ok(())
    }

    /// All that have rules for `host`.
    fn trees<'s>(&'s self, host: &'s str) -> impl Iterator<Item = &'s Tree> {
        let dots = if self.below.is_empty() { "" } else { host };
        let suffixes = dots.match_indices('.').filter_map(|(dot, _)| host.get(dot.saturating_add(1)..));
        let below =
            suffixes.filter(|suffix| suffix.len() <= self.longest_suffix).filter_map(|suffix| self.below.get(suffix));
        [&self.any].into_iter().chain(self.exact.get(host)).chain(below)
    }
}

/// Bytes that `path` may have in the forms that it has.
fn longest(cost: Cost, path: &Forms<'_>) -> usize {
    if path.raw().len() > LONGEST {
        return 0;
    }
    let forms = 1 + u64::from(path.normal().is_some());
    let readings = if cost.excludes() { path.readings().len() } else { 0 };
    cost.longest(forms, forms.saturating_add(u64::try_from(readings).unwrap_or(u64::MAX)))
}

impl Tree {
    fn add(&mut self, rule: u32, pattern: &Pattern, purpose: Purpose) {
        match pattern {
            Pattern::Regex(regex) => {
                let asked = Asked { rule, regex: Arc::clone(regex), purpose };
                self.cost = self.cost.and(asked.cost());
                self.regexes.push(asked);
            }
            Pattern::Prefix(prefix) => {
                self.root.add(rule, prefix, Separators::Slash);
                if purpose == Purpose::Exclude {
                    self.excluded.add(rule, prefix, Separators::Any);
                }
            }
        }
    }

    /// Puts the first prefix that matches into `best`, if it comes before what is there.
    fn find_prefix(&self, path: &Forms<'_>, best: &mut Option<Hit<'_>>) {
        self.walk(path, |ends, rest| {
            if let Some(rule) = ends.first
                && best.as_ref().is_none_or(|hit| rule < hit.rule)
            {
                *best = Some(Hit { rule, rest: Some(rest), groups: None });
            }
        });
    }

    /// Shows all places where rules for this path end, each with what it leaves of it.
    fn walk(&self, path: &Forms<'_>, mut each: impl FnMut(&Ends, usize)) {
        self.root.walk(Segments::of(path.raw(), Separators::Slash, Parameters::Kept), &mut each);
        if !self.excluded.is_empty() {
            for (separators, parameters) in path.hidden() {
                self.excluded.walk(Segments::of(path.raw(), separators, parameters), &mut each);
            }
        }
    }

    /// Puts the first pattern that matches into `best`, if it comes before what is there.
    fn find_pattern<'a>(&self, path: &'a Forms<'_>, longest: usize, best: &mut Option<Hit<'a>>) -> Result<(), TooLong> {
        for asked in &self.regexes {
            if best.as_ref().is_some_and(|hit| hit.rule < asked.rule) {
                break;
            }
            if path.raw().len() > longest {
                return Err(TooLong::Path);
            }
            if let Some(groups) = asked.find(path) {
                *best = Some(Hit { rule: asked.rule, rest: None, groups });
                break;
            }
        }
        Ok(())
    }
}

impl Asked {
    /// Whether it matches, with its groups if they are wanted.
    fn find<'a>(&self, path: &'a Forms<'_>) -> Option<Option<Groups<'a>>> {
        let mut forms = [path.raw()].into_iter().chain(path.normal());
        let is_match = |form: &[u8]| self.regex.is_match(form);
        match self.purpose {
            Purpose::Groups => forms.find_map(|form| self.regex.groups(form)).map(Some),
            Purpose::Plain => forms.any(|form| is_match(form.as_bytes())).then_some(None),
            Purpose::Exclude => {
                let found = forms.any(|form| is_match(form.as_bytes()))
                    || path.readings().iter().any(|reading| is_match(reading));
                found.then_some(None)
            }
        }
    }

    fn cost(&self) -> Cost {
        self.regex.cost(match self.purpose {
            Purpose::Plain => Use::Match,
            Purpose::Groups => Use::Groups,
            Purpose::Exclude => Use::Exclude,
        })
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        self.open.first.is_none() && self.slash.first.is_none() && self.children.is_empty()
    }

    fn add(&mut self, rule: u32, prefix: &str, separators: Separators) {
        let mut node = self;
        for segment in Segments::of(prefix, separators, Parameters::Kept) {
            node = node.children.entry(segment.text.into()).or_default();
        }
        // The path "/" is all slash; otherwise a slash at the end must be there in the request too.
        let place = if prefix.ends_with('/') { &mut node.slash } else { &mut node.open };
        match place.first {
            None => place.first = Some(rule),
            Some(_) => place.later.push(rule),
        }
    }

    /// Shows all places of this and what is below where rules for these segments end.
    fn walk(&self, mut segments: Segments<'_>, each: &mut impl FnMut(&Ends, usize)) {
        let mut node = Some(self);
        let mut at = 0;
        while let Some(here) = node {
            if here.open.first.is_some() {
                each(&here.open, at);
            }
            // One slash is the prefix's own; others behind it are the client's.
            if here.slash.first.is_some() && segments.after_separators(at) > at {
                each(&here.slash, at.saturating_add(1));
            }
            node = None;
            if !here.children.is_empty()
                && let Some(segment) = segments.next()
            {
                node = here.children.get(segment.text.as_ref());
                at = segment.end;
            }
        }
    }
}

impl Ends {
    fn rules(&self) -> impl Iterator<Item = u32> {
        self.first.into_iter().chain(self.later.iter().copied())
    }
}

#[cfg(test)]
mod tests;
