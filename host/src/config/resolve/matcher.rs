//! What a route matches.

/// `path` or `path_regex` of a route.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// Every path below this one.
    Prefix(String),
    /// Every path that this expression matches.
    Regex(String),
}
