//! What a server is asked that says who a client is.

use std::borrow::Cow;

use ::http::header::{self, HeaderName};
use ::http::{HeaderValue, Method};

use super::super::super::{Client, Snapshot};
use crate::http::{Fields, Forwarding};
use crate::policy::RequestFacts;

static METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
static URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// What a request says of one body, of one handshake, or of what is stored where it is sent.
const OF_THE_REQUEST_ALONE: [HeaderName; 11] = [
    header::TRAILER,
    header::RANGE,
    // By these a server could respond 304 or 412 (RFC 9110 §13), which would say nothing of the client.
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_ACCEPT,
];

/// The fields of a GET that asks about a request: what its client sent from end to end, but for what is of its body, its
/// handshake or the resource, and in `X-Forwarded-*` what the request is, by the names that Traefik and Caddy use.
pub(super) fn fields<'a>(client: &'a Client, snapshot: &'a Snapshot, facts: &'a RequestFacts) -> Fields<'a> {
    let mut fields = Fields::end_to_end(&facts.headers);
    // `Sec-WebSocket-Protocol` stays: it is where pages put tokens, for browsers let them set no other field.
    fields.remove(|name| name.as_str().starts_with("content-") || OF_THE_REQUEST_ALONE.contains(name));
    // A server that is asked who the client is has to know, whatever endpoints are told.
    let forwarding = Forwarding { x_forwarded: true, ..snapshot.forwarding.clone() };
    forwarding.apply(&mut fields, &client.forwarded, facts.host_and_port());
    set_request(&mut fields, &facts.method, &facts.path, facts.query.as_deref());
    snapshot.pseudonym.sign(&mut fields);
    fields
}

/// Says what is asked about. Also where a trusted proxy has said something: this is what the gateway lets in, or not.
fn set_request(fields: &mut Fields<'_>, method: &Method, path: &str, query: Option<&str>) {
    let uri = query.map_or(Cow::Borrowed(path), |query| Cow::Owned(format!("{path}?{query}")));
    fields.remove(|name| *name == METHOD || *name == URI);
    // Neither a method nor a target has bytes that a field may not have: what cannot be said is not asked about.
    for (name, text) in [(&METHOD, method.as_str()), (&URI, &*uri)] {
        if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
            fields.push(Cow::Owned(name.clone()), Cow::Owned(value));
        }
    }
}
