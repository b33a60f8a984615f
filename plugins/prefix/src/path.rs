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
    at: usize,
}

impl<'a> Segments<'a> {
    /// Cuts up `path`.
    #[must_use]
    pub fn of(path: &'a str, separators: Separators) -> Self {
        Self { path, separators, at: 0 }
    }

    /// Offset of the first byte at or after `at` that is not part of a separator.
    #[must_use]
    pub fn after_separators(&self, at: usize) -> usize {
        let mut at = at;
        while let Some(length) = self.path.get(at..).and_then(|rest| self.separators.at_start(rest)) {
            at = at.saturating_add(length);
        }
        at
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let start = self.after_separators(self.at);
        let rest = self.path.get(start..).filter(|rest| !rest.is_empty())?;
        let raw = self.separators.find(rest).and_then(|length| rest.get(..length)).unwrap_or(rest);
        self.at = start.saturating_add(raw.len());
        Some(Segment { text: decoded(raw), end: self.at })
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
                .find(|at| text.get(*at..).and_then(|rest| self.at_start(rest)).is_some()),
        }
    }

    /// Length of the one that `text` starts with.
    fn at_start(self, text: &str) -> Option<usize> {
        match (self, text.as_bytes()) {
            (_, [b'/', ..]) | (Self::Any, [b'\\', ..]) => Some(1),
            (Self::Any, bytes @ [b'%', ..]) => escape(bytes).filter(|byte| matches!(byte, b'/' | b'\\')).map(|_| 3),
            _ => None,
        }
    }
}

/// One path in the forms in which rules see it. Each is made when it is first asked for.
#[derive(Debug)]
pub struct Forms<'a> {
    raw: &'a str,
    normal: OnceCell<Option<String>>,
    opened: OnceCell<Option<String>>,
}

impl<'a> Forms<'a> {
    /// Those of `path`.
    #[must_use]
    pub fn of(path: &'a str) -> Self {
        Self { raw: path, normal: OnceCell::new(), opened: OnceCell::new() }
    }

    /// As the client sent it, and as it is forwarded.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// As patterns see it besides: runs of slashes are one, and escapes of characters that may stand in a path anyway
    /// are undone. So `//%61dmin` cannot slip past a rule for `^/admin`. None if that changes nothing.
    #[must_use]
    pub fn normal(&self) -> Option<&str> {
        self.normal.get_or_init(|| normal(self.raw, Separators::Slash)).as_deref()
    }

    /// The normal form with every hidden separator as `/`, which patterns of exclusions see besides. None if there is
    /// no hidden one.
    #[must_use]
    pub fn opened(&self) -> Option<&str> {
        let make = || if self.hides_a_separator() { normal(self.raw, Separators::Any) } else { None };
        self.opened.get_or_init(make).as_deref()
    }

    /// Whether something besides `/` may be taken for a separator.
    #[must_use]
    pub fn hides_a_separator(&self) -> bool {
        self.raw
            .match_indices(['\\', '%'])
            .any(|(at, _)| self.raw.get(at..).and_then(|rest| Separators::Any.at_start(rest)).is_some())
    }
}

fn normal(path: &str, separators: Separators) -> Option<String> {
    if !path.contains(['%', '\\']) && !path.contains("//") {
        return None;
    }
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let (plain, length) = match (separators.at_start(rest), escape(rest.as_bytes())) {
            (Some(length), _) => ('/', length),
            (None, Some(byte)) if stands_in_path(byte) => (char::from(byte), 3),
            _ => (first, first.len_utf8()),
        };
        if plain != '/' || !normal.ends_with('/') {
            normal.push(plain);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    (normal != path).then_some(normal)
}

/// `pchar` of RFC 3986 §3.3 without the escapes.
fn stands_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
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

    fn check(separators: Separators, table: &[(&str, &[Expected])]) {
        for (path, expected) in table {
            let segments = Segments::of(path, separators);
            let found: Vec<_> = segments.map(|segment| (segment.text.into_owned(), segment.end)).collect();
            let expected: Vec<_> = expected.iter().map(|(text, end)| (text.to_vec(), *end)).collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_but_an_escaped_slash_separates_nothing() {
        check(
            Separators::Slash,
            &[
                ("/", &[]),
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
            &[
                ("/a%2fb%5Cc\\d", &[(b"a", 2), (b"b", 6), (b"c", 10), (b"d", 12)]),
                ("/%2F\\a/%2f", &[(b"a", 6)]),
                ("/%41%2", &[(b"A%2", 6)]),
            ],
        );
    }

    #[test]
    fn normal_form_undoes_what_hides_a_path() {
        let table = [
            ("/admin", None),
            ("//admin", Some("/admin")),
            ("/%61dmin///x", Some("/admin/x")),
            ("/a%20b", None),
            ("/a%2fb%41", Some("/a%2fbA")),
            ("/%3fa%25%62", Some("/%3fa%25b")),
            ("/é%7e", Some("/é~")),
        ];

        for (path, expected) in table {
            assert_eq!(Forms::of(path).normal(), expected, "{path}");
        }
    }

    #[test]
    fn opened_form_shows_hidden_separators() {
        for (path, expected) in
            [("/a/b%41", None), ("/a%2f%5cb", Some("/a/b")), ("/a\\b", Some("/a/b")), ("/%2fa", Some("/a"))]
        {
            assert_eq!(Forms::of(path).opened(), expected, "{path}");
        }
    }
}
