//! Finding the first rule that matches, without asking each.
//!
//! ```text
//! host ─▶ tree of exact name ┐
//!      ─▶ tree of *.suffix   ├─▶ one step per segment ─▶ smallest rule number ─▶ patterns before that one
//!      ─▶ tree of every host ┘
//! ```

use std::collections::BTreeMap;

use regex_lite::{Captures, Regex};

use crate::path::{Forms, Segments, Separators};

/// Bytes of the longest path that patterns are asked about: a few of them must be done within a plugin's deadline.
pub const LONGEST_FOR_PATTERNS: usize = 8 * 1024;

/// How a rule compares paths.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// On segment boundaries, as Apache's `ProxyPass`.
    Prefix(String),
    /// Found anywhere in the path, unless the pattern anchors itself.
    Regex(Regex),
}

/// What is done with a hit, as far as it matters for finding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Nothing is made of what matched.
    Plain,
    /// The groups of a pattern are filled in.
    Groups,
    /// The rule excludes: hidden separators count too.
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
    pub groups: Option<Captures<'a>>,
}

/// The path is longer than [`LONGEST_FOR_PATTERNS`], and a pattern would have to be asked.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// All rules, by host and by segment.
#[derive(Debug, Default)]
pub struct Index {
    any: Tree,
    exact: BTreeMap<String, Tree>,
    /// By suffix, without `*.`.
    below: BTreeMap<String, Tree>,
}

/// Rules for one host.
#[derive(Debug, Default)]
struct Tree {
    root: Node,
    /// Exclusions once more, by segments between separators of every kind.
    excluded: Node,
    regexes: Vec<(u32, Regex, Purpose)>,
}

#[derive(Debug, Default)]
struct Node {
    /// First rule that ends here.
    open: Option<u32>,
    /// First rule that ends here with a slash.
    slash: Option<u32>,
    children: BTreeMap<Box<[u8]>, Node>,
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
                Some(suffix) => self.below.entry(suffix.to_owned()).or_default(),
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
        let dots = if self.below.is_empty() { "" } else { host };
        let suffixes = dots.match_indices('.').filter_map(|(dot, _)| host.get(dot.saturating_add(1)..));
        let below = suffixes.filter_map(|suffix| self.below.get(suffix));
        let trees = || [&self.any].into_iter().chain(self.exact.get(host)).chain(below.clone());
        let mut best = None;
        for tree in trees() {
            tree.find_prefix(path, &mut best);
        }
        for tree in trees() {
            tree.find_pattern(path, &mut best)?;
        }
        Ok(best)
    }
}

