//! Which paths a rule takes.

use std::sync::Arc;

use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;

use super::shape::{self, PatternTail};

/// Which paths.
#[derive(Clone, Debug)]
pub(super) enum RulePath {
    /// Whole segments, as of ProxyPass and Location: `/a` is `/a` and `/a/b`, `/a/` is `/a/` and `/a/b`.
    Prefix(String),
    Pattern {
        text: String,
        compiled: Arc<BoundedBacktracker>,
    },
}

impl RulePath {
    /// A pattern, or the prefix that it is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn pattern(text: &str) -> Result<Self, String> {
        shape::compile(text).map(|compiled| Self::Pattern { text: text.to_owned(), compiled: Arc::new(compiled) })
    }

    /// Whether it takes `path`.
    pub(super) fn takes(&self, path: &str) -> bool {
        match self {
            Self::Prefix(prefix) => rest_of(prefix, path).is_some(),
            Self::Pattern { compiled, .. } => shape::groups(compiled, path).is_some(),
        }
    }

    /// Whether it takes every path that `other` takes. May say no where it does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(prefix), Self::Prefix(inner)) => rest_of(prefix, inner).is_some(),
            (Self::Prefix(prefix), Self::Pattern { .. }) => {
                let folder = format!("{}/", prefix.trim_end_matches('/'));
                let all_within = |all: Vec<String>| !all.is_empty() && all.iter().all(|one| one.starts_with(&folder));
                prefix == "/"
                    || other.start().is_some_and(|start| rest_of(prefix, &start).is_some())
                    || other.beginnings().is_some_and(all_within)
            }
            (Self::Pattern { text, .. }, Self::Pattern { text: inner, .. }) => text == inner,
            // What is found in the beginning is found in all that begins so, unless it asks for an end.
            (Self::Pattern { text, .. }, Self::Prefix(prefix)) => !text.contains(['$', '\\']) && self.takes(prefix),
        }
    }

    /// The text that every path of it begins with, where that is known; as a prefix of whole segments.
    pub(super) fn start(&self) -> Option<String> {
        match self {
            Self::Prefix(prefix) => Some(prefix.clone()),
            Self::Pattern { text, .. } => {
                let inner = text.strip_prefix('^')?.trim_start_matches('(');
                // Every path begins with a slash.
                let inner = inner.strip_prefix("/?").map_or_else(|| inner.to_owned(), |rest| format!("/{rest}"));
                let literal: String = {
                    let mut taken = String::new();
                    let mut chars = inner.chars().peekable();
                    while let Some(c) = chars.next() {
                        match c {
                            '\\' => match chars.next() {
                                Some(escaped) if !escaped.is_ascii_alphanumeric() => taken.push(escaped),
                                _ => break,
                            },
                            '.' | '(' | '[' | '|' | '$' | ')' | '+' | '^' => break,
                            '*' | '?' | '{' => {
                                taken.pop();
                                break;
                            }
                            plain => taken.push(plain),
                        }
                    }
                    taken
                };
                let end = literal.rfind('/')?;
                (!inner.contains('|')).then(|| literal.get(..=end).unwrap_or_default().to_owned())
            }
        }
    }

    /// Texts with one of which every path of it begins, where that is known.
    fn beginnings(&self) -> Option<Vec<String>> {
        let text = match self {
            Self::Prefix(prefix) => return Some(vec![prefix.clone()]),
            Self::Pattern { text, .. } => text.strip_prefix('^')?,
        };
        let text = text.strip_prefix("/?").map_or_else(|| text.to_owned(), |rest| format!("/{rest}"));
        let is_special = |c: char| "\\.()[]|$+*?{^".contains(c);
        let (literal, rest) = text.split_at(text.find(is_special).unwrap_or(text.len()));
        let mut literal = literal.to_owned();
        if rest.starts_with(['*', '?', '{']) {
            literal.pop();
        }
        if !rest.contains('|') {
            return Some(vec![literal]);
        }
        let group = rest.strip_prefix('(')?;
        let (words, behind) = group.strip_prefix("?:").unwrap_or(group).split_once(')')?;
        let plain = words.split('|').all(|word| !word.contains(is_special));
        (plain && !behind.contains('|') && !behind.starts_with(['*', '?', '{']))
            .then(|| words.split('|').map(|word| format!("{literal}{word}")).collect())
    }

    /// A path that it takes, as an example of them.
    pub(super) fn sample(&self) -> Option<String> {
        let text = match self {
            Self::Prefix(prefix) => return Some(format!("{}/x/y", prefix.trim_end_matches('/'))),
            Self::Pattern { text, .. } => text,
        };
        let mut plain = text.trim_start_matches("(?i)").trim_start_matches('^').trim_end_matches('$').to_owned();
        // What may be missing is missing.
        while let Some(end) = plain.find(")?")
            && let Some(start) = plain.get(..end).and_then(|before| before.rfind('('))
        {
            plain.replace_range(start..end + 2, "");
        }
        for (part, example) in EXAMPLES {
            plain = plain.replace(part, example);
        }
        let plain = plain.replace(['(', ')', '\\'], "");
        (plain.starts_with('/') && self.takes(&plain)).then_some(plain)
    }

    /// The one path that it takes, if it is about one.
    pub(super) fn single(&self) -> Option<String> {
        match self {
            Self::Prefix(_) => None,
            Self::Pattern { text, .. } => {
                let shape = shape::shape(text)?;
                (shape.tail == PatternTail::End && !shape.optional_slash).then_some(shape.literal)
            }
        }
    }

    /// Whether some path may be taken by both. May say yes where there is none.
    pub(super) fn meets(&self, other: &Self) -> bool {
        if let Some(only) = self.single() {
            return other.takes(&only);
        }
        if let Some(only) = other.single() {
            return self.takes(&only);
        }
        if let (Some(ones), Some(others)) = (self.beginnings(), other.beginnings()) {
            let alike =
                |one: &String, other: &String| one.starts_with(other.as_str()) || other.starts_with(one.as_str());
            return ones.iter().any(|one| others.iter().any(|other| alike(one, other)));
        }
        match (self.start(), other.start()) {
            (Some(one), Some(another)) => rest_of(&one, &another).is_some() || rest_of(&another, &one).is_some(),
            _ => true,
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        matches!(self, Self::Prefix(prefix) if prefix == "/")
    }

    /// As it is told to people.
    pub(super) fn told(&self) -> &str {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Pattern { text, .. } => text,
        }
    }
}

/// What follows `prefix` in `path`, if that begins with it on the boundary of a segment.
pub(super) fn rest_of<'p>(prefix: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    (prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Parts of patterns, with what they take.
const EXAMPLES: [(&str, &str); 9] = [
    (".*", "x"),
    (".+", "x"),
    ("[^/]+", "x"),
    ("[^/]*", "x"),
    ("\\d+", "1"),
    ("[0-9]+", "1"),
    ("[a-z]+", "x"),
    ("[a-zA-Z0-9]+", "x"),
    ("/?", "/"),
];
