//! `reverse` of a route: how what an endpoint says of itself becomes what the client knows.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use super::super::schema::{ReverseEntry, ReverseTable, Text};
use super::Resolver;
use super::action::Action;
use super::matcher::Matcher;
use super::url::{self, UrlFault};
use crate::diagnose::Span;

/// How responses of a route are mapped back.
#[derive(Clone, Debug)]
pub(super) struct WayBack {
    /// What the client knows the endpoint's paths as.
    pub(super) path: String,
    /// The endpoint's side, behind its base.
    pub(super) to_path: String,
    /// URLs that stand for `path` beside those of the endpoints.
    pub(super) further: Vec<String>,
    /// Whether locations that are a path alone are mapped.
    pub(super) paths: bool,
    pub(super) cookie_paths: BTreeMap<String, String>,
    pub(super) cookie_domains: BTreeMap<String, String>,
}

impl Resolver<'_, '_> {
    /// How responses of a route come back that does `action` with what `matcher` finds; none if they stay as they are.
    pub(super) fn way_back(
        &mut self,
        written: Option<&Spanned<ReverseEntry>>,
        matcher: Option<&Matcher>,
        action: Option<&Action>,
    ) -> Option<WayBack> {
        let empty = ReverseTable::default();
        let (table, at) = match written.map(|entry| (entry.get_ref(), entry.span())) {
            None | Some((ReverseEntry::Flag(true), _)) => (&empty, None),
            Some((ReverseEntry::Flag(false), _)) => return None,
            Some((ReverseEntry::Table(table), at)) => (&**table, Some(at)),
        };
        let shown = table.path.as_ref().map(|path| self.shown_path("path", path));
        let further = self.further_origins(&table.origins);
        let cookie_paths = self.cookie_paths(&table.cookie_paths);
        let cookie_domains = self.cookie_domains(&table.cookie_domains);
        let Action::Forward { path: to_path, .. } = action? else {
            if let Some(at) = at {
                let message = "`reverse` of a route that leads to no endpoint: nothing is mapped back";
                self.report.fault_hint(at, message, "leave it out, or give the route a `to`");
            }
            return None;
        };
        let (path, to_path) = match matcher? {
            Matcher::Prefix(from) => (shown.unwrap_or_else(|| from.clone()), to_path.clone()),
            Matcher::Regex(_) => (self.of_pattern(shown, at.clone())?, before_groups(to_path)),
        };
        let paths = table.paths.as_ref().is_some_and(|paths| *paths.get_ref());
        Some(WayBack { path, to_path, further, paths, cookie_paths, cookie_domains })
    }

    /// What a pattern's paths are known as: what the operator says alone.
    fn of_pattern(&mut self, shown: Option<String>, at: Option<Span>) -> Option<String> {
        if let (None, Some(at)) = (&shown, at) {
            let message = "`reverse` of a route with `path_regex` has no `path`, expected what the client knows the \
                           endpoint's paths as";
            self.report.fault_hint(at, message, "for example reverse = { path = \"/app\" }");
        }
        shown
    }

    /// A path of the client's side.
    fn shown_path(&mut self, key: &str, written: &Text) -> String {
        let text = written.get_ref();
        if !text.starts_with('/') || text.contains(['?', '#', ';']) || text.chars().any(char::is_control) {
            let message = format!(
                "`{key}` in `reverse` is {text:?}, expected a path that starts with `/`, without `?`, `#` and `;`"
            );
            self.report.fault_hint(written.span(), message, "for example \"/app\"");
        }
        text.clone()
    }

    fn further_origins(&mut self, written: &[Text]) -> Vec<String> {
        for origin in written {
            let text = origin.get_ref();
            let read = if text.starts_with("unix:") { Err(no_socket()) } else { url::parse(text, Path::new("")) };
            if let Err(UrlFault { message, hint }) = read {
                let message = format!("bad URL in `origins` of `reverse`: {message}");
                let hint = hint.unwrap_or_else(|| "for example \"http://inside.example:8080/app\"".to_owned());
                self.report.fault_hint(origin.span(), message, hint);
            }
        }
        written.iter().map(|origin| origin.get_ref().clone()).collect()
    }

    fn cookie_paths(&mut self, written: &BTreeMap<Text, Text>) -> BTreeMap<String, String> {
        let both = written.iter();
        both.map(|(inner, shown)| (self.shown_path("cookie_paths", inner), self.shown_path("cookie_paths", shown)))
            .collect()
    }

    fn cookie_domains(&mut self, written: &BTreeMap<Text, Text>) -> BTreeMap<String, String> {
        for domain in written.iter().flat_map(|(inner, shown)| [inner, shown]) {
            let text = domain.get_ref();
            let bare = text.strip_prefix('.').unwrap_or(text);
            if !url::is_host_name(bare) && bare.parse::<std::net::IpAddr>().is_err() {
                let message = format!("bad domain {text:?} in `cookie_domains` of `reverse`, expected a host name");
                self.report.fault_hint(domain.span(), message, "for example \"inside.example\"");
            }
        }
        written.iter().map(|(inner, shown)| (inner.get_ref().clone(), shown.get_ref().clone())).collect()
    }
}

/// What of a target's path is the same for every request.
fn before_groups(path: &str) -> String {
    match path.split_once('$') {
        None => path.to_owned(),
        Some((before, _)) => before.rsplit_once('/').map_or_else(String::new, |(before, _)| before.to_owned()),
    }
}

fn no_socket() -> UrlFault {
    let message = "a socket is no origin that a client or a server would name".to_owned();
    UrlFault { message, hint: Some("write the URL that the server calls itself by".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_before_the_first_group_is_the_same_for_all() {
        for (path, expected) in
            [("/x/$1", "/x"), ("/$1/y", ""), ("/x/a$1", "/x"), ("/x/y", "/x/y"), ("", ""), ("$1", ""), ("/", "/")]
        {
            assert_eq!(before_groups(path), expected, "{path}");
        }
    }
}
