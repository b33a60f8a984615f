//! What a regular expression of a rewrite rule or a ProxyPassMatch amounts to, where that is a prefix or one path.

use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;

/// A pattern of the usual form: literal text, then anything, a part of it in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternShape {
    /// It begins with `^`, or with something that no path lacks.
    pub(super) anchored: bool,
    /// What has to stand there, `/` first.
    pub(super) literal: String,
    /// Where in `literal` the only group begins. `literal.len()`: it is what follows the literal text.
    pub(super) group: Option<usize>,
    /// A `/?` stands behind `literal`.
    pub(super) optional_slash: bool,
    /// What follows `literal` is nothing, or begins with `/`.
    pub(super) bounded: bool,
    pub(super) tail: PatternTail,
}

/// What follows the literal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatternTail {
    /// Anything.
    Any,
    /// Nothing: this one path.
    End,
}

/// The shape of `pattern`, or `None` where it has another.
pub(super) fn shape(pattern: &str) -> Option<PatternShape> {
    // A long way to say that a path begins with a slash.
    let pattern = ["^[^/]*/", "^[^\\/]*\\/", "^[^\\/]*/"]
        .iter()
        .find_map(|start| pattern.strip_prefix(start))
        .map_or_else(|| pattern.to_owned(), |rest| format!("^/{rest}"));
    let (mut rest, mut anchored) = match pattern.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (pattern.as_str(), false),
    };
    let mut literal = String::new();
    let mut group = None;
    let mut optional_slash = false;
    let mut open = false;
    if matches!(rest, "" | ".?" | ".*" | ".*$" | "(.*)" | "(.*)$" | ".+" | "(.+)" | "(.+)$" | ".") {
        // Every path begins with a slash, which the group holds.
        let group = rest.starts_with('(').then_some(0);
        let literal = "/".to_owned();
        return Some(PatternShape {
            anchored: true,
            literal,
            group,
            optional_slash: false,
            bounded: true,
            tail: PatternTail::Any,
        });
    }
    loop {
        if group.is_none() && matches!(rest, "(/.*)?" | "(/.*)?$") && literal.starts_with('/') {
            let group = Some(literal.len());
            return Some(PatternShape {
                anchored,
                literal,
                group,
                optional_slash: false,
                bounded: true,
                tail: PatternTail::Any,
            });
        }
        if let Some(tail) = tail(rest, open) {
            let leading = literal.is_empty() && optional_slash;
            if leading {
                // `^/?(.*)`: the slash is always there.
                literal.push('/');
                group = group.map(|_at| 1);
                optional_slash = false;
                anchored = true;
            }
            if !literal.starts_with('/') {
                return None;
            }
            anchored |= literal == "/" && tail == PatternTail::Any;
            let bounded = literal.ends_with('/');
            return Some(PatternShape { anchored, literal, group, optional_slash, bounded, tail });
        }
        if optional_slash && !rest.starts_with('(') {
            return None;
        }
        let mut chars = rest.chars();
        match chars.next()? {
            '(' if group.is_none() && !rest.starts_with("(?") => {
                (group, open) = (Some(literal.len()), true);
            }
            '/' if rest.starts_with("/?") => {
                chars.next();
                optional_slash = true;
            }
            '\\' => match chars.next()? {
                escaped if !escaped.is_ascii_alphanumeric() => literal.push(escaped),
                _ => return None,
            },
            // A dot before text is meant as a dot by nearly everybody, and matches one.
            '.' if chars.as_str().starts_with(|next: char| next.is_ascii_alphanumeric()) => literal.push('.'),
            plain if plain.is_alphanumeric() || "/-_~%@,;:=&!'".contains(plain) => literal.push(plain),
            _ => return None,
        }
        rest = chars.as_str();
        if rest.starts_with(['*', '+', '?', '{']) && !rest.starts_with("/?") {
            return None;
        }
    }
}

/// What `rest` is, if it is the end of a pattern.
fn tail(rest: &str, open: bool) -> Option<PatternTail> {
    let (body, ended) = rest.strip_suffix('$').map_or((rest, false), |body| (body, true));
    let body = if open { body.strip_suffix(')')? } else { body };
    match body {
        ".*" | ".+" => Some(PatternTail::Any),
        "" if ended => Some(PatternTail::End),
        // Without an end, more may follow; but a group would leave it out.
        "" if !open => Some(PatternTail::Any),
        _ => None,
    }
}

/// Whether Rust's syntax has `pattern`, without Unicode classes as the router reads it. What it lacks (look-around,
/// references back) is in the message.
pub(super) fn compile(pattern: &str) -> Result<BoundedBacktracker, String> {
    let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false);
    BoundedBacktracker::builder()
        .syntax(syntax)
        .thompson(regex_automata::nfa::thompson::Config::new().utf8(false).nfa_size_limit(Some(1 << 20)))
        .build(pattern)
        .map_err(|error| error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// The groups of `pattern` in `text`, the whole first.
pub(super) fn groups(pattern: &BoundedBacktracker, text: &str) -> Option<Vec<String>> {
    let (mut cache, mut found) = (pattern.create_cache(), pattern.create_captures());
    pattern.try_captures(&mut cache, text, &mut found).ok()?;
    found.is_match().then(|| {
        found.iter().map(|span| span.and_then(|span| text.get(span.range())).unwrap_or_default().to_owned()).collect()
    })
}
