//! Fields that belong to one connection and go no further (RFC 9110 §7.6.1).

use std::collections::HashSet;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::claims::is_claim;
use super::list::list;
use crate::net::HOP_BY_HOP;

/// Tokens of Connection that name a hop-by-hop field, or no field at all.
const USUAL: [&str; 4] = ["upgrade", "keep-alive", "close", "te"];

/// Whether a field is about one connection.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name)
}

/// The fields that are there and that `Connection` names besides. Framing is not the sender's to take away, and what a
/// trusted proxy says of its client is not the client's, whose Connection some proxies pass on. A set, and of what is
/// there: a Connection may name thousands.
pub(in crate::http) fn named_by_connection(headers: &HeaderMap) -> HashSet<HeaderName> {
    let is_usual = |token: &[u8]| USUAL.iter().any(|usual| token.eq_ignore_ascii_case(usual.as_bytes()));
    // Most messages have none, or one that says a single usual thing: told in one pass, without a list.
    let mut lines = headers.iter().filter(|(name, _)| *name == header::CONNECTION);
    if lines.all(|(_, value)| is_usual(value.as_bytes())) {
        return HashSet::new();
    }
    list(headers, &header::CONNECTION)
        // The usual tokens name what goes anyway.
        .filter(|token| !is_usual(token))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .filter(|name| name != header::CONTENT_LENGTH && !is_claim(name.as_str()) && headers.contains_key(name))
        .collect()
}

/// Takes `name` out of what `Connection` names, so that a field which the gateway puts in for the client goes on to the
/// endpoint.
pub fn keep_end_to_end(headers: &mut HeaderMap, name: &HeaderName) {
    let is_named = |token: &[u8]| token.eq_ignore_ascii_case(name.as_str().as_bytes());
    if !list(headers, &header::CONNECTION).any(is_named) {
        return;
    }
    let kept: Vec<_> = list(headers, &header::CONNECTION)
        .filter(|token| !is_named(token))
        .filter_map(|token| HeaderValue::from_bytes(token).ok())
        .collect();
    headers.remove(header::CONNECTION);
    for token in kept {
        headers.append(header::CONNECTION, token);
    }
}

/// Removes hop-by-hop fields and those that `Connection` names.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    // One pass for all of them, as `is_there` has for one.
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
    use super::*;

    #[test]
    fn what_the_gateway_puts_in_is_no_longer_named_by_connection() {
        let mut headers = HeaderMap::new();
        headers.append("connection", HeaderValue::from_static("close, X-User, a"));
        headers.append("connection", HeaderValue::from_static("x-user"));
        headers.append("x-user", HeaderValue::from_static("alice"));
        headers.append("a", HeaderValue::from_static("1"));

        keep_end_to_end(&mut headers, &HeaderName::from_static("x-user"));

        assert_eq!(headers.get_all("connection").iter().collect::<Vec<_>>(), ["close", "a"]);
        assert_eq!(named_by_connection(&headers).len(), 1);
    }

    #[test]
    fn only_fields_that_are_there_are_named_and_each_once() {
        let mut headers = HeaderMap::new();
        headers.append("connection", "a, b, a, c, A".parse().unwrap());
        headers.append("a", HeaderValue::from_static("1"));

        let named = named_by_connection(&headers);

        assert_eq!(named.iter().map(HeaderName::as_str).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_token_that_is_no_name_hides_no_other() {
        let mut headers = HeaderMap::new();
        headers.append("connection", HeaderValue::from_bytes(b"\xff, x-private ,, a b").unwrap());
        headers.append("x-private", HeaderValue::from_static("1"));

        let named = named_by_connection(&headers);

        assert_eq!(named.iter().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-private"]);
    }

    #[test]
    fn what_a_proxy_says_of_its_client_stays() {
        let mut headers = HeaderMap::new();
        headers.append("connection", HeaderValue::from_static("x-forwarded-for, x-real-ip, forwarded"));
        for name in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            headers.append(name, HeaderValue::from_static("203.0.113.9"));
        }

        assert!(named_by_connection(&headers).is_empty());
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
