//! Which versions of HTTP are spoken, with clients and with endpoints.

/// What clients of a listener may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerProtocol {
    /// HTTP/1.1 and HTTP/2: by ALPN with TLS (RFC 9113 §3.2); without, by how the connection begins (§3.3, §3.4).
    Negotiated,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone.
    Http2,
}

impl ListenerProtocol {
    /// As written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Negotiated => "auto",
            Self::Http1 => "h1",
            Self::Http2 => "h2",
        }
    }
}

/// What the endpoints of a cluster are spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2: with TLS the endpoint must choose it by ALPN, without TLS it is known to speak it (RFC 9113 §3.3).
    Http2,
    /// Whichever the endpoint chooses by ALPN. All endpoints have TLS.
    Negotiated,
}

impl ClusterProtocol {
    /// As written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "h1",
            Self::Http2 => "h2",
            Self::Negotiated => "auto",
        }
    }
}
