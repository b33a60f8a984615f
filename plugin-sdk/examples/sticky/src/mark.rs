//! Which endpoint gave an id, written behind it: `3f2a~9c1d07be`.

use twox_hash::XxHash64;

/// Stands between both: an id of MCP has any visible characters of ASCII, of which this is one.
const BETWEEN: char = '~';

/// Hexadecimal digits of a mark.
const DIGITS: usize = 8;

/// The mark of the endpoint of this name; no more is told of it to clients.
#[must_use]
pub fn of(endpoint: &str) -> String {
    format!("{:08x}", XxHash64::oneshot(0, endpoint.as_bytes()) >> 32)
}

/// An id with the mark of the endpoint that gave it.
#[must_use]
pub fn join(id: &str, endpoint: &str) -> String {
    format!("{id}{BETWEEN}{}", of(endpoint))
}

/// An id and the mark behind it, if there is one.
#[must_use]
pub fn split(marked: &str) -> Option<(&str, &str)> {
    let (id, mark) = marked.rsplit_once(BETWEEN)?;
    let is_mark = mark.len() == DIGITS && mark.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_mark && !id.is_empty()).then_some((id, mark))
}
