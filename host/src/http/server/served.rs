//! What comes of serving a connection.

use super::http2::Multiplexed;

/// How serving a connection with one request behind the other came to its end.
#[derive(Debug)]
pub enum Served {
    /// With the connection, or with a switch of protocols.
    Ended,
    /// Before it began: its client speaks a version whose requests do not wait for each other.
    Multiplexed(Multiplexed),
}
