//! Routes that can never match, because an earlier one takes everything they would.

use super::Resolver;
use super::action::Action;
use super::matcher::Matcher;
use super::route::ResolvedRoute;

impl Resolver<'_, '_> {
    /// Warns of each route that an earlier one covers.
    pub(super) fn overlaps(&mut self, routes: &[ResolvedRoute]) {
        for (number, route) in routes.iter().enumerate() {
            let Some(first) = routes.iter().take(number).find(|earlier| covers(earlier, route)) else { continue };
            let message = format!(
                "route {} on line {} never matches: route {} on line {} comes first and covers it",
                route.used.name,
                self.report.line(&route.span),
                first.used.name,
                self.report.line(&first.span),
            );
            self.report.warn(route.span.clone(), message);
        }
    }
}

fn covers(earlier: &ResolvedRoute, later: &ResolvedRoute) -> bool {
    // An exclusion matches what servers may make of a path as well, which routes in front of it do not take.
    let is_wider = matches!(later.action, Action::Exclude) && !matches!(earlier.action, Action::Exclude);
    let is_all = matches!(&earlier.matcher, Matcher::Prefix(prefix) if prefix == "/");
    (is_all || !is_wider)
        && covers_hosts(&earlier.hosts, &later.hosts)
        && earlier.conditions.cover(&later.conditions)
        && match (&earlier.matcher, &later.matcher) {
            (Matcher::Prefix(prefix), Matcher::Prefix(path)) => covers_path(prefix, path),
            (Matcher::Prefix(prefix), Matcher::Regex(_)) => prefix == "/",
            (Matcher::Regex(first), Matcher::Regex(second)) => first == second,
            (Matcher::Regex(_), Matcher::Prefix(_)) => false,
        }
}

/// Whether every path that starts with `path` starts with `prefix`. Runs of `/` count as one.
fn covers_path(prefix: &str, path: &str) -> bool {
    let (prefix, path) = (squeeze(prefix), squeeze(path));
    match path.strip_prefix(&prefix) {
        Some(rest) => rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

fn covers_hosts(earlier: &[String], later: &[String]) -> bool {
    let covered = |host: &String| {
        earlier.iter().any(|known| {
            known == host
                || known
                    .strip_prefix('*')
                    .is_some_and(|tail| host.trim_start_matches('*').ends_with(tail) && host != tail)
        })
    };
    earlier.is_empty() || (!later.is_empty() && later.iter().all(covered))
}

fn squeeze(path: &str) -> String {
    let mut squeezed = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !squeezed.ends_with('/') {
            squeezed.push(c);
        }
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_cover_on_segment_boundaries() {
        for (prefix, path, expected) in [
            ("/a", "/a/b", true),
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a/", "/a", false),
            ("/a/", "/a/b", true),
            ("/", "/x", true),
            ("/x//y", "/x/y/z", true),
        ] {
            assert_eq!(covers_path(prefix, path), expected, "{prefix} {path}");
        }
    }

    #[test]
    fn hosts_cover_by_name_and_pattern() {
        let hosts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (earlier, later, expected) in [
            (hosts(&[]), hosts(&["a.b"]), true),
            (hosts(&["a.b"]), hosts(&[]), false),
            (hosts(&["*.b"]), hosts(&["a.b"]), true),
            (hosts(&["*.b"]), hosts(&["b"]), false),
            (hosts(&["*.b"]), hosts(&["*.a.b"]), true),
            (hosts(&["*.a.b"]), hosts(&["*.b"]), false),
        ] {
            assert_eq!(covers_hosts(&earlier, &later), expected, "{earlier:?} {later:?}");
        }
    }
}
