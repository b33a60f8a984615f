//! Why the body of a request stopped.

use crate::net::ResetReason;

/// Why a request body stopped before its end. It is the client's fault, but for [`Self::SentAgain`].
#[derive(Debug, thiserror::Error)]
pub enum RequestBodyError {
    /// The client broke off, or what it sent is no body.
    #[error(transparent)]
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// The client reset its stream, and nothing else of its connection.
    #[error("the client reset the request: {0:?}")]
    Reset(ResetReason),
    /// The client sent nothing of it in time.
    #[error("the client stopped sending it")]
    Stalled,
    /// It is not as long as its head says.
    #[error("the body is not as long as was said")]
    WrongLength,
    /// This request has been given up: its body goes to another endpoint.
    #[error("the request was sent again")]
    SentAgain,
}
