//! Why a client's connection ended early.

use std::time::Duration;

use crate::telemetry::FloodKind;

/// Why a connection ended, where that is worth a line in the log.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A head did not come in time.
    #[error("request head not complete within {0:?}")]
    SlowHead(Duration),
    /// A frame did not come in time.
    #[error("frame not complete within {0:?} of its last byte")]
    SlowFrame(Duration),
    /// Too much that brings nothing; its kind.
    #[error("flood of {0}")]
    Flood(FloodKind),
    /// What came breaks the protocol as a whole, and not one request.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The client took nothing of a response for so long.
    #[error("client took nothing for {0:?}")]
    SlowReader(Duration),
    /// The client ended its direction before it had its response, or all of it.
    #[error("client left before its answer")]
    Left,
    /// It could not be closed in stages: too many connections of this worker do already.
    #[error("closed at once, too many connections linger")]
    Crowded,
    /// What the library says that speaks the version: malformed, broken off, a body that failed.
    #[error("connection ended early")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
}
