//! Paths as they are decided on: without dot segments, without escapes that are none, with those that are missing, and
//! otherwise byte for byte.

use std::borrow::Cow;

use super::target_error::TargetError;

/// Removes dot segments (RFC 3986 §5.2.4), `%2e` included, and refuses escapes that are none.
///
/// Everything else stays byte for byte. Dot segments must go before a decider reads the path: an endpoint would resolve
/// them after the decision, and leave the prefix it was given.
pub(in crate::http) fn clean_path(path: &str) -> Result<String, TargetError> {
    check_escapes(path.as_bytes())?;
    if hides_dots(path) {
        return Err(TargetError::HiddenDots);
    }
    // Nearly every path has no segment that begins with a dot or an escape.
    let suspicious = path.as_bytes().windows(2).any(|pair| matches!(pair, [b'/', b'.' | b'%']));
    if !suspicious || !path.split('/').any(|segment| dots(segment).is_some()) {
        return Ok(path.to_owned());
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match dots(segment) {
            None => kept.push(segment),
            Some(Dots::Here) => {}
            Some(Dots::Up) => {
                kept.pop().ok_or(TargetError::AboveRoot)?;
            }
        }
        if last && dots(segment).is_some() {
            kept.push("");
        }
    }
    Ok(format!("/{}", kept.join("/")))
}

/// Whether there would be a dot segment if `%2F`, `%5C` and `\` were separators too, or if parameters were cut off,
/// which is not one between slashes: some servers read paths so, servlet containers among them.
fn hides_dots(path: &str) -> bool {
    // Nearly every path has none of these.
    if !path.contains(['%', '\\', ';']) {
        return false;
    }
    path.split('/').any(|segment| {
        let (mut start, mut at, mut parts) = (0, 0, 0);
        let mut hidden = false;
        while let Some(rest) = segment.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(length) = other_separator(rest) else {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            hidden |= segment.get(start..at).is_some_and(|part| dots(part).is_some() || has_dots_with_parameters(part));
            parts += 1;
            at += length;
            start = at;
        }
        let last = segment.get(start..).unwrap_or_default();
        hidden || has_dots_with_parameters(last) || (parts > 0 && dots(last).is_some())
    })
}

/// Whether `part` is `.` or `..` with parameters: `..;a=b`, also with `%3B`.
fn has_dots_with_parameters(part: &str) -> bool {
    let (dots, rest) = after_dots(part);
    let begins = rest.starts_with(';') || rest.get(..3).is_some_and(|escape| escape.eq_ignore_ascii_case("%3b"));
    begins && matches!(dots, 1 | 2)
}

/// Length of the `%2F`, `%5C` or `\` that `text` starts with.
fn other_separator(text: &str) -> Option<usize> {
    if text.starts_with('\\') {
        return Some(1);
    }
    let escape = text.get(..3)?;
    (escape.eq_ignore_ascii_case("%2f") || escape.eq_ignore_ascii_case("%5c")).then_some(3)
}

enum Dots {
    Here,
    Up,
}

fn dots(segment: &str) -> Option<Dots> {
    match after_dots(segment) {
        (1, "") => Some(Dots::Here),
        (2, "") => Some(Dots::Up),
        _ => None,
    }
}

/// How many dots `segment` begins with, and what follows.
fn after_dots(segment: &str) -> (usize, &str) {
    let mut rest = segment;
    let mut dots = 0;
    while let Some(after) = rest.strip_prefix('.').or_else(|| {
        let (escape, after) = rest.split_at_checked(3)?;
        escape.eq_ignore_ascii_case("%2e").then_some(after)
    }) {
        rest = after;
        dots += 1;
    }
    (dots, rest)
}

fn check_escapes(path: &[u8]) -> Result<(), TargetError> {
    let mut rest = path;
    while let Some(at) = memchr::memchr(b'%', rest) {
        match rest.split_at(at).1 {
            [b'%', b'0', b'0', ..] => return Err(TargetError::Escape),
            [b'%', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest = behind,
            _ => return Err(TargetError::Escape),
        }
    }
    Ok(())
}

/// Escapes what may not stand in a path as it is (RFC 3986 §3.3), as Apache does: a raw `é` becomes `%C3%A9`, `"`
/// becomes `%22`.
pub(in crate::http) fn escape_path(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.iter().fold(false, |found, byte| found | !stands_in_path(*byte)) {
        return Cow::Borrowed(path);
    }
    let mut escaped = Vec::with_capacity(path.len() + 16);
    escape_to(&mut escaped, path, |byte| !stands_in_path(byte));
    Cow::Owned(escaped)
}

/// Appends `bytes`, those escaped that `must` be.
pub(in crate::http) fn escape_to(escaped: &mut Vec<u8>, bytes: &[u8], must: impl Fn(u8) -> bool) {
    for byte in bytes {
        if must(*byte) {
            escaped.extend([b'%', hex(byte >> 4), hex(byte & 0xf)]);
        } else {
            escaped.push(*byte);
        }
    }
}

/// A digit below 16. By hand: a target may be 64 KiB of what has to be escaped.
fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'A' + digit - 10 }
}

fn stands_in_path(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'<' | b'>' | b'[' | b']' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}
