//! Text that a plugin or its file holds, made fit to be shown: one line of bounded length, in which what acts is shown
//! by its number, so that no plugin forges lines of the log or hides in them.

use std::borrow::Cow;
use std::fmt::Display;

use crate::text;

/// Bytes of one line that are kept; from the contract of `log`.
const LINE_BYTES: usize = 4096;

/// The first 4,096 bytes of `text`, printable.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let end = text.floor_char_boundary(LINE_BYTES);
    text::printable(text.get(..end).unwrap_or_default())
}

/// Anything as such a line. The message of a parser mostly repeats names from the file.
pub(super) fn one_line(text: impl Display) -> String {
    printable(&text.to_string()).into_owned()
}

/// A name from a file, in backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", one_line(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_stay_one_line_of_bounded_length() {
        assert_eq!(printable("plain äöü"), "plain äöü");
        assert_eq!(printable("a\nERROR forged\u{1b}[31m"), "a\\nERROR forged\\u{1b}[31m");
        assert_eq!(printable("\u{202e}txt.exe\u{2028}ad\u{200b}min"), "\\u{202e}txt.exe\\u{2028}ad\\u{200b}min");
        assert_eq!(printable(&"ä".repeat(4096)).len(), LINE_BYTES, "cut at a character");
    }
}
