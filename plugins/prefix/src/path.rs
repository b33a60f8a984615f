//! Paths as they are compared, beside the bytes that are forwarded.

use std::borrow::Cow;

/// One segment: its text for comparing, and where its bytes end in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Percent-decoded. A `/` in here was `%2F`: it never counts as a separator.
    pub text: Cow<'a, [u8]>,
    /// Offset of the first byte after it.
    pub end: usize,
}

/// The segments of a path; any run of slashes separates. Starts with the first that is not empty.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    path: &'a str,
    at: usize,
}

impl<'a> Segments<'a> {
    /// Cuts up `path`.
    #[must_use]
    pub fn of(path: &'a str) -> Self {
        Self { path, at: 0 }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let start = after_slashes(self.path, self.at);
        let rest = self.path.get(start..).filter(|rest| !rest.is_empty())?;
        let raw = rest.find('/').and_then(|length| rest.get(..length)).unwrap_or(rest);
        self.at = start.saturating_add(raw.len());
        Some(Segment { text: decoded(raw), end: self.at })
    }
}

/// Offset of the first byte at or after `at` that is not a slash.
#[must_use]
pub fn after_slashes(path: &str, at: usize) -> usize {
    let slashes = path.bytes().skip(at).take_while(|byte| *byte == b'/').count();
    at.saturating_add(slashes)
}

/// The path as patterns see it besides its raw form: runs of slashes are one, and escapes of characters that may stand
/// in a path anyway are undone. So `//%61dmin` cannot slip past a rule for `^/admin`. None if that changes nothing.
#[must_use]
pub fn normal(path: &str) -> Option<String> {
    if !path.contains('%') && !path.contains("//") {
        return None;
    }
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let (plain, length) = match escape(rest.as_bytes()) {
            Some(byte) if stands_in_path(byte) => (char::from(byte), 3),
            _ => (first, first.len_utf8()),
        };
        if first != '/' || !normal.ends_with('/') {
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

    #[test]
    fn segments_are_decoded_but_an_escaped_slash_separates_nothing() {
        type Expected = (&'static [u8], usize);
        let table: &[(&str, &[Expected])] = &[
            ("/", &[]),
            ("/a/bc", &[(b"a", 2), (b"bc", 5)]),
            ("//a///b/", &[(b"a", 3), (b"b", 7)]),
            ("/%66oo/x", &[(b"foo", 6), (b"x", 8)]),
            ("/a%2fb", &[(b"a/b", 6)]),
            ("/%zz%4", &[(b"%zz%4", 6)]),
            ("/%c3%a9", &[(&[0xc3, 0xa9], 7)]),
        ];

        for (path, expected) in table {
            let found: Vec<_> = Segments::of(path).map(|segment| (segment.text.into_owned(), segment.end)).collect();
            let expected: Vec<_> = expected.iter().map(|(text, end)| (text.to_vec(), *end)).collect();
            assert_eq!(found, expected, "{path}");
        }
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
            assert_eq!(normal(path).as_deref(), expected, "{path}");
        }
    }
}
