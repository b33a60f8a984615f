//! Fields that belong to one connection and go no further (RFC 9110 §7.6.1).

use std::collections::HashSet;

use ::http::header::{self, HeaderMap, HeaderName};

use crate::net::HOP_BY_HOP;

/// Tokens of Connection that name a hop-by-hop field, or no field at all.
const USUAL: [&str; 4] = ["upgrade", "keep-alive", "close", "te"];

/// Whether a field is about one connection.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name)
}

/// The fields that are there and that `Connection` names besides; framing is not the sender's to take away. A set, and of what is
/// there: a Connection may name thousands.
pub(super) fn named_by_connection(headers: &HeaderMap) -> HashSet<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        // The usual tokens name what goes anyway.
        .filter(|token| !USUAL.iter().any(|usual| token.eq_ignore_ascii_case(usual)))
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| name != header::CONTENT_LENGTH && headers.contains_key(name))
        .collect()
}

/// Removes hop-by-hop fields and those that `Connection` names.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    // One pass over the names that are there costs less than a search for each that might be.
    let mut there = HOP_BY_HOP.map(|_| false);
    for name in headers.keys() {
        for (found, hop) in there.iter_mut().zip(&HOP_BY_HOP) {
            *found |= name == hop;
        }
    }
    for (_, name) in there.iter().zip(&HOP_BY_HOP).filter(|(found, _)| **found) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    #[test]
    fn only_fields_that_are_there_are_named_and_each_once() {
        let mut headers = HeaderMap::new();
        headers.append("connection", "a, b, a, c, A".parse().unwrap());
        headers.append("a", HeaderValue::from_static("1"));

        let named = named_by_connection(&headers);

        assert_eq!(named.iter().map(HeaderName::as_str).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn named_fields_go_and_framing_stays() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Private , Upgrade, content-length"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("content-length", "5"),
            ("x-public", "2"),
        ] {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }

        strip_hop_by_hop(&mut headers);

        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "x-public"]);
    }
}
