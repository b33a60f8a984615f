//! How an endpoint breaks off.

use std::io;
use std::time::Duration;

use super::unreadable::Excerpt;
use crate::http::{BrokenBy, RequestBodyError, ResponseBodyError, WireFault};

/// An endpoint broke off: before its response, or in the middle of it.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It closed before it had sent anything of a response.
    #[error("it closed the connection before it answered")]
    Closed,
    /// It closed, or the connection broke, when a part of the head of its response had come.
    #[error("it closed the connection within the head of its answer")]
    CutHead,
    /// It closed in the middle of a body that has no length.
    #[error("it closed the connection in the middle of a body in chunks")]
    Cut,
    /// It closed before a body was as long as its Content-Length.
    #[error("it closed the connection when {0} bytes of its Content-Length were missing")]
    Short(u64),
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It ended the stream of the request, and nothing else of its connection.
    #[error("it broke the request off: {0}")]
    Reset(String),
    /// What it sent is against the rules of HTTP/2.
    #[error("it broke the rules of HTTP/2: {0}")]
    Malformed(String),
    /// The gateway gave its connection up, with all that was under way by it.
    #[error("its connection was given up: {0}")]
    GivenUp(GivenUp),
    /// Chunks that are none.
    #[error(transparent)]
    Chunks(#[from] crate::http::MalformedChunks),
    /// Trailers that are no fields, or too many (RFC 9112 §7.1.2).
    #[error("the fields behind its body are malformed, or too many: `{0}`")]
    Trailers(Excerpt),
    /// Nothing of a body came for so long.
    #[error("it sent nothing for {0:?}")]
    Stalled(Duration),
    /// The request's body failed while the response was on its way.
    #[error("the request's body broke off: {0}")]
    Upload(RequestBodyError),
}

/// Why the gateway gave a connection up that speaks HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GivenUp {
    /// For its frames.
    #[error("it sent {0}")]
    Wire(WireFault),
    /// For what the library found wrong with it.
    #[error("it broke the rules of HTTP/2")]
    Library,
    /// Half a frame or header block came, and not the rest of it.
    #[error("it began a frame or header block, and did not end it within 30 s")]
    Unfinished,
    /// It said nothing, and did not reply to a ping.
    #[error("it did not answer a ping within 15 s, and nothing else came by its connection")]
    Unresponsive,
}

impl Broken {
    /// One word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::CutHead => "cut-head",
            Self::Cut => "cut-body",
            Self::Short(_) => "short-body",
            Self::Io(_) => "connection",
            Self::Reset(_) => "reset",
            Self::Malformed(_) => "malformed",
            Self::GivenUp(_) => "given-up",
            Self::Chunks(_) => "chunks",
            Self::Trailers(_) => "trailers",
            Self::Stalled(_) => "stalled",
            Self::Upload(_) => "upload",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Closed | Self::CutHead | Self::Cut | Self::Io(_) | Self::Reset(_) => {
                "its own log should say why: did it crash, restart, or run into a limit?"
            }
            Self::Short(_) => "its own log should say why: did it crash, or say the length of another representation?",
            Self::GivenUp(GivenUp::Wire(_) | GivenUp::Library) => {
                "mend it at the endpoint, or whatever stands before it"
            }
            Self::GivenUp(GivenUp::Unfinished | GivenUp::Unresponsive) => {
                "is it overloaded, or gone without a word? look at the host and the way to it"
            }
            Self::Chunks(_) | Self::Trailers(_) | Self::Malformed(_) => {
                "mend it at the endpoint, or whatever stands before it"
            }
            Self::Stalled(_) => "raise `response` in the `timeouts` of route or cluster if that is meant to be so",
            Self::Upload(_) => "nothing: it is the client's doing",
        }
    }
}

impl From<Broken> for ResponseBodyError {
    fn from(broken: Broken) -> Self {
        let by = if let Broken::Upload(_) = broken { BrokenBy::Client } else { BrokenBy::Endpoint };
        Self { by, kind: broken.kind(), remedy: broken.remedy(), source: Box::new(broken) }
    }
}
