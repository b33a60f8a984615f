//! Words of a line, as Apache's `ap_getword_conf` takes them off it.
//!
//! A word ends at a blank, or at the quote that it begins with. Within quotes a backslash takes the meaning from that
//! quote and from a backslash; without quotes from a backslash alone. A quote that is never closed ends with the line.

use crate::import::tree::Word;

/// What Apache takes for a blank.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// `text` without blanks around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// The first word of `text`, and what is behind it and the blanks there; none if nothing is left.
pub(super) fn first(text: &str) -> Option<(Word, &str)> {
    let text = text.trim_start_matches(is_blank);
    let quote = text.chars().next()?;
    if quote != '"' && quote != '\'' {
        let end = text.find(is_blank).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        let word = Word { text: unescaped(word, None), quoted: false };
        return Some((word, rest.trim_start_matches(is_blank)));
    }
    let inside = text.get(1..)?;
    let end = closing(inside, quote);
    let (word, rest) = inside.split_at_checked(end)?;
    let rest = rest.strip_prefix(quote).unwrap_or(rest);
    Some((Word { text: unescaped(word, Some(quote)), quoted: true }, rest.trim_start_matches(is_blank)))
}

/// All words of `text`.
pub(super) fn all(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some((word, behind)) = first(rest) {
        words.push(word);
        rest = behind;
    }
    words
}

/// Where the quote stands that closes `inside`.
fn closing(inside: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == quote {
            return at;
        } else if c == '\\' {
            // Only before these has it a meaning; before another character that one is looked at by itself.
            is_escaped = inside.get(at.saturating_add(1)..).is_some_and(|rest| rest.starts_with([quote, '\\']));
        }
    }
    inside.len()
}

/// `word` with each backslash left out that takes the meaning from what follows it.
fn unescaped(word: &str, quote: Option<char>) -> String {
    let mut text = String::with_capacity(word.len());
    let mut characters = word.chars().peekable();
    while let Some(c) = characters.next() {
        let escaped = (c == '\\').then(|| characters.peek().copied()).flatten();
        match escaped.filter(|next| *next == '\\' || Some(*next) == quote) {
            Some(next) => {
                characters.next();
                text.push(next);
            }
            None => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        all(text).into_iter().map(|word| if word.quoted { format!("“{}”", word.text) } else { word.text }).collect()
    }

    #[test]
    fn words_end_where_apache_ends_them() {
        // Each as httpd hands it to a macro.
        for (text, words) in [
            ("a b\tc", &["a", "b", "c"][..]),
            (r#""x\"y\\z\w" 'q"r\'s' x"y"#, &[r#"“x"y\z\w”"#, r#"“q"r's”"#, "x\"y"]),
            (r#"a\\b "c\'" "unclosed x"#, &[r"a\b", r"“c\'”", "“unclosed x”"]),
            (r#""a"b 'c'"d""#, &["“a”", "b", "“c”", "“d”"]),
            (r#"a\ b "" ''"#, &["a\\", "b", "“”", "“”"]),
            (r#""\\" x"#, &[r"“\”", "x"]),
            (r#""ends with \"#, &[r"“ends with \”"]),
            ("", &[]),
            (" \t ", &[]),
            ("\"", &["“”"]),
            ("ä\u{a0}b", &["ä\u{a0}b"]),
        ] {
            assert_eq!(shown(text), words, "{text}");
        }
    }
}
