//! A key or a table that is written twice: where the first one is, which the TOML reader does not say.

use toml::de::Error;

use crate::diagnose::{FaultReport, Span};

/// Notes one fault for each table and key of `text` that is written twice, and returns the errors that are of another
/// kind. Keys of a table that is written twice are no faults of their own.
pub(crate) fn take<'e>(text: &str, errors: &'e [Error], report: &mut FaultReport<'_>) -> Vec<&'e Error> {
    let headers = headers(text);
    let mut repeated: Vec<Span> = Vec::new();
    let mut others = Vec::new();
    for error in errors {
        let place = error.span().filter(|_| error.message() == "duplicate key");
        let Some(at) = place else {
            others.push(error);
            continue;
        };
        if repeated.iter().any(|body| body.contains(&at.start)) {
            continue;
        }
        let position = headers.iter().rposition(|header| header.at.start <= at.start);
        let current = position.and_then(|position| headers.get(position));
        let end = position.and_then(|position| headers.get(position.saturating_add(1)));
        let end = end.map_or(text.len(), |next| next.at.start);
        let is_in_header = current.is_some_and(|header| at.start < header.at.end);
        let (what, first) = match current.filter(|_| is_in_header) {
            Some(header) => {
                repeated.push(header.at.end..end);
                let same = |other: &&Header| other.name == header.name && other.at.start < header.at.start;
                (format!("[{}]", header.name), headers.iter().find(same).map(|first| first.at.clone()))
            }
            None => {
                let name = text.get(at.clone()).unwrap_or_default();
                let from = current.map_or(0, |header| header.at.end);
                (format!("`{name}`"), first_of(text, from..at.start, name))
            }
        };
        let message = match first.map(|first| report.line(&first)) {
            Some(line) => format!("{what} is on line {line} already"),
            None => format!("{what} is here twice"),
        };
        let hint =
            if is_in_header { "write its keys in one place, or give one of them another name" } else { "keep one" };
        report.fault_hint(at, message, hint);
    }
    others
}

/// The line of a `[table]` or `[[table]]`.
struct Header {
    /// Without brackets and blanks.
    name: String,
    at: Span,
}

/// Every line that begins with a bracket: in a text of several lines it may be none, which only blurs a message.
fn headers(text: &str) -> Vec<Header> {
    let mut start = 0_usize;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let at = start..start.saturating_add(line.len());
        start = at.end;
        let inner = line.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next());
        if let Some(inner) = inner {
            let name = inner.trim_start_matches('[').chars().filter(|c| !c.is_whitespace()).collect();
            found.push(Header { name, at });
        }
    }
    found
}

/// The line within `span` that begins with the key `name`.
fn first_of(text: &str, span: Span, name: &str) -> Option<Span> {
    let mut start = span.start;
    for line in text.get(span)?.split_inclusive('\n') {
        let at = start..start.saturating_add(line.len());
        start = at.end;
        let rest = line.trim_start().strip_prefix(name).map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with(['=', '.'])) {
            return Some(at);
        }
    }
    None
}
