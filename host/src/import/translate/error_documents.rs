//! `ErrorDocument` and `ProxyErrorOverride`, as they are written.

use super::super::tree::{Directive, Place};

/// One ErrorDocument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ErrorDocument {
    pub(super) place: Place,
    pub(super) status: u16,
    pub(super) page: Page,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Apache's own.
    Default,
    Text,
    Url,
    /// A path of the same server, without its query.
    Path(String),
}

/// One ProxyErrorOverride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ErrorOverride {
    pub(super) place: Place,
    pub(super) on: bool,
    /// Empty: every status from 400 on.
    pub(super) statuses: Vec<u16>,
}

impl ErrorDocument {
    /// `None`: Apache refuses the line.
    pub(super) fn read(line: &Directive) -> Option<Self> {
        let status = line.word(0)?.parse().ok().filter(|status| (400..600).contains(status))?;
        let text = line.word(1)?;
        let page = if text.eq_ignore_ascii_case("default") {
            Page::Default
        } else if text.contains(' ') || line.words.len() > 2 {
            Page::Text
        } else if text.starts_with('/') {
            Page::Path(text.split('?').next().unwrap_or_default().to_owned())
        } else if text.contains("://") {
            Page::Url
        } else {
            Page::Text
        };
        Some(Self { place: line.place.clone(), status, page })
    }
}

impl ErrorOverride {
    pub(super) fn read(line: &Directive) -> Self {
        Self {
            place: line.place.clone(),
            on: line.word(0).is_some_and(|word| word.eq_ignore_ascii_case("on")),
            statuses: line.words.iter().skip(1).filter_map(|word| word.text.parse().ok()).collect(),
        }
    }
}
