//! `ErrorDocument` and `ProxyErrorOverride`: pages in place of the gateway's sentences.
//!
//! Apache asks itself for the page, by its path. What that comes to is a page here where it is a file that Apache has itself.

use std::collections::HashMap;

use super::super::draft::{ActionDraft, ErrorPagesDraft, RouteDraft};
use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place};
use super::error_documents::{ErrorDocument, ErrorOverride, Page};
use super::hidden::ancestors;
use super::path::{RulePath, rest_of};
use super::rule::{RuleEffect, TrafficRule};

/// Files of pages, by the lines that name them.
#[derive(Debug, Default)]
pub(super) struct PageFiles(HashMap<Place, String>);

/// What names of pages may end with, as `error_pages` has it.
const ENDS: [&str; 6] = ["html", "htm", "txt", "json", "xml", "svg"];

const IN_A_FILE: &str = "write the page into a file, and name that: error_pages = { STATUS = \"FILE.html\" }";

/// Rules for requests without an upgrade, found by path.
struct RulesByPath<'r> {
    rules: &'r [TrafficRule],
    /// The first rule of each prefix.
    prefixes: HashMap<&'r str, usize>,
    patterns: Vec<usize>,
}

impl<'r> RulesByPath<'r> {
    fn new(rules: &'r [TrafficRule]) -> Self {
        let mut all = Self { rules, prefixes: HashMap::new(), patterns: Vec::new() };
        for (at, rule) in rules.iter().enumerate() {
            match &rule.path {
                RulePath::Prefix(prefix) if rule.takes(prefix, false) => _ = all.prefixes.entry(prefix).or_insert(at),
                RulePath::Prefix(_) => {}
                RulePath::Pattern { .. } => all.patterns.push(at),
            }
        }
        all
    }

    /// What takes `path`.
    fn first(&self, path: &str) -> Option<&'r TrafficRule> {
        let prefixes = ancestors(path).filter_map(|prefix| self.prefixes.get(prefix));
        let takes = |at: &&usize| self.rules.get(**at).is_some_and(|rule| rule.takes(path, false));
        let found = prefixes.chain(self.patterns.iter()).filter(takes).min()?;
        self.rules.get(*found)
    }
}

/// The file of the page; what is wrong with it, and what to do.
fn file(
    document: &ErrorDocument,
    rules: &RulesByPath<'_>,
    files: &[&Directive],
) -> Result<Option<String>, (String, &'static str)> {
    let status = document.status;
    match &document.page {
        Page::Default => Ok(None),
        Page::Text => {
            Err((format!("ErrorDocument: the page of {status} is text, and pages are files here"), IN_A_FILE))
        }
        Page::Url => Err((
            format!("ErrorDocument: clients are sent elsewhere for {status}, which no error page does here"),
            "a page that says where, or that goes there by itself: error_pages = { STATUS = \"FILE.html\" }",
        )),
        Page::Path(path) => {
            if let Some(rule) = rules.first(path).filter(|rule| !matches!(rule.effect, RuleEffect::Local { .. })) {
                let who = rule.places.first().map(ToString::to_string).unwrap_or_default();
                let what = format!("ErrorDocument: Apache asks for {path} as a client would, by {who}");
                return Err((what, "error_pages = { STATUS = \"FILE.html\" } with a copy of the page"));
            }
            let file = on_disk(path, files).ok_or_else(|| {
                (format!("ErrorDocument: nothing says which file {path} is"), "error_pages with the file")
            })?;
            let end = file.rsplit_once('.').map(|(_name, end)| end.to_ascii_lowercase()).unwrap_or_default();
            if !ENDS.contains(&end.as_str()) {
                let what = format!("ErrorDocument: {path} is no page that can be shown as it is");
                return Err((what, "error_pages = { STATUS = \"FILE.html\" } with what it says"));
            }
            Ok(Some(file))
        }
    }
}

/// The file that a path is: by the first Alias that takes it, or below the DocumentRoot.
fn on_disk(path: &str, files: &[&Directive]) -> Option<String> {
    for line in files.iter().filter(|line| line.is("Alias")) {
        let (Some(prefix), Some(folder)) = (line.word(0), line.word(1)) else { continue };
        if let Some(rest) = rest_of(prefix, path) {
            return Some(format!("{folder}{rest}"));
        }
    }
    let root = files.iter().find(|line| line.is("DocumentRoot"))?.word(0)?;
    Some(format!("{}{path}", root.trim_end_matches('/')))
}

/// The files of `documents`; what is none is told.
pub(super) fn files<'d>(
    documents: impl Iterator<Item = &'d ErrorDocument>,
    rules: &[TrafficRule],
    files: &[&Directive],
    report: &mut Report,
) -> PageFiles {
    let mut found = PageFiles::default();
    let mut documents = documents.peekable();
    if documents.peek().is_none() {
        return found;
    }
    let rules = RulesByPath::new(rules);
    for document in documents {
        match file(document, &rules, files) {
            Ok(Some(file)) => _ = found.0.insert(document.place.clone(), file),
            Ok(None) => {}
            Err((what, remedy)) => report.refuse(&document.place, what, remedy),
        }
    }
    found
}

/// The pages of a route; later lines count before earlier ones.
pub(super) fn of_route<'d>(
    documents: impl Iterator<Item = &'d ErrorDocument>,
    overriding: Option<&ErrorOverride>,
    files: &PageFiles,
    report: &mut Report,
) -> ErrorPagesDraft {
    let mut draft = ErrorPagesDraft::default();
    for document in documents {
        match files.0.get(&document.place) {
            Some(file) => _ = draft.files.insert(document.status, file.clone()),
            None => _ = draft.files.remove(&document.status),
        }
    }
    let Some(overriding) = overriding.filter(|overriding| overriding.on) else { return draft };
    draft.intercept = !draft.files.is_empty();
    let others: Vec<_> = draft.files.keys().filter(|status| !overriding.statuses.contains(status)).collect();
    let what = if overriding.statuses.is_empty() || others.is_empty() {
        "ProxyErrorOverride: a response of a server whose status has no page here goes through as it is".to_owned()
    } else {
        let others: Vec<_> = others.into_iter().map(ToString::to_string).collect();
        format!("ProxyErrorOverride: servers' responses with {} show the page, too", others.join(", "))
    };
    report.add(
        &overriding.place,
        Severity::Changed,
        what,
        Some("`error_pages` of the route, with a file for each status"),
    );
    draft
}

/// Pages that all routes have, taken off them: they are those of the gateway.
pub(super) fn common(routes: &mut [RouteDraft]) -> ErrorPagesDraft {
    let forwarding = || |route: &&mut RouteDraft| matches!(route.action, ActionDraft::To(_));
    let mut all = routes.iter_mut().filter(forwarding());
    let Some(first) = all.next().map(|route| route.options.error_pages.clone()) else {
        return ErrorPagesDraft::default();
    };
    if !all.all(|route| route.options.error_pages == first) {
        return ErrorPagesDraft::default();
    }
    for route in routes {
        route.options.error_pages = ErrorPagesDraft::default();
    }
    first
}
