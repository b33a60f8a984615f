//! Fields behind a body (RFC 9110 §6.5).
//!
//! Whoever reads them may put them to those of the head. So what a head is judged by must not come in them, whichever
//! version of HTTP carries them: it would be believed by one reader, and have been seen by no other.

use ::http::header::{self, HeaderMap, HeaderName};

use super::claims::{Senders, reads_as, senders};
use crate::net::{Underscores, is_reserved};

/// Removes from the trailers of a request what must not be in them: as [`strip_response_trailers`], and all that
/// claims to be of a proxy, whoever sends it; and every spelling of `withheld`, which are names that no client has a say in.
pub fn strip_request_trailers(trailers: &mut HeaderMap, withheld: &[HeaderName]) {
    strip(trailers, |name| {
        is_kept(name)
            && senders(name, Underscores::Drop) == Senders::Anybody
            && !withheld.iter().any(|other| reads_as(name, other))
    });
}

/// Removes from the trailers of a response what must not be in them (RFC 9110 §6.5.1): fields that frame or route a
/// message, that authenticate, modify a request, say how a response is to be handled, or what its content is.
pub fn strip_response_trailers(trailers: &mut HeaderMap) {
    strip(trailers, is_kept);
}

fn strip(trailers: &mut HeaderMap, keeps: impl Fn(&HeaderName) -> bool) {
    if trailers.keys().all(&keeps) {
        return;
    }
    let forbidden: Vec<HeaderName> = trailers.keys().filter(|name| !keeps(name)).cloned().collect();
    for name in forbidden {
        tracing::debug!(%name, "a field of trailers dropped: it belongs into a head");
        trailers.remove(&name);
    }
}

fn is_kept(name: &HeaderName) -> bool {
    !is_reserved(name) && !IN_HEADS.contains(name) && !is_about_content(name.as_str())
}

/// Whether a field says what a body is. Its digests are not known before its end (RFC 9530 §6.2).
fn is_about_content(name: &str) -> bool {
    name.starts_with("content-") && name != "content-digest" && name != "content-md5"
}

/// Fields that have a meaning in a head only: of requests, of responses, of either.
const IN_HEADS: [HeaderName; 24] = [
    header::ACCEPT_ENCODING,
    header::AGE,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::COOKIE,
    header::DATE,
    header::EXPIRES,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::LOCATION,
    header::MAX_FORWARDS,
    header::PRAGMA,
    header::RANGE,
    header::REFERER,
    header::RETRY_AFTER,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::VARY,
    header::VIA,
    header::WARNING,
    header::WWW_AUTHENTICATE,
];

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn strip_request(trailers: &mut HeaderMap) {
        strip_request_trailers(trailers, &[]);
    }

    fn left(strip: impl Fn(&mut HeaderMap), names: &[&'static str]) -> Vec<String> {
        let fields = names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1")));
        let mut trailers: HeaderMap = fields.collect();
        strip(&mut trailers);
        let mut left: Vec<_> = trailers.keys().map(|name| name.as_str().to_owned()).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn what_a_head_is_judged_by_does_not_come_in_trailers() {
        let forbidden = [
            "authorization",
            "cache-control",
            "connection",
            "content-encoding",
            "content-length",
            "content-range",
            "content-type",
            "cookie",
            "expect",
            "host",
            "if-match",
            "keep-alive",
            "location",
            "max-forwards",
            "proxy-authenticate",
            "range",
            "sec-websocket-accept",
            "set-cookie",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ];

        assert_eq!(left(strip_request, &forbidden), Vec::<String>::new());
        assert_eq!(left(strip_response_trailers, &forbidden), Vec::<String>::new());
    }

    #[test]
    fn what_comes_behind_a_body_stays() {
        let usual = ["content-digest", "etag", "grpc-message", "grpc-status", "key-bin", "server-timing"];

        assert_eq!(left(strip_request, &usual), usual);
        assert_eq!(left(strip_response_trailers, &usual), usual);
    }

    #[test]
    fn claims_are_for_heads_of_requests_and_free_for_responses() {
        let names = ["forwarded", "server-ip", "x-forwarded-for", "x.forwarded.for", "x_forwarded_for"];

        assert_eq!(left(strip_request, &names), Vec::<String>::new());
        assert_eq!(left(strip_response_trailers, &names), names);
    }

    #[test]
    fn names_that_are_withheld_come_in_no_spelling() {
        let withheld = [HeaderName::from_static("remote-user"), HeaderName::from_static("x.role")];

        let left = left(
            |trailers| strip_request_trailers(trailers, &withheld),
            &["digest", "remote-user", "remote.user", "remote~user", "remote-users", "x-role", "x.role"],
        );

        assert_eq!(left, ["digest", "remote-users"]);
    }
}
