//! Numbers in the body of the response to a probe.

use serde_json::Value;

use crate::config::{BLANK, Series};

/// The body as JSON; none if it is something else or was cut off.
pub(super) fn document(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// The number that `pointer` (RFC 6901) finds.
pub(super) fn number(document: &Option<Value>, pointer: &str) -> Option<f64> {
    document.as_ref()?.pointer(pointer)?.as_f64()
}

/// The value of the one sample that `series` selects, in Prometheus' text format or OpenMetrics'. None if there is no
/// such sample, or more than one: which was meant cannot be known.
///
/// A last line without an end is not looked at, as a body that was cut off would make 1 out of 100.
pub(super) fn sample(body: &[u8], series: &Series) -> Option<f64> {
    let mut search = SampleSearch::default();
    let lines = body.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    lines.for_each(|line| search.look(line, series));
    search.value()
}

/// Looking for the one sample of a series, line by line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum SampleSearch {
    #[default]
    Nothing,
    Found(f64),
    /// There are several, or the one has no value.
    Unusable,
}

impl SampleSearch {
    /// Looks at a line, without its end.
    pub(super) fn look(&mut self, line: &[u8], series: &Series) {
        if !line.starts_with(series.name.as_bytes()) {
            return;
        }
        let Some((of, rest)) = str::from_utf8(line).ok().and_then(Series::read) else { return };
        if series.selects(&of) {
            *self = match self {
                Self::Nothing => value(rest).map_or(Self::Unusable, Self::Found),
                Self::Found(_) | Self::Unusable => Self::Unusable,
            };
        }
    }

    /// What was found.
    pub(super) fn value(self) -> Option<f64> {
        match self {
            Self::Found(value) => Some(value),
            Self::Nothing | Self::Unusable => None,
        }
    }
}

/// The value behind a series; a timestamp and an exemplar may follow.
fn value(rest: &str) -> Option<f64> {
    let rest = rest.strip_suffix('\r').unwrap_or(rest);
    let mut parts = rest.split(BLANK).filter(|part| !part.is_empty());
    let value = parts.next()?.parse().ok()?;
    match parts.next() {
        None => Some(value),
        Some("#") => Some(value),
        Some(time) => time.parse::<f64>().is_ok().then_some(value),
    }
}
