//! Paths as they are compared, beside the bytes that are forwarded.

use std::borrow::Cow;
use std::cell::OnceCell;

/// What separates the segments of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separators {
    /// `/` alone: `%2F` is a byte of a segment.
    Slash,
    /// `%2F`, `%5C` and `\` too: what some servers take for one. Nobody may hide from an exclusion behind them.
    Any,
}

/// What becomes of a segment's parameters: of `;` or `%3B` and what follows it (RFC 3986 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// They are part of it.
    Kept,
    /// They are cut off, as servlet containers do before they look for what is asked.
    Cut,
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
            self.at = start.saturating_add(raw.len());
            let text = match self.parameters {
                Parameters::Kept => decoded(raw),
                Parameters::Cut => without_parameters(decoded(raw)),
            };
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
            Self::Any => text
                .match_indices(['/', '\\', '%'])
                .map(|(at, _)| at)
                .find(|at| text.as_bytes().get(*at..).and_then(|rest| self.at_start(rest)).is_some()),
        }
    }

    /// Length of the one that `text` starts with.
    fn at_start(self, text: &[u8]) -> Option<usize> {
        match (self, text) {
            (_, [b'/', ..]) | (Self::Any, [b'\\', ..]) => Some(1),
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
    /// undone, and the others are in upper case (RFC 3986 §6.2.2). So `//%61dmin` cannot slip past a rule for `^/admin`.
    /// None if that changes nothing.
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

    /// As servers may read it that give meaning to more than the gateway does, which patterns of exclusions see besides:
    /// with every hidden separator as `/`, with parameters cut off, with every escape undone, and with several of these.
    /// Only those that differ.
    #[must_use]
    pub fn readings(&self) -> &[Vec<u8>] {
        let make = || {
            let mut readings: Vec<Vec<u8>> = Vec::new();
            if !self.raw.contains(['%', '\\', ';']) {
                return readings;
            }
            for separators in [Separators::Slash, Separators::Any] {
                for parameters in [Parameters::Kept, Parameters::Cut] {
                    for escapes in [Escapes::Needless, Escapes::All] {
                        let reading = read(self.raw, separators, parameters, escapes);
                        let shown = self.normal().unwrap_or(self.raw);
                        if reading != shown.as_bytes() && !readings.contains(&reading) {
                            readings.push(reading);
                        }
                    }
                }
            }
            readings
        };
        self.readings.get_or_init(make)
    }

    /// How exclusions cut it into segments besides: where servers may see other separators, or no parameters.
    pub fn hidden(&self) -> impl Iterator<Item = (Separators, Parameters)> {
        let (separators, parameters) = (self.hides_a_separator(), self.has_parameters());
        [
            (separators, (Separators::Any, Parameters::Kept)),
            (parameters, (Separators::Slash, Parameters::Cut)),
            (separators && parameters, (Separators::Any, Parameters::Cut)),
        ]
        .into_iter()
        .filter_map(|(is_there, how)| is_there.then_some(how))
    }

    /// Whether something besides `/` may be taken for a separator.
    fn hides_a_separator(&self) -> bool {
        self.raw
            .match_indices(['\\', '%'])
            .any(|(at, _)| self.raw.as_bytes().get(at..).and_then(|rest| Separators::Any.at_start(rest)).is_some())
    }

    fn has_parameters(&self) -> bool {
        self.raw.contains(';')
            || self.raw.match_indices('%').any(|(at, _)| self.raw.as_bytes().get(at..).and_then(escape) == Some(b';'))
    }
}

fn read(path: &str, separators: Separators, parameters: Parameters, escapes: Escapes) -> Vec<u8> {
    let mut text = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    let mut cuts = false;
    while let Some(&first) = rest.first() {
        let escaped = escape(rest);
        let mut length = if escaped.is_some() { 3 } else { 1 };
        if let Some(separator) = separators.at_start(rest) {
            length = separator;
            cuts = false;
            if !text.ends_with(b"/") {
                text.push(b'/');
            }
        } else {
            cuts |= parameters == Parameters::Cut && escaped.unwrap_or(first) == b';';
            match escaped {
                _ if cuts => {}
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

fn without_parameters(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
    match text {
        Cow::Borrowed(text) => text.get(..end).unwrap_or_default().into(),
        Cow::Owned(mut text) => {
            text.truncate(end);
            text.into()
        }
    }
}

fn decoded(raw: &str) -> Cow<'_, [u8]> {
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
mod tests {
    use super::*;

    type Expected = (&'static [u8], usize);

    fn check(separators: Separators, parameters: Parameters, table: &[(&str, &[Expected])]) {
        for (path, expected) in table {
            let segments = Segments::of(path, separators, parameters);
            let found: Vec<_> = segments.map(|segment| (segment.text.into_owned(), segment.end)).collect();
            let expected: Vec<_> = expected.iter().map(|(text, end)| (text.to_vec(), *end)).collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_but_an_escaped_slash_separates_nothing() {
        check(
            Separators::Slash,
            Parameters::Kept,
            &[
                ("/", &[]),
                ("/a;b=c/d", &[(b"a;b=c", 6), (b"d", 8)]),
                ("/a/bc", &[(b"a", 2), (b"bc", 5)]),
                ("//a///b/", &[(b"a", 3), (b"b", 7)]),
                ("/%66oo/x", &[(b"foo", 6), (b"x", 8)]),
                ("/a%2fb", &[(b"a/b", 6)]),
                ("/%zz%4", &[(b"%zz%4", 6)]),
                ("/%c3%a9", &[(&[0xc3, 0xa9], 7)]),
            ],
        );
    }

    #[test]
    fn every_separator_separates_where_exclusions_look() {
        check(
            Separators::Any,
            Parameters::Kept,
            &[
                ("/a%2fb%5Cc\\d", &[(b"a", 2), (b"b", 6), (b"c", 10), (b"d", 12)]),
                ("/%2F\\a/%2f", &[(b"a", 6)]),
                ("/%41%2", &[(b"A%2", 6)]),
            ],
        );
    }

    #[test]
    fn parameters_end_with_their_segment_where_exclusions_look() {
        check(
            Separators::Slash,
            Parameters::Cut,
            &[
                ("/a;b=c/d;", &[(b"a", 6), (b"d", 9)]),
                ("/;/a/;x;y/b", &[(b"a", 4), (b"b", 11)]),
                ("/a%3Bx/%41%3by", &[(b"a", 6), (b"A", 14)]),
                ("/a;b%2fc/d", &[(b"a", 8), (b"d", 10)]),
                ("/a%253bx", &[(b"a%3bx", 8)]),
            ],
        );
        check(Separators::Any, Parameters::Cut, &[("/a;b%2fc\\;d", &[(b"a", 4), (b"c", 8)])]);
    }

    #[test]
    fn normal_form_undoes_what_hides_a_path() {
        let table = [
            ("/admin", None),
            ("//admin", Some("/admin")),
            ("/%61dmin///x", Some("/admin/x")),
            ("/a%20b", None),
            ("/a%2fb%41", Some("/a%2FbA")),
            ("/%3fa%25%62", Some("/%3Fa%25b")),
            ("/caf%c3%a9", Some("/caf%C3%A9")),
            ("/é%7e", Some("/é~")),
            ("/a\\b", None),
        ];

        for (path, expected) in table {
            assert_eq!(Forms::of(path).normal(), expected, "{path}");
        }
    }

    #[test]
    fn readings_show_what_servers_may_see() {
        let table: &[(&str, &[&[u8]])] = &[
            ("/a/b%41", &[]),
            ("//a/b", &[]),
            ("/a%2f%5cb", &[b"/a%2F\\b", b"/a/b"]),
            ("/a\\b", &[b"/a/b"]),
            ("/%2fa", &[b"/a"]),
            ("/;/a;x=1/b", &[b"/a/b"]),
            ("/a%20b", &[b"/a b"]),
            ("/%c3%a9", &["/é".as_bytes()]),
            ("/a;b%2fc/d", &[b"/a/d", b"/a;b/c/d", b"/a/c/d"]),
            ("/%5Bx%5d%3bq", &[b"/[x];q", b"/%5Bx%5D", b"/[x]"]),
            ("/a%253bx", &[b"/a%3bx"]),
        ];

        for (path, expected) in table {
            let forms = Forms::of(path);
            let found: Vec<&[u8]> = forms.readings().iter().map(Vec::as_slice).collect();
            assert_eq!(found, *expected, "{path}");
        }
    }

    #[test]
    fn readings_are_no_more_than_their_kinds() {
        let (ordinary, odd) = (Forms::of("/a%20b;v=1/c"), Forms::of("//%61;b%20%2f%5c;/%20/c\\d;e"));

        assert_eq!(u64::try_from(1 + ordinary.readings().len()).unwrap(), Forms::ORDINARY_FOR_EXCLUSIONS);
        assert!(odd.normal().is_some() && (5..=8).contains(&odd.readings().len()), "{:?}", odd.readings());
    }
}
