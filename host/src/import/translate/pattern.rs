//! Patterns with the URLs behind them: as a prefix where they are one.

use super::super::report::{Report, Severity};
use super::super::tree::Place;
use super::path::RulePath;
use super::shape::{PatternShape, PatternTail, shape};

/// How a pattern and the URL behind it map paths.
pub(super) struct PatternMapping {
    pub(super) path: RulePath,
    /// The path at the server; see [`RuleEffect::Forward`].
    pub(super) to: String,
    /// The original is also found in the middle of a path.
    pub(super) without_caret: bool,
    /// The prefix ends in the middle of a segment in the original.
    pub(super) without_boundary: bool,
    /// `$1` is used and there is no group: Apache sends every request to one path.
    pub(super) without_group: bool,
}

impl PatternMapping {
    /// Says that `pattern`, which this was made of, is found in the middle of a path as well.
    pub(super) fn tell_caret(&self, pattern: &str, place: &Place, report: &mut Report) {
        if self.without_caret {
            let what = format!("{WITHOUT_CARET}; taken as the prefix {}", self.path.told());
            report.add(place, Severity::Changed, what, None);
        } else if matches!(self.path, RulePath::Pattern { .. }) {
            tell_kept_without_caret(pattern, place, report);
        }
    }

    /// Says that whole segments count here, where that makes a difference.
    pub(super) fn tell_boundary(&self, place: &Place, report: &mut Report) {
        if self.without_boundary {
            let what = format!(
                "the pattern also takes paths in which the name only goes on, such as {}x; here whole segments count",
                self.path.told()
            );
            report.add(place, Severity::Changed, what, None);
        }
    }
}

const WITHOUT_CARET: &str = "without ^ the pattern is also found in the middle of a path";

/// Says that `pattern`, which stays as it is, is found in the middle of a path as well, where nobody may have meant it: what
/// begins with `.*` or with the dot of a file's type is meant to be found anywhere.
pub(super) fn tell_kept_without_caret(pattern: &str, place: &Place, report: &mut Report) {
    let plain = pattern.strip_prefix("(?i)").unwrap_or(pattern).trim_start_matches('(');
    if plain.starts_with(|first: char| first == '/' || first == '_' || first.is_alphanumeric()) {
        let remedy = "begin it with ^/, if it is for paths that begin so";
        report.add(place, Severity::Note, format!("{WITHOUT_CARET}, here too"), Some(remedy));
    }
}

/// What `found` has, if that is no fault of its pattern, which stands at `place`.
pub(super) fn understood<T>(found: Result<T, String>, place: &Place, report: &mut Report) -> Option<T> {
    let told = |error| {
        let what = format!("the pattern is not understood: {error}");
        report.refuse(place, what, "look-ahead and references back do not exist here; routes are tried in their order");
    };
    found.map_err(told).ok()
}

/// Maps `pattern` to the path `to` of a URL, as a prefix where it is one. `appends`: without a group in it, `to` stands
/// before the whole path, as for ProxyPassMatch.
///
/// # Errors
/// What is wrong with the pattern.
pub(super) fn mapping(pattern: &str, to: &str, appends: bool) -> Result<PatternMapping, String> {
    let (base, keeps) = match to.strip_suffix("%{REQUEST_URI}").or_else(|| to.strip_suffix("$0")) {
        Some(base) => (base, true),
        None => (to, appends && !to.contains('$')),
    };
    if let Some(found) = shape(pattern)
        && let Some(mapping) = prefix_mapping(&found, base, keeps)
    {
        return Ok(mapping);
    }
    let path = RulePath::pattern(pattern)?;
    let to = if keeps {
        base.trim_end_matches('/').to_owned()
    } else if to.contains('$') {
        with_slash(to)
    } else {
        one_path(to)
    };
    Ok(PatternMapping { path, to, without_caret: false, without_boundary: false, without_group: false })
}

/// The paths that `pattern` takes, no fewer: as a prefix only where it is one to the letter. For what keeps clients out.
///
/// # Errors
/// What is wrong with the pattern.
pub(super) fn exact_path(pattern: &str) -> Result<RulePath, String> {
    let found = mapping(pattern, "%{REQUEST_URI}", false)?;
    if found.without_boundary || found.without_caret { RulePath::pattern(pattern) } else { Ok(found.path) }
}

/// `to` as a template that does not have the path behind it: a group that no pattern has is empty.
pub(super) fn one_path(to: &str) -> String {
    format!("{}$9", with_slash(to))
}

fn with_slash(path: &str) -> String {
    if path.starts_with('/') || path.starts_with('$') { path.to_owned() } else { format!("/{path}") }
}

fn prefix_mapping(shape: &PatternShape, to: &str, keeps: bool) -> Option<PatternMapping> {
    let literal = shape.literal.as_str();
    let mut without_group = false;
    // Where the literal text of the path goes.
    let mut target = if keeps {
        format!("{}{literal}", to.trim_end_matches('/'))
    } else if let Some(base) = to.strip_suffix("$1") {
        without_group = shape.group.is_none();
        match shape.group {
            Some(at) => format!("{base}{}", literal.get(at..)?),
            // What was meant: the path goes on.
            None => format!("{base}{}", literal.trim_start_matches('/')),
        }
    } else if shape.tail == PatternTail::End {
        to.to_owned()
    } else {
        return None;
    };
    if target.contains('$') {
        return None;
    }
    target = if target.is_empty() { target } else { with_slash(&target) };
    let without_caret = !shape.anchored;
    if shape.tail == PatternTail::End {
        let optional = if shape.optional_slash { "/?" } else { "" };
        let path = RulePath::pattern(&format!("^{}{optional}$", escape(literal))).ok()?;
        let to = match target.strip_suffix(literal) {
            Some(base) => base.to_owned(),
            None => one_path(&target),
        };
        return Some(PatternMapping { path, to, without_caret, without_boundary: false, without_group });
    }
    if shape.optional_slash {
        target = target.trim_end_matches('/').to_owned();
    }
    if literal == "/" && target == "/" {
        target.clear();
    }
    let path = RulePath::Prefix(literal.to_owned());
    let without_boundary = !shape.bounded && !literal.ends_with('/');
    Some(PatternMapping { path, to: target, without_caret, without_boundary, without_group })
}

/// Literal text as a pattern.
pub(super) fn escape(literal: &str) -> String {
    let mut pattern = String::new();
    for c in literal.chars() {
        if ".*+?()[]{}|^$\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
