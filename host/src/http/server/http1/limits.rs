//! What a client may take of a connection.

use std::time::Duration;

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
}

impl ClientLimits {
    /// Bytes of the longest head that is taken. Nothing below 8 KiB: common clients would fail.
    pub(super) fn longest_head(&self) -> usize {
        self.head_bytes.max(8 * 1024)
    }
}
