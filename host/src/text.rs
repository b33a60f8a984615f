//! Text to be shown: what others wrote, made harmless, and bytes as digits.
//!
//! A terminal acts on control characters, and an editor or a browser shows `\u{202e}exe.txt` as `txt.exe`. So what acts
//! instead of being seen is shown by its number, wherever text of clients, endpoints, plugins and files goes to a
//! person.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Two lowercase digits for each byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // A string takes all that is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether `c` acts instead of being seen: a control character (C0, DEL, C1), a line separator, a mark that changes the
/// direction of text (UAX #9), or a character without width.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` on one line, with all that is unseen as Rust writes it: `\n`, `\u{1b}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().saturating_add(16));
    // Writing to a string cannot fail.
    let _ = Printable(&mut shown).write_str(text);
    Cow::Owned(shown)
}

/// The same line by line: what has several lines of its own keeps them.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

/// The lines of `text` as one, without their indentation: `a; b`.
#[must_use]
pub fn joined_lines(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// The first `most` characters of `text`; what is cut off is shown as `…`.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Writes what passes through it as [`printable`] does.
#[derive(Debug)]
pub struct Printable<W>(pub W);

impl<W: Write> Write for Printable<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        pieces(text, |piece| match piece {
            Piece::Seen(text) => self.0.write_str(text),
            Piece::Unseen(c) => write!(self.0, "{}", c.escape_default()),
        })
    }
}

/// Appends `json`, a document that is whole, with all that is unseen in its strings as JSON writes it: `\u202e`. Line
/// breaks and tabs between its tokens stay.
pub fn push_json(out: &mut String, json: &str) {
    let _ = pieces(json, |piece| {
        match piece {
            Piece::Seen(text) => out.push_str(text),
            // A JSON string has none of these: they are escaped in it already (RFC 8259 §7).
            Piece::Unseen(c @ ('\n' | '\r' | '\t')) => out.push(c),
            Piece::Unseen(c) => push_unit(out, c),
        }
        Ok(())
    });
}

/// Appends one character as `\u` and its UTF-16 code units in hex (RFC 8259 §7).
pub fn push_unit(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

enum Piece<'t> {
    Seen(&'t str),
    Unseen(char),
}

fn pieces<'t>(text: &'t str, mut each: impl FnMut(Piece<'t>) -> fmt::Result) -> fmt::Result {
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unseen(*c)) {
        let (seen, tail) = rest.split_at(at);
        each(Piece::Seen(seen))?;
        each(Piece::Unseen(c))?;
        rest = tail.strip_prefix(c).unwrap_or_default();
    }
    each(Piece::Seen(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_and_what_is_seen_stays() {
        for (text, shown) in [
            ("plain äöü 中文 🙂 \"quoted\" \\", "plain äöü 中文 🙂 \"quoted\" \\"),
            ("a\nERROR forged\r\n", r"a\nERROR forged\r\n"),
            ("\u{1b}[31m\u{7}\u{0}\u{7f}", r"\u{1b}[31m\u{7}\u{0}\u{7f}"),
            ("\u{9b}31m\u{85}", r"\u{9b}31m\u{85}"),
            ("\u{202e}exe.txt\u{2066}\u{2069}\u{61c}", r"\u{202e}exe.txt\u{2066}\u{2069}\u{61c}"),
            ("ad\u{200b}min\u{200f}\u{feff}\u{e0041}", r"ad\u{200b}min\u{200f}\u{feff}\u{e0041}"),
            ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
        ] {
            assert_eq!(printable(text), shown, "{text:?}");
        }
        assert!(matches!(printable("plain"), Cow::Borrowed(_)), "usually nothing is copied");
    }

    #[test]
    fn every_mark_that_the_bidirectional_algorithm_knows_is_unseen() {
        let marks = ['\u{200e}', '\u{200f}', '\u{61c}'];
        let marks = marks.into_iter().chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');

        for c in marks {
            assert!(is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn lines_of_ones_own_stay_lines() {
        assert_eq!(printable_lines("one\n  hint: two\u{1b}\n"), "one\n  hint: two\\u{1b}\n");
    }

    #[test]
    fn a_json_document_says_the_same_as_before() {
        let said = serde_json::json!({ "path": "a\n\u{1b}\u{9b}\u{202e}\u{e0041}ü" });
        let mut shown = String::new();

        push_json(&mut shown, &(serde_json::to_string_pretty(&said).unwrap() + "\n"));

        assert!(!shown.contains(|c| is_unseen(c) && c != '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), said);
    }
}
