//! What can go wrong between a request and the end of its answer.

use std::io;
use std::time::Duration;

use super::super::{RequestBody, RequestBodyError};

/// What an endpoint did that it must not.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It closed before it had answered.
    #[error("it closed the connection before it answered")]
    Closed,
    /// It closed in the middle of a body.
    #[error("it closed the connection in the middle of a body")]
    Cut,
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The head of its answer is no HTTP/1.1 (RFC 9112 §4).
    #[error("the head of its answer is malformed: {0}")]
    Head(httparse::Error),
    /// The head of its answer is longer than 400 KiB.
    #[error("the head of its answer is longer than {} KiB", super::response::LONGEST_HEAD / 1024)]
    LongHead,
    /// A value that no field may have, or a status below 100.
    #[error("the head of its answer is malformed: {0}")]
    Field(#[from] ::http::Error),
    /// Where its answer ends cannot be told (RFC 9112 §6.3).
    #[error("its answer has {0}")]
    Framing(&'static str),
    /// Chunks that are none.
    #[error(transparent)]
    Chunks(#[from] crate::http::MalformedChunks),
    /// Nothing of a body came for so long.
    #[error("it sent nothing for {0:?}")]
    Stalled(Duration),
    /// The request's body failed while the answer was on its way.
    #[error("the request's body broke off: {0}")]
    Upload(RequestBodyError),
}

/// A request did not get its answer.
#[derive(Debug)]
pub enum SendError {
    /// The connection was gone before anything was written. The body is whole: send it elsewhere.
    NotSent(RequestBody, Broken),
    /// It broke afterwards: the endpoint may have acted on it.
    Broken(Broken),
    /// No answer in time.
    TimedOut,
    /// The client broke off its body.
    ClientGone(RequestBodyError),
    /// Nothing of the client's body came in time.
    ClientStalled,
}
