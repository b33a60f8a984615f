//! Paths as they are compared, beside the bytes that are forwarded.

use std::borrow::Cow;
use std::cell::OnceCell;

/// What separates the segments of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Separators {
    /// `/` alone: `%2F` is a byte of a segment.
    Slash,
    /// `%2F` too, as for servers that decode a path before they look at it.
    Escaped,
    /// `%2F`, `%5C` and `\` too: what some servers take for one. Nobody may hide from an exclusion behind them.
    Any,
}

/// What becomes of a segment's parameters: of `;` or `%3B` and what follows it (RFC 3986 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// They are part of it.
    Kept,
    /// They are cut off before anything is decoded, as servlet containers do: from `;` to the next `/`. `%3B` is a byte
    /// of the segment, `%2F` one of the parameters.
    CutRaw,
    /// They are cut off after that: from `;` or `%3B` to the next one of these.
    CutTo(Separators),
}

/// Which escapes are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escapes {
    /// Those of characters that may stand in a path as they are; the others are written in upper case.
    Needless,
    /// All but those of separators.
    All,
}

/// One segment: its text for comparing, and where its bytes end in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Percent-decoded. A `/` in here was `%2F`.
    pub text: Cow<'a, [u8]>,
    /// Offset of the first byte after it.
    pub end: usize,
}

/// The segments of a path; any run of separators is one. Starts with the first that is not empty.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    path: &'a str,
    separators: Separators,
    parameters: Parameters,
    at: usize,
}

impl<'a> Segments<'a> {
    /// Cuts up `path`.
    #[must_use]
    pub fn of(path: &'a str, separators: Separators, parameters: Parameters) -> Self {
        Self { path, separators, parameters, at: 0 }
    }

    /// Offset of the first byte at or after `at` that is not part of a separator.
    #[must_use]
    pub fn after_separators(&self, at: usize) -> usize {
        let mut at = at;
        while let Some(length) = self.path.as_bytes().get(at..).and_then(|rest| self.separators.at_start(rest)) {
            at = at.saturating_add(length);
        }
        at
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            let start = self.after_separators(self.at);
            let rest = self.path.get(start..).filter(|rest| !rest.is_empty())?;
            let raw = self.separators.find(rest).and_then(|length| rest.get(..length)).unwrap_or(rest);
            let (name, length) = match self.parameters {
                Parameters::Kept => (raw, raw.len()),
                Parameters::CutRaw => cut(raw, rest, raw.find(';'), Separators::Slash),
                Parameters::CutTo(ends) => cut(raw, rest, start_of_parameters(raw), ends),
            };
            self.at = start.saturating_add(length);
            let text = decoded(name);
            if !text.is_empty() {
                return Some(Segment { text, end: self.at });
            }
        }
    }
}

impl Separators {
    /// Offset of the first one in `text`.
    fn find(self, text: &str) -> Option<usize> {
        match self {
            Self::Slash => text.find('/'),
            Self::Escaped | Self::Any => text
                .match_indices(['/', '\\', '%'])
                .map(|(at, _)| at)
                .find(|at| text.as_bytes().get(*at..).and_then(|rest| self.at_start(rest)).is_some()),
        }
    }

    /// Length of the one that `text` starts with.
    fn at_start(self, text: &[u8]) -> Option<usize> {
        match (self, text) {
            (_, [b'/', ..]) | (Self::Any, [b'\\', ..]) => Some(1),
            (Self::Escaped, [b'%', ..]) => escape(text).filter(|byte| *byte == b'/').map(|_| 3),
            (Self::Any, [b'%', ..]) => escape(text).filter(|byte| matches!(byte, b'/' | b'\\')).map(|_| 3),
            _ => None,
        }
    }
}

/// One path in the forms in which rules see it. Each is made when it is first asked for.
#[derive(Debug)]
pub struct Forms<'a> {
    raw: &'a str,
    normal: OnceCell<Option<String>>,
    readings: OnceCell<Vec<Vec<u8>>>,
}

impl<'a> Forms<'a> {
    /// How many an ordinary path has: its own, and a normal one.
    pub const ORDINARY: u64 = 2;

    /// How many exclusions see of an ordinary path with parameters and escapes.
    pub const ORDINARY_FOR_EXCLUSIONS: u64 = 4;

    /// Those of `path`.
    #[must_use]
    pub fn of(path: &'a str) -> Self {
        Self { raw: path, normal: OnceCell::new(), readings: OnceCell::new() }
    }

    /// As the client sent it, and as it is forwarded.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// As patterns see it besides: runs of slashes are one, escapes of characters that may stand in a path anyway are
    /// undone, and the others are in upper case (RFC 3986 §6.2.2). So `//%61dmin` cannot slip past a rule for
    /// `^/admin`. None if that changes nothing.
    #[must_use]
    pub fn normal(&self) -> Option<&str> {
        let make = || {
            if !self.raw.contains('%') && !self.raw.contains("//") {
                return None;
            }
            let normal = read(self.raw, Separators::Slash, Parameters::Kept, Escapes::Needless);
            // Nothing but ASCII was put in or taken away.
            String::from_utf8(normal).ok().filter(|normal| normal != self.raw)
        };
        self.normal.get_or_init(make).as_deref()
    }