impl Tree {
    fn add(&mut self, rule: u32, pattern: &Pattern, purpose: Purpose) {
        match pattern {
            Pattern::Regex(regex) => self.regexes.push((rule, regex.clone(), purpose)),
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
        self.root.find(path.raw(), Separators::Slash, best);
        if !self.excluded.is_empty() && path.hides_a_separator() {
            self.excluded.find(path.raw(), Separators::Any, best);
        }
    }

    /// Puts the first pattern that matches into `best`, if it comes before what is there.
    fn find_pattern<'a>(&self, path: &'a Forms<'_>, best: &mut Option<Hit<'a>>) -> Result<(), TooLong> {
        for (rule, regex, purpose) in &self.regexes {
            if best.as_ref().is_some_and(|hit| hit.rule < *rule) {
                break;
            }
            if path.raw().len() > LONGEST_FOR_PATTERNS {
                return Err(TooLong);
            }
            let found = |text: &'a str| match purpose {
                Purpose::Groups => regex.captures(text).map(Some),
                Purpose::Plain | Purpose::Exclude => regex.is_match(text).then_some(None),
            };
            let groups = found(path.raw()).or_else(|| path.normal().and_then(found)).or_else(|| {
                let opened = if *purpose == Purpose::Exclude { path.opened() } else { None };
                opened.and_then(found)
            });
            if let Some(groups) = groups {
                *best = Some(Hit { rule: *rule, rest: None, groups });
                break;
            }
        }
        Ok(())
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        self.open.is_none() && self.slash.is_none() && self.children.is_empty()
    }

    fn add(&mut self, rule: u32, prefix: &str, separators: Separators) {
        let mut node = self;
        for segment in Segments::of(prefix, separators) {
            node = node.children.entry(segment.text.into()).or_default();
        }
        // The path "/" is all slash; otherwise a slash at the end must be there in the request too.
        let place = if prefix.ends_with('/') { &mut node.slash } else { &mut node.open };
        place.get_or_insert(rule);
    }

    /// Puts the first rule of this and what is below into `best`, if it comes before what is there.
    fn find(&self, path: &str, separators: Separators, best: &mut Option<Hit<'_>>) {
        let mut consider = |rule: u32, rest: usize| {
            if best.as_ref().is_none_or(|hit| rule < hit.rule) {
                *best = Some(Hit { rule, rest: Some(rest), groups: None });
            }
        };
        let mut node = Some(self);
        let mut at = 0;
        let mut segments = Segments::of(path, separators);
        while let Some(here) = node {
            if let Some(rule) = here.open {
                consider(rule, at);
            }
            let after = segments.after_separators(at);
            if let Some(rule) = here.slash.filter(|_| after > at) {
                consider(rule, after);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn index(rules: &[(&str, &[&str])]) -> Index {
        let mut index = Index::default();
        for (number, (path, hosts)) in (0..).zip(rules) {
            let pattern = match path.strip_prefix('~') {
                Some(regex) => Pattern::Regex(Regex::new(regex).unwrap()),
                None => Pattern::Prefix((*path).to_owned()),
            };
            index.add(
                number,
                &pattern,
                Purpose::Plain,
                &hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>(),
            );
        }
        index
    }

    fn find(index: &Index, host: &str, path: &str) -> Option<u32> {
        index.find(host, &Forms::of(path)).unwrap().map(|hit| hit.rule)
    }

    #[test]
    fn hosts_select_and_the_first_rule_wins_across_them() {
        let index = index(&[
            ("/x", &["a.example"]),
            ("/x", &["*.b.example", "c.example"]),
            ("/x/y", &[]),
            ("/", &["A.example", "*.deep.b.example"]),
        ]);
        let table = [
            ("a.example", "/x/y", Some(0)),
            ("a.example.", "/x", Some(0)),
            ("b.example", "/x", None),
            ("one.b.example", "/x", Some(1)),
            ("one.deep.b.example", "/x", Some(1)),
            ("one.deep.b.example", "/z", Some(3)),
            ("c.example", "/x/y", Some(1)),
            ("other.example", "/x/y", Some(2)),
            ("notb.example", "/x", None),
        ];

        for (host, path, rule) in table {
            assert_eq!(find(&index, host, path), rule, "{host} {path}");
        }
    }

    #[test]
    fn patterns_and_prefixes_keep_their_order() {
        let index = index(&[("~^/a/[0-9]+$", &[]), ("/a", &[]), ("~.*", &[]), ("/", &[])]);

        for (path, rule) in [("/a/7", 0), ("/a/b", 1), ("/b", 2)] {
            assert_eq!(find(&index, "h", path), Some(rule), "{path}");
        }
    }

    #[test]
    fn a_long_path_is_refused_only_where_a_pattern_would_decide() {
        let index = index(&[("/first", &[]), ("~^/a", &["a.example"]), ("/", &[])]);
        let long = |start: &str| format!("{start}/{}", "x".repeat(LONGEST_FOR_PATTERNS));
        let table = [
            ("a.example", "/first", Ok(Some(0))),
            ("b.example", "/a", Ok(Some(2))),
            ("a.example", "/a", Err(TooLong)),
            ("a.example", "/b", Err(TooLong)),
        ];

        for (host, start, expected) in table {
            let path = long(start);
            let forms = Forms::of(&path);
            assert_eq!(index.find(host, &forms).map(|hit| hit.map(|hit| hit.rule)), expected, "{host} {start}");
        }
    }
}
