//! What a client may take of a connection.

use std::time::Duration;

use crate::net::Stream;

/// The name of HTTP/2 in ALPN (RFC 9113 §3.2).
const H2: &[u8] = b"h2";

/// That of HTTP/1.1 (RFC 7301 §6).
const HTTP1: &[u8] = b"http/1.1";

/// What a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Bytes of a request head; at least 8 KiB. More gets 431.
    pub head_bytes: usize,
    /// Fields of a request head. More gets 431.
    pub head_fields: usize,
    /// From the first byte of a head to its end, and from the accept to the end of the first.
    pub head_timeout: Duration,
    /// Between two requests, and without anything being taken of a response.
    pub idle_timeout: Duration,
    /// Without a byte of a request body that is waited for, while the request has no response. Then it is 408.
    pub body_timeout: Duration,
    /// Between our end of a connection and its close, while the client still sends.
    pub linger: Duration,
    /// Bytes that are taken and dropped in that time.
    pub linger_bytes: u64,
    /// Whether a client that has ended its direction still waits for its response; else it has left.
    pub half_close: bool,
    /// Which versions of HTTP it may speak.
    pub versions: HttpVersions,
    /// Requests and tunnels that a connection of HTTP/2 carries at a time; 1 or more.
    pub streams: u32,
}

/// Versions of HTTP that clients may speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersions {
    /// HTTP/1.1 and HTTP/2. Under TLS ALPN chooses (RFC 9113 §3.2), HTTP/1.1 where the client has none; else HTTP/2 where
    /// a connection begins with its preface (§3.3).
    #[default]
    Any,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone.
    Http2,
}

impl ClientLimits {
    /// Bytes of the longest head that is taken. Nothing below 8 KiB: common clients would fail.
    pub(in crate::http) fn longest_head(&self) -> usize {
        self.head_bytes.max(8 * 1024)
    }
}

impl HttpVersions {
    /// What a client is offered in the TLS handshake, the best first (ALPN, RFC 7301).
    #[must_use]
    pub fn alpn(self) -> &'static [&'static [u8]] {
        match self {
            Self::Any => &[H2, HTTP1],
            Self::Http1 => &[HTTP1],
            Self::Http2 => &[H2],
        }
    }

    /// Whether `stream` carries HTTP/2 from its first byte.
    pub(super) fn begin_with_http2(self, stream: &Stream) -> bool {
        self != Self::Http1 && stream.alpn() == Some(H2)
    }

    /// Whether a connection that seems to carry HTTP/1.1 and begins with the preface carries HTTP/2. Under TLS it
    /// would have been named (RFC 9113 §3.2), but where nothing else is spoken.
    pub(super) fn may_turn_to_http2(self, stream: &Stream) -> bool {
        match self {
            Self::Any => !stream.is_tls(),
            Self::Http1 => false,
            Self::Http2 => true,
        }
    }
}