    /// As servers may read it that give meaning to more than the gateway does, which patterns of exclusions see
    /// besides: with every hidden separator as `/`, with parameters cut off, with every escape undone, and with several
    /// of these. Only those that differ.
    #[must_use]
    pub fn readings(&self) -> &[Vec<u8>] {
        let make = || {
            let mut readings: Vec<Vec<u8>> = Vec::new();
            if !self.raw.contains(['%', '\\', ';']) {
                return readings;
            }
            for (separators, parameters) in [(Separators::Slash, Parameters::Kept)].into_iter().chain(self.hidden()) {
                for escapes in [Escapes::Needless, Escapes::All] {
                    let reading = read(self.raw, separators, parameters, escapes);
                    let shown = self.normal().unwrap_or(self.raw);
                    if reading != shown.as_bytes() && !readings.contains(&reading) {
                        readings.push(reading);
                    }
                }
            }
            readings
        };
        self.readings.get_or_init(make)
    }

    /// How exclusions cut it into segments besides: where servers may see other separators, or no parameters.
    pub fn hidden(&self) -> impl Iterator<Item = (Separators, Parameters)> {
        const KINDS: [Separators; 3] = [Separators::Slash, Separators::Escaped, Separators::Any];
        let (has_parameters, has_raw) = (self.has_parameters(), self.raw.contains(';'));
        let separators = KINDS.map(|kind| kind == Separators::Slash || self.has_separator(kind));
        let seen = move || KINDS.into_iter().zip(separators).filter_map(|(kind, is_seen)| is_seen.then_some(kind));
        seen().flat_map(move |kind| {
            let kept = (kind != Separators::Slash).then_some((kind, Parameters::Kept));
            let raw = has_raw.then_some((kind, Parameters::CutRaw));
            // Who decodes first takes `%2F` for a `/` wherever it is.
            let may_end = move |ends: &Separators| *ends == kind || (Separators::Slash < *ends && *ends < kind);
            let ends = seen().filter(move |ends| has_parameters && may_end(ends));
            kept.into_iter().chain(raw).chain(ends.map(move |ends| (kind, Parameters::CutTo(ends))))
        })
    }

    /// Whether there is a separator of this kind that is none of the kinds before it, nor `/`.
    fn has_separator(&self, kind: Separators) -> bool {
        let is_it = |rest: &[u8]| match kind {
            Separators::Slash => false,
            Separators::Escaped => escape(rest) == Some(b'/'),
            Separators::Any => rest.starts_with(b"\\") || escape(rest) == Some(b'\\'),
        };
        let mut candidates = self.raw.match_indices(['\\', '%']);
        candidates.any(|(at, _)| self.raw.as_bytes().get(at..).is_some_and(is_it))
    }

    fn has_parameters(&self) -> bool {
        start_of_parameters(self.raw).is_some()
    }
}

fn read(path: &str, separators: Separators, parameters: Parameters, escapes: Escapes) -> Vec<u8> {
    let mut text = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    // What ends the parameters that are being cut off.
    let mut cuts = None;
    while let Some(&first) = rest.first() {
        let escaped = escape(rest);
        let mut length = if escaped.is_some() { 3 } else { 1 };
        if let Some(separator) = cuts.unwrap_or(separators).at_start(rest) {
            length = separator;
            cuts = None;
            if !text.ends_with(b"/") {
                text.push(b'/');
            }
        } else {
            match parameters {
                Parameters::CutRaw if first == b';' => cuts = Some(Separators::Slash),
                Parameters::CutTo(ends) if escaped.unwrap_or(first) == b';' => cuts = Some(ends),
                _ => {}
            }
            match escaped {
                _ if cuts.is_some() => {}
                Some(byte) if stands_in_path(byte) || (escapes == Escapes::All && byte != b'/') => text.push(byte),
                Some(_) => text.extend(rest.iter().take(length).map(u8::to_ascii_uppercase)),
                None => text.push(first),
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}

/// `pchar` of RFC 3986 §3.3 without the escapes.
fn stands_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// The name of the segment `raw` without its parameters, which begin at `start`, and where those end in `rest`, which
/// begins with it.
fn cut<'a>(raw: &'a str, rest: &str, start: Option<usize>, ends: Separators) -> (&'a str, usize) {
    let Some(at) = start else { return (raw, raw.len()) };
    let parameters = rest.get(at..).unwrap_or_default();
    let length = ends.find(parameters).unwrap_or(parameters.len());
    (raw.get(..at).unwrap_or(raw), at.saturating_add(length))
}

/// Offset of the first `;` or `%3B`.
fn start_of_parameters(text: &str) -> Option<usize> {
    let begins = |at: &usize| {
        text.as_bytes().get(*at..).is_some_and(|rest| rest.starts_with(b";") || escape(rest) == Some(b';'))
    };
    text.match_indices([';', '%']).map(|(at, _)| at).find(begins)
}

/// Whether a server might find a `.` or `..` among the segments of `path`.
#[must_use]
pub fn may_have_dots(path: &str) -> bool {
    let mut segments = Segments::of(path, Separators::Any, Parameters::CutTo(Separators::Any));
    segments.any(|segment| matches!(segment.text.as_ref(), b"." | b".."))
}

/// With all escapes undone.
pub fn decoded(raw: &str) -> Cow<'_, [u8]> {
    if !raw.contains('%') {
        return raw.as_bytes().into();
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = escape(rest);
        text.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { rest.get(3..).unwrap_or_default() } else { after };
    }
    text.into()
}

/// The byte that a leading `%XX` stands for.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4) | digit(*low)?)
}

#[cfg(test)]
mod tests;
