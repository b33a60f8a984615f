//! Responses that cannot be read: what is wrong with them, in words that lead to the remedy.

use std::fmt;

/// An endpoint responded with what cannot be passed on. It has acted on the request, as far as is known: an unreadable
/// response is no reason to send anything again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Another protocol.
    #[error("its answer is no HTTP: it begins with `{0}`")]
    Protocol(Excerpt),
    /// A TLS record (RFC 8446 §5.1).
    #[error("its answer is a TLS record where plain HTTP was expected")]
    Tls,
    /// A frame of HTTP/2 that is of a connection (RFC 9113 §3.4, §6.8).
    #[error("its answer is HTTP/2, where HTTP/1.1 was expected")]
    Http2,
    /// HTTP of another version than 1.0 and 1.1.
    #[error("its answer is of the version `{0}`")]
    Version(Excerpt),
    /// No status line (RFC 9112 §4).
    #[error("its status line is malformed: `{0}`")]
    StatusLine(Excerpt),
    /// A field over several lines (obs-fold, RFC 9112 §5.2).
    #[error("a field of its answer goes on in a second line (obs-fold): `{0}`")]
    Folded(Excerpt),
    /// A line without a name that a field may have (RFC 9110 §5.1).
    #[error("its answer has a bad field name: `{0}`")]
    FieldName(Excerpt),
    /// A value that no field may have (RFC 9110 §5.5).
    #[error("its answer has a bad value of the field `{0}`")]
    FieldValue(Excerpt),
    /// More fields than are taken.
    #[error("its answer has {found} fields, at most {limit} are taken")]
    Fields {
        /// How many have come.
        found: usize,
        /// How many are taken.
        limit: usize,
    },
    /// A head, interim responses before it included, of more bytes than are taken.
    #[error("the head of its answer is longer than {} KiB", .0 / 1024)]
    LongHead(usize),
    /// Lengths that differ (RFC 9112 §6.3).
    #[error("its answer has two Content-Length that differ: {0} and {1}")]
    Lengths(u64, u64),
    /// A length that is none (RFC 9110 §8.6).
    #[error("its answer has a Content-Length that is no number: `{0}`")]
    Length(Excerpt),
    /// Any coding but `chunked`, which would be passed on without its name (RFC 9112 §6.1).
    #[error("its answer has a Transfer-Encoding that is not understood: `{0}`")]
    Coding(Excerpt),
    /// A coding in a response of a version that has none (RFC 9112 §6.1).
    #[error("its answer has a Transfer-Encoding, which HTTP/1.0 does not know")]
    OldCoding,
    /// Chunks that are none, before anything of the body was passed on (RFC 9112 §7.1).
    #[error("the first chunks of its answer are malformed: `{0}`")]
    Chunks(Excerpt),
    /// A response that HTTP/2 does not allow (RFC 9113 §8.1.1).
    #[error("its answer is malformed: {0}")]
    Malformed(String),
    /// A status that HTTP/2 does not have (RFC 9113 §8.6).
    #[error("its answer is a 101, which HTTP/2 does not have")]
    Switch,
    /// Not what a websocket's handshake must be responded to with (RFC 6455 §4.2.2).
    #[error("its 101 has {0}")]
    Accept(&'static str),
}

impl Unreadable {
    /// One word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Protocol(_) => "protocol",
            Self::Tls => "tls-record",
            Self::Http2 => "http2",
            Self::Version(_) => "version",
            Self::StatusLine(_) => "status-line",
            Self::Folded(_) => "folded-field",
            Self::FieldName(_) => "field-name",
            Self::FieldValue(_) => "field-value",
            Self::Fields { .. } => "fields",
            Self::LongHead(_) => "long-head",
            Self::Lengths(..) => "lengths",
            Self::Length(_) => "length",
            Self::Coding(_) => "coding",
            Self::OldCoding => "old-coding",
            Self::Chunks(_) => "first-chunks",
            Self::Malformed(_) => "malformed",
            Self::Switch => "switch",
            Self::Accept(_) => "accept",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Protocol(_) => "is the port right? expected a server that speaks HTTP/1.1",
            Self::Tls => "is the endpoint https:// or wss://?",
            Self::Http2 => {
                "set protocol = \"h2\" in its [cluster.NAME]; a route that names the endpoint itself needs to = \
                 \"balancer://NAME\" for that"
            }
            Self::Version(_) => "the gateway speaks HTTP/1.1 with endpoints: switch it on there",
            Self::Fields { .. } => "raise `head_fields` in the cluster's `limits`, or have the endpoint send fewer",
            Self::LongHead(_) => "raise `head` in the cluster's `limits`, or have the endpoint send less",
            Self::Coding(_) => "have the endpoint say Content-Encoding, or nothing: only `chunked` is passed on",
            Self::Accept(_) => "is that a websocket server? it derives Sec-WebSocket-Accept from the key it was sent",
            _ => "mend it at the endpoint, or whatever stands before it: nobody could read that for sure",
        }
    }

    /// Whether the response was only more than is taken here: that is not held against the endpoint.
    #[must_use]
    pub fn is_our_limit(&self) -> bool {
        matches!(self, Self::Fields { .. } | Self::LongHead(_))
    }
}

/// Whether `bytes` begin as a record of TLS does (RFC 8446 §5.1): with a type, and a version of 3.x.
pub(super) fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [20..=24, 3, 0..=4, ..])
}

/// Whether `bytes` begin with a SETTINGS frame, or GOAWAY (RFC 9113 §4.1, §6.5, §6.8), as servers do that speak HTTP/2
/// alone.
pub(super) fn is_http2_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0, _, _, 4 | 7, 0, 0, 0, 0, 0, ..])
}

/// Some bytes of an endpoint for an operator to see: a few, and none that does something to a terminal or a line of the
/// log.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(Box<[u8]>);

/// Bytes that an [`Excerpt`] shows.
const SHOWN: usize = 60;

impl Excerpt {
    /// The beginning of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(bytes.get(..=SHOWN).unwrap_or(bytes).into())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(SHOWN) {
            Some((shown, [_, ..])) => write!(f, "{}…", shown.escape_ascii()),
            _ => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_an_endpoint_is_bounded_and_printable() {
        let long = Excerpt::of(&b"\x1b[31m\xe2\x80\xaetxt\r\n".repeat(1000)).to_string();

        assert!(long.starts_with("\\x1b[31m\\xe2\\x80\\xaetxt\\r\\n") && long.ends_with('…'), "{long}");
        assert!(long.len() < 4 * SHOWN + 4, "{long}");
        assert_eq!(Excerpt::of(b"ab").to_string(), "ab");
        assert_eq!(Excerpt::of(&[b'a'; SHOWN]).to_string(), "a".repeat(SHOWN));
    }
}
