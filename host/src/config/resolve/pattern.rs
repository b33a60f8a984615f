//! `path_regex`: whether it is one, as the router reads it, and whether any path can match it.

use std::collections::HashSet;

use regex_automata::Input;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;

use super::super::schema::Text;
use super::Resolver;
use crate::diagnose::Span;

/// Bytes of the automaton that finds out. Patterns with a larger one are not looked at.
const AUTOMATON: usize = 1 << 20;

/// What a pattern sees of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sees {
    /// Them as clients write them.
    Written,
    /// Without their escapes, too: exclusions.
    Decoded,
}

impl Resolver<'_, '_> {
    /// Reports what is no pattern, and warns of one that no path can match.
    pub(super) fn pattern(&mut self, text: &str, sees: Sees, at: Span) {
        match not_a_regex(text) {
            Some(reason) => self.report.fault(at, format!("bad `path_regex` \"{text}\": {reason}")),
            None if can_match(text, sees) => {}
            None => {
                let message = format!(
                    "`path_regex` \"{}\" matches no path as clients write it: {}",
                    text.escape_debug(),
                    why(text, sees)
                );
                self.report.warn(at, message);
            }
        }
    }

    /// Whether what is written of another `key` is a pattern; reports what is none.
    pub(super) fn is_regex(&mut self, key: &str, written: &Text) -> bool {
        let reason = not_a_regex(written.get_ref());
        if let Some(reason) = &reason {
            self.report.fault(written.span(), format!("bad `{key}` \"{}\": {reason}", written.get_ref()));
        }
        reason.is_none()
    }
}

/// Why `text` is no pattern as the router reads it: over bytes, without the tables of Unicode.
fn not_a_regex(text: &str) -> Option<String> {
    let error = syntax::parse_with(text, &syntax::Config::new().unicode(false).utf8(false)).err()?.to_string();
    Some(error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

/// Whether some path matches: a walk through the states that paths lead to.
fn can_match(text: &str, sees: Sees) -> bool {
    let automaton = dense::Builder::new()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Unanchored)
                .dfa_size_limit(Some(AUTOMATON))
                .determinize_size_limit(Some(AUTOMATON)),
        )
        .build(text);
    let Ok(automaton) = automaton else { return true };
    let Ok(start) = automaton.start_state_forward(&Input::new("")) else { return true };
    let forms: &[PathForm] = match sees {
        Sees::Written => &[PathForm::Written],
        Sees::Decoded => &[PathForm::Written, PathForm::Decoded],
    };
    forms.iter().any(|form| reaches_a_match(&automaton, start, *form))
}

/// What stands in a path.
#[derive(Clone, Copy, Debug)]
enum PathForm {
    /// `pchar` and `/` (RFC 3986 §3.3); escapes in upper case, of what may not stand there as it is.
    Written,
    /// Any byte but NUL, and no escapes.
    Decoded,
}

/// How far into an escape a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum EscapePlace {
    Outside,
    /// Behind `%`.
    First,
    /// Behind `%` and a digit.
    Second(u8),
}

fn reaches_a_match(automaton: &impl Automaton, start: StateID, form: PathForm) -> bool {
    let mut seen = HashSet::new();
    let mut left = vec![(automaton.next_state(start, b'/'), EscapePlace::Outside)];
    while let Some((state, place)) = left.pop() {
        if automaton.is_dead_state(state) || !seen.insert((state, place)) {
            continue;
        }
        // A state shows a match one byte late.
        if automaton.is_match_state(state) {
            return true;
        }
        if place == EscapePlace::Outside && automaton.is_match_state(automaton.next_eoi_state(state)) {
            return true;
        }
        let next = (1..=u8::MAX).filter_map(|byte| Some((byte, after(form, place, byte)?)));
        left.extend(next.map(|(byte, place)| (automaton.next_state(state, byte), place)));
    }
    false
}

/// Where a path is after `byte`; none if that cannot stand there.
fn after(form: PathForm, place: EscapePlace, byte: u8) -> Option<EscapePlace> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    match (form, place) {
        (PathForm::Decoded, _) => (byte != b'%').then_some(EscapePlace::Outside),
        (PathForm::Written, EscapePlace::Outside) if byte == b'%' => Some(EscapePlace::First),
        (PathForm::Written, EscapePlace::Outside) => {
            (byte == b'/' || stands_in_path(byte)).then_some(EscapePlace::Outside)
        }
        (PathForm::Written, EscapePlace::First) => digit(byte).map(EscapePlace::Second),
        (PathForm::Written, EscapePlace::Second(high)) => {
            let byte = (high << 4) | digit(byte)?;
            (byte != 0 && !stands_in_path(byte)).then_some(EscapePlace::Outside)
        }
    }
}

/// `pchar` of RFC 3986 §3.3 without the escapes.
fn stands_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// What is wrong with a pattern that never matches, as far as its text shows.
fn why(text: &str, sees: Sees) -> String {
    let escapes = || text.match_indices('%').filter_map(|(at, _)| text.get(at..at.checked_add(3)?));
    for escape in escapes() {
        let Some(byte) = escape.get(1..).and_then(|digits| u8::from_str_radix(digits, 16).ok()) else { continue };
        if stands_in_path(byte) {
            return format!("`{}` is not written as {escape}; write it as it is", char::from(byte));
        }
        if escape.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return format!("escapes are in upper case; write {}", escape.to_ascii_uppercase());
        }
    }
    let raw = text.chars().find(|character| *character == ' ' || !character.is_ascii() || "\"<>`".contains(*character));
    match raw.filter(|_| sees == Sees::Written) {
        Some(character) => {
            let mut bytes = [0; 4];
            let escaped: String =
                character.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect();
            format!("`{}` is written as {escaped}; write that", character.escape_debug())
        }
        None => "a path begins with `/`, and holds what may not stand in one (RFC 3986 §3.3) as %XX".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_no_path_matches_are_found() {
        let table = [
            ("^/a b", false, true),
            ("^/my docs(/|$)", false, true),
            ("^/caf\u{e9}", false, true),
            ("^/caf%C3%A9", true, true),
            ("^/caf%c3%a9", false, false),
            ("^/%61dmin", false, false),
            ("^/%7Euser", false, false),
            ("^/a%20b", true, true),
            (r"^/\[x\]", false, true),
            ("^/%5Bx%5D", true, true),
            ("^admin", false, false),
            ("^$", false, false),
            ("x^", false, false),
            ("", true, true),
            ("^/[^/]+/$", true, true),
            ("[ +]", true, true),
            ("(a b|c)", true, true),
            ("(?i)^/ADMIN", true, true),
            (r"\?", false, true),
            ("%", true, true),
            (r"%00", false, false),
            (r"\x00", false, false),
            ("^/a{1,3}(?:x|y)*$", true, true),
        ];

        for (text, written, decoded) in table {
            assert_eq!(can_match(text, Sees::Written), written, "{text}");
            assert_eq!(can_match(text, Sees::Decoded), decoded, "{text} of an exclusion");
        }
    }

    #[test]
    fn the_reason_says_what_to_write() {
        let table = [
            ("^/a b", "` ` is written as %20; write that"),
            ("^/caf\u{e9}", "as %C3%A9; write that"),
            ("^/caf%c3%a9", "write %C3"),
            ("^/%61dmin", "`a` is not written as %61"),
            ("^admin", "a path begins with `/`"),
        ];

        for (text, expected) in table {
            let found = why(text, Sees::Written);
            assert!(found.contains(expected), "{text}: {found}");
        }
    }
}
