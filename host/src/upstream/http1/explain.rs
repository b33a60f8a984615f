//! Why the parser did not take the head of a response.

use super::super::unreadable::{Excerpt, Unreadable, is_http2_frame, is_tls_record};

/// What the parser's `error` about `head` means. Only asked when there is one: it looks at everything anew. `limit` is
/// how many fields are taken.
pub(super) fn explain(head: &[u8], error: httparse::Error, limit: usize) -> Unreadable {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    match first.strip_prefix(b"HTTP/") {
        None if is_tls_record(head) => return Unreadable::Tls,
        None if is_http2_frame(head) => return Unreadable::Http2,
        None => return Unreadable::Protocol(Excerpt::of(first)),
        Some(_) if error == httparse::Error::Version => {
            let version = first.split(|byte| *byte == b' ').next().unwrap_or_default();
            return Unreadable::Version(Excerpt::of(version));
        }
        Some(_) => {}
    }
    let fields = lines.take_while(|line| !line.is_empty());
    if error == httparse::Error::TooManyHeaders {
        return Unreadable::Fields { found: fields.count(), limit };
    }
    // A malformed status line ends before its own end, so no field is to be blamed for it.
    let wrong = (error != httparse::Error::Status).then(|| fields.map(fault_of).find_map(|fault| fault)).flatten();
    wrong.unwrap_or_else(|| Unreadable::StatusLine(Excerpt::of(first)))
}

/// What is wrong with the line of a field.
fn fault_of(line: &[u8]) -> Option<Unreadable> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Some(Unreadable::Folded(Excerpt::of(line)));
    }
    let Some(colon) = memchr::memchr(b':', line) else { return Some(Unreadable::FieldName(Excerpt::of(line))) };
    let (name, value) = line.split_at(colon);
    if http::HeaderName::from_bytes(name).is_err() {
        return Some(Unreadable::FieldName(Excerpt::of(name)));
    }
    let controls = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    value.iter().any(controls).then(|| Unreadable::FieldValue(Excerpt::of(name)))
}
