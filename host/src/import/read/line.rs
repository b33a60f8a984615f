//! Lines of a file, as Apache's `ap_cfg_getline` takes them: those that go on put together.

use std::sync::Arc;

use super::words::trimmed;
use crate::import::tree::Place;

/// A line with those that it goes on over, without blanks around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogicalLine {
    /// Its text. What is no UTF-8 is in it as U+FFFD.
    pub(super) text: String,
    /// Where it begins.
    pub(super) place: Place,
    /// Over how many lines it goes.
    pub(super) lines: u32,
    /// What is odd about its bytes.
    pub(super) oddity: Option<LineOddity>,
}

/// What deserves a word about the bytes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOddity {
    /// It is no UTF-8.
    Encoding,
    /// A byte 0 ends it.
    Zero,
}

/// The lines of a file.
#[derive(Debug)]
pub(super) struct LogicalLines<'b> {
    rest: &'b [u8],
    file: Arc<str>,
    line: u32,
}

impl<'b> LogicalLines<'b> {
    /// Lines of `bytes`, which came from what is shown as `file`.
    pub(super) fn new(bytes: &'b [u8], file: Arc<str>) -> Self {
        Self { rest: bytes, file, line: 0 }
    }

    /// The next line without its end, and whether it has one.
    fn physical(&mut self) -> Option<(&'b [u8], bool)> {
        if self.rest.is_empty() {
            return None;
        }
        self.line = self.line.saturating_add(1);
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Some((line, !rest.is_empty()))
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = LogicalLine;

    fn next(&mut self) -> Option<LogicalLine> {
        let mut bytes = Vec::new();
        let first = self.line.saturating_add(1);
        let mut has_zero = false;
        let mut is_begun = false;
        while let Some((line, is_ended)) = self.physical() {
            is_begun = true;
            if let Some(zero) = line.iter().position(|byte| *byte == 0) {
                // Apache sees the end of its text there, so the line does not go on either.
                bytes.extend_from_slice(line.get(..zero).unwrap_or_default());
                has_zero = true;
                break;
            }
            let line = if is_ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
            match line.strip_suffix(b"\\") {
                Some(line) if is_ended => bytes.extend_from_slice(line),
                _ => {
                    bytes.extend_from_slice(line);
                    break;
                }
            }
        }
        if !is_begun {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let is_utf8 = matches!(text, std::borrow::Cow::Borrowed(_));
        Some(LogicalLine {
            text: trimmed(&text).to_owned(),
            place: Place { file: Arc::clone(&self.file), line: first },
            lines: self.line.saturating_sub(first).saturating_add(1),
            oddity: if has_zero {
                Some(LineOddity::Zero)
            } else if is_utf8 {
                None
            } else {
                Some(LineOddity::Encoding)
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u32, String)> {
        LogicalLines::new(bytes, "a".into()).map(|line| (line.place.line, line.text)).collect()
    }

    #[test]
    fn a_backslash_at_the_end_of_a_line_goes_on_with_the_next() {
        for (bytes, expected) in [
            (&b"a\nb"[..], &[(1, "a"), (2, "b")][..]),
            (b"first \\\n 2\nb\n", &[(1, "first  2"), (3, "b")]),
            (b"# comment \\\nswallowed\nb", &[(1, "# comment swallowed"), (3, "b")]),
            (b"a \\\r\n\r\nb\r\n", &[(1, "a"), (3, "b")]),
            (b"a\\ \nb\n", &[(1, "a\\"), (2, "b")]),
            (b"a\\\\\nb\n", &[(1, "a\\b")]),
            (b"a \\", &[(1, "a \\")]),
            (b"a \\\n", &[(1, "a")]),
            (b"\\\n\\\nx\ny", &[(1, "x"), (4, "y")]),
            (b"a \0 b \\\nc", &[(1, "a"), (2, "c")]),
            (b" \x0b\x0ca\t", &[(1, "a")]),
            (b"", &[]),
            (b"\n\n", &[(1, ""), (2, "")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();

            assert_eq!(lines(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_such_and_told() {
        let mut lines = LogicalLines::new(b"a\xffb\nc\0d\ne", "a".into());

        let first = lines.next().unwrap();
        assert_eq!((first.text.as_str(), first.oddity), ("a\u{fffd}b", Some(LineOddity::Encoding)));
        assert_eq!(lines.next().unwrap().oddity, Some(LineOddity::Zero));
        assert_eq!(lines.next().unwrap().oddity, None);
    }
}
