//! What a probe comes to.

use std::time::Duration;

use ::http::HeaderMap;

use crate::config::show_duration;
use crate::upstream::{ConnectFault, ExchangeCause};

/// The response to a probe that passed.
#[derive(Debug)]
pub(super) struct ProbeResponse {
    pub(super) headers: HeaderMap,
    /// Its first 64 KiB; empty where the response is that to an upgrade.
    pub(super) body: Vec<u8>,
}

/// Why a probe failed: one line for an operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckFailure {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(ConnectFault),
    /// Connected, but not through in time.
    #[error("not answered within {}", show_duration(*.0))]
    TimedOut(Duration),
    /// It broke off, or spoke something else.
    #[error("broke off: {0}")]
    Broken(hyper::Error),
    /// The same over HTTP/2.
    #[error("{0}")]
    Exchange(ExchangeCause),
    /// It ended the stream, as servers of gRPC do with what is no call.
    #[error("{0}; is it a server of gRPC? Then use probe = \"grpc\", or \"tcp\"")]
    Reset(ExchangeCause),
    /// It chose HTTP/1.1, which gRPC is not.
    #[error("it chose HTTP/1.1, and gRPC needs HTTP/2")]
    NoHttp2,
    /// The call of gRPC failed, with this status and message.
    #[error("the call of grpc.health.v1.Health/Check failed: {0}")]
    Grpc(String),
    /// What it says of itself is not that it serves.
    #[error("it says of itself: {0}")]
    NotServing(&'static str),
    /// Not one of the statuses that are good.
    #[error("answered {0}")]
    Status(u16),
    /// The text was not there.
    #[error("the answer is without the expected text")]
    Body,
    /// A body that has more bytes than may be.
    #[error("the answer is larger than {} bytes, `limit`", .0)]
    Large(usize),
    /// A body in a form that is not read.
    #[error("the answer is encoded, expected it plain")]
    Encoded,
    /// The base path and the path make no request target.
    #[error("its path makes no request target: {0}")]
    Target(::http::Error),
    /// No upgrade, or a connection that broke after it.
    #[error("no websocket: {0}")]
    Websocket(Box<tokio_tungstenite::tungstenite::Error>),
    /// It went away instead of answering a ping.
    #[error("no pong")]
    NoPong,
}
