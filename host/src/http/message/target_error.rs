//! Why a request's target is refused.

use ::http::StatusCode;

/// Why a target is refused. Each is the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// RFC 9112 §3.2.
    #[error("an HTTP/1.1 request needs one Host field")]
    HostMissing,
    /// RFC 9112 §3.2.
    #[error("a request has only one Host field")]
    HostRepeated,
    /// Not `host[:port]`.
    #[error("Host is not a host name with an optional port")]
    HostInvalid,
    /// CONNECT asks for a forward proxy. Apache passed `CONNECT a:1` on as `CONNECT /`, which no endpoint wants.
    #[error("CONNECT is for forward proxies, and this is none")]
    Connect,
    /// `OPTIONS *` and the like.
    #[error("the target `*` names no resource behind this gateway")]
    Asterisk,
    /// `host:port` alone is for CONNECT (RFC 9112 §3.2.3); taken for a URL it would choose the route.
    #[error("the target is neither a path nor a URL")]
    Authority,
    /// `..` above the root.
    #[error("the path leaves its root")]
    AboveRoot,
    /// More than 32 KiB.
    #[error("the request target is longer than 32 KiB")]
    TooLong,
    /// `..%2f`, `..;`: some servers take `%2F`, `%5C` and `\` for separators or cut parameters off, and would resolve
    /// it after the decision.
    #[error("the path hides a dot segment behind parameters or a separator that is not /")]
    HiddenDots,
    /// `%zz`, `%00`.
    #[error("the path holds an escape that is no character")]
    Escape,
}

impl TargetError {
    /// The response's status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLong => StatusCode::URI_TOO_LONG,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
