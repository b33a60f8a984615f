//! `error_pages = { … }`

use std::ops::RangeInclusive;

use toml::Spanned;

use super::super::model::{ErrorPageConfig, ErrorPagesConfig};
use super::super::schema::{ErrorPagesTable, PageEntry};
use super::Resolver;
use crate::diagnose::{Span, one_of};

/// Media types by the ends of names.
const TYPES: [(&str, &str); 6] = [
    ("html", "text/html; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("svg", "image/svg+xml"),
];

/// Says whether endpoints' responses show pages, too.
const INTERCEPT: &str = "intercept";

impl Resolver<'_, '_> {
    /// What is `written`, before what holds already (the gateway's, for a route).
    pub(super) fn error_pages(
        &mut self,
        written: Option<&Spanned<ErrorPagesTable>>,
        outer: &ErrorPagesConfig,
    ) -> ErrorPagesConfig {
        let Some(table) = written else { return outer.clone() };
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let (mut pages, mut intercept) = (Vec::new(), None);
        for (key, entry) in entries {
            match (key.get_ref().as_str(), entry.get_ref()) {
                (INTERCEPT, PageEntry::Flag(flag)) => intercept = Some(*flag),
                (INTERCEPT, PageEntry::File(_)) => {
                    self.report.fault(entry.span(), "`intercept` in `error_pages` is a string, expected a boolean");
                }
                (status, PageEntry::Flag(_)) => {
                    let message = format!("`{status}` in `error_pages` is a boolean, expected the path of a file");
                    self.report.fault_hint(entry.span(), message, "for example \"sorry.html\"");
                }
                (status, PageEntry::File(path)) => {
                    let statuses = self.page_statuses(status, key.span());
                    pages.extend(statuses.and_then(|statuses| self.error_page(statuses, path, entry.span())));
                }
            }
        }
        // Those for one status come first.
        pages.sort_by_key(|page| page.statuses.start() != page.statuses.end());
        pages.extend(outer.pages.iter().cloned());
        let intercept = intercept.unwrap_or(outer.intercept);
        if let Some(written) = written.filter(|_| pages.is_empty()) {
            let message = "`error_pages` names no page: nothing is shown in place of anything";
            self.report.warn(written.span(), message);
        }
        ErrorPagesConfig { pages, intercept }
    }

    /// `404` or `5xx`
    fn page_statuses(&mut self, written: &str, at: Span) -> Option<RangeInclusive<u16>> {
        let exact = || written.parse().ok().filter(|status| (400..=599).contains(status) && written.len() == 3);
        let statuses = match written {
            "4xx" => Some(400..=499),
            "5xx" => Some(500..=599),
            _ => exact().map(|status| status..=status),
        };
        if statuses.is_none() {
            let message =
                format!("bad status `{written}` in `error_pages`, expected 400 to 599, `4xx`, `5xx` or `intercept`");
            self.report.fault_hint(at, message, "for example error_pages = { 503 = \"sorry.html\" }");
        }
        statuses
    }

    fn error_page(&mut self, statuses: RangeInclusive<u16>, path: &str, at: Span) -> Option<ErrorPageConfig> {
        let written = Spanned::new(at.clone(), path.to_owned());
        let file = self.file("page in `error_pages`", &written);
        let end = file.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let Some((_, content_type)) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(end)) else {
            let known = one_of(TYPES.map(|(end, _)| end));
            let message =
                format!("`{path}` in `error_pages` does not say what it is, expected a name that ends in {known}");
            self.report.fault_hint(at, message, "for example \"sorry.html\"");
            return None;
        };
        Some(ErrorPageConfig { statuses, file, content_type })
    }
}
