//! Header fields that a plugin may set.

use ::http::{HeaderName, HeaderValue};

use super::call_error::CallError;
use super::text::printable;
use crate::net::is_reserved;

/// Refuses a field that a plugin must not touch.
pub(super) fn allowed(name: &HeaderName) -> Result<(), CallError> {
    if is_reserved(name) {
        return Err(CallError::answer("no hop-by-hop, framing or handshake field", format_args!("`{name}`")));
    }
    Ok(())
}

/// A field name that a plugin may use.
pub(super) fn name(text: &str) -> Result<HeaderName, CallError> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| CallError::answer("a header name (RFC 9110 §5.1)", format_args!("`{}`", printable(text))))?;
    allowed(&name)?;
    Ok(name)
}

/// A field value. What is beyond ASCII is allowed (obs-text, RFC 9110 §5.5): endpoints send it in cookies, and a plugin
/// that changes another part of such a value must be able to return the rest as it is.
pub(super) fn value(name: &HeaderName, bytes: &[u8]) -> Result<HeaderValue, CallError> {
    HeaderValue::from_bytes(bytes).map_err(|_| {
        let text = String::from_utf8_lossy(bytes);
        let found = printable(&text);
        CallError::answer("a header value without control characters", format_args!("`{name}: {found}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_hop_by_hop_and_handshake_fields_are_refused_in_any_case() {
        for text in ["Content-Length", "TE", "Proxy-Connection", "sec-websocket-accept", "Host", "upgrade", "expect"] {
            assert!(name(text).is_err(), "{text}");
        }
        for text in ["Location", "set-cookie", "x-host"] {
            assert!(name(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn values_cannot_smuggle_a_line() {
        assert!(value(&HeaderName::from_static("location"), b"/a\r\nset-cookie: b").is_err());
    }
}
