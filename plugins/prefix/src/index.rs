//! Finding the first rule that matches, without asking each.
//!
//! ```text
//! host ─▶ tree of exact name ┐
//!      ─▶ tree of *.suffix   ├─▶ one step per segment ─▶ smallest rule number of all
//!      ─▶ tree of every host ┘
//! ```

use std::collections::BTreeMap;

use regex_lite::Regex;

use crate::path::{Segments, after_slashes};

/// How a rule compares paths.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// On segment boundaries, as Apache's `ProxyPass`.
    Prefix(String),
    /// Whole path.
    Regex(Regex),
}

/// The rule that matched.
#[derive(Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its number.
    pub rule: u32,
    /// What it left of the path: offset into it. None for a pattern.
    pub rest: Option<usize>,
}

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
    regexes: Vec<(u32, Regex)>,
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
    pub fn add(&mut self, rule: u32, pattern: &Pattern, hosts: &[String]) {
        if hosts.is_empty() {
            self.any.add(rule, pattern);
        }
        for host in hosts {
            let host = host.to_ascii_lowercase();
            match host.strip_prefix("*.") {
                _ if host == "*" => self.any.add(rule, pattern),
                Some(suffix) => self.below.entry(suffix.to_owned()).or_default().add(rule, pattern),
                None => self.exact.entry(host).or_default().add(rule, pattern),
            }
        }
    }

    /// The first rule for `host` (lower case, without port) and `path`. `normal`: what patterns also see of the path.
    #[must_use]
    pub fn find(&self, host: &str, path: &str, normal: Option<&str>) -> Option<Hit> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let mut best = None;
        self.any.find(path, normal, &mut best);
        if let Some(tree) = self.exact.get(host) {
            tree.find(path, normal, &mut best);
        }
        if !self.below.is_empty() {
            let suffixes = host.match_indices('.').filter_map(|(dot, _)| host.get(dot.saturating_add(1)..));
            for tree in suffixes.filter_map(|suffix| self.below.get(suffix)) {
                tree.find(path, normal, &mut best);
            }
        }
        best
    }
}

impl Tree {
    fn add(&mut self, rule: u32, pattern: &Pattern) {
        match pattern {
            Pattern::Regex(regex) => self.regexes.push((rule, regex.clone())),
            Pattern::Prefix(prefix) => {
                let mut node = &mut self.root;
                for segment in Segments::of(prefix) {
                    node = node.children.entry(segment.text.into()).or_default();
                }
                // The path "/" is all slash; otherwise a slash at the end must be there in the request too.
                let place = if prefix.ends_with('/') { &mut node.slash } else { &mut node.open };
                place.get_or_insert(rule);
            }
        }
    }

    /// Puts the first rule that matches into `best`, if it comes before what is there.
    fn find(&self, path: &str, normal: Option<&str>, best: &mut Option<Hit>) {
        let mut consider = |rule: u32, rest: Option<usize>| {
            if best.as_ref().is_none_or(|hit| rule < hit.rule) {
                *best = Some(Hit { rule, rest });
            }
        };
        let mut node = Some(&self.root);
        let mut at = 0;
        let mut segments = Segments::of(path);
        while let Some(here) = node {
            if let Some(rule) = here.open {
                consider(rule, Some(at));
            }
            let after = after_slashes(path, at);
            if let Some(rule) = here.slash.filter(|_| after > at) {
                consider(rule, Some(after));
            }
            node = None;
            if !here.children.is_empty()
                && let Some(segment) = segments.next()
            {
                node = here.children.get(segment.text.as_ref());
                at = segment.end;
            }
        }
        for (rule, regex) in &self.regexes {
            if best.as_ref().is_some_and(|hit| hit.rule < *rule) {
                break;
            }
            if regex.is_match(path) || normal.is_some_and(|normal| regex.is_match(normal)) {
                *best = Some(Hit { rule: *rule, rest: None });
                break;
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
            index.add(number, &pattern, &hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>());
        }
        index
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
            assert_eq!(index.find(host, path, None).map(|hit| hit.rule), rule, "{host} {path}");
        }
    }

    #[test]
    fn patterns_and_prefixes_keep_their_order() {
        let index = index(&[("~^/a/[0-9]+$", &[]), ("/a", &[]), ("~.*", &[]), ("/", &[])]);

        for (path, rule) in [("/a/7", 0), ("/a/b", 1), ("/b", 2)] {
            assert_eq!(index.find("h", path, None).unwrap().rule, rule, "{path}");
        }
    }
}
