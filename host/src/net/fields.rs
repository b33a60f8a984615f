//! Header fields that are the gateway's own, and names that could pass for them.

use ::http::header::{self, HeaderName};

/// Fields about one connection, named by the RFC (RFC 9110 §7.6.1) or by habit.
pub const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    // Where a body is waited for, the endpoint gets one of ours, and its 100 leads to one of ours.
    header::EXPECT,
];

/// Says through which gateways a request has come (RFC 8586).
pub const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// Whether a field is the gateway's own: hop-by-hop, framing, `Host`, the websocket handshake, what finds loops, or for
/// proxies (RFC 9110 §11.7, RFC 9209). No configuration and no plugin sets or drops it.
#[must_use]
pub fn is_reserved(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name)
        || name == header::CONTENT_LENGTH
        || name == header::HOST
        || name == header::TRAILER
        || *name == CDN_LOOP
        || name.as_str().starts_with("sec-websocket-")
        || name.as_str().starts_with("proxy-")
}

/// What becomes of request fields whose names have an underscore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Underscores {
    /// None goes further: to CGI, WSGI, Rack and PHP `_` and `-` are one (nginx: `underscores_in_headers off`).
    #[default]
    Drop,
    /// They go further, but for those that read like a field which is not the client's to send.
    Pass,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_gateway_is_reserved_and_nothing_else() {
        for (name, expected) in [
            ("connection", true),
            ("expect", true),
            ("content-length", true),
            ("host", true),
            ("sec-websocket-x", true),
            ("proxy-status", true),
            ("proxy-authenticate", true),
            ("cdn-loop", true),
            ("x-host", false),
            ("set-cookie", false),
            ("content-type", false),
        ] {
            assert_eq!(is_reserved(&HeaderName::from_static(name)), expected, "{name}");
        }
    }
}
