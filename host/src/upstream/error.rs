//! Why an exchange came to no response: whose fault it is, whether anything may have been sent, and what happened.

use std::time::Duration;

use super::{Broken, ConnectError, Unreadable};
use crate::http::RequestBodyError;

/// A request without a response.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ExchangeError {
    /// Whose fault it is.
    pub fault: FaultOf,
    /// Whether the endpoint may have acted on the request.
    pub sent: Sent,
    /// What happened.
    pub cause: ExchangeCause,
}

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOf {
    /// The client, whose request body failed.
    Client,
    /// The endpoint, or the way to it.
    Endpoint,
    /// The gateway, which gave the request up.
    Gateway,
}

/// How much of a request has left the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing that the endpoint could act on. The body is whole: the request may be sent elsewhere, whatever its
    /// method.
    Nothing,
    /// Something, perhaps all of it.
    Maybe,
}

/// What happened to an exchange.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeCause {
    /// There was no connection.
    #[error(transparent)]
    Connect(ConnectError),
    /// The endpoint refused the request before it acted on it (RFC 9113 §8.7: REFUSED_STREAM, or a GOAWAY that leaves
    /// it out).
    #[error("it refused the request before it acted on it")]
    Refused,
    /// The endpoint cannot be asked for that in the protocol it is spoken to in. Nothing was sent.
    #[error("{0}")]
    Unsendable(Unsendable),
    /// The endpoint broke off.
    #[error("{0}")]
    Broken(Broken),
    /// The endpoint responded with what cannot be read.
    #[error("{0}")]
    Unreadable(Unreadable),
    /// No response within this time, which began anew with each piece of the body that went out.
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    /// The client sent nothing of the body for as long as that.
    #[error("the client stopped sending its body")]
    BodyStalled,
    /// The request's body failed.
    #[error("the client broke off its body")]
    BodyBroken(#[source] RequestBodyError),
}

/// What HTTP/2 has no way to ask an endpoint for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// A websocket, of an endpoint that does not take them over HTTP/2 (RFC 8441 §3).
    #[error("it takes no websockets over HTTP/2: SETTINGS_ENABLE_CONNECT_PROTOCOL is not set")]
    Websocket,
    /// A websocket, of an endpoint that takes them neither over HTTP/2 nor, for this reason, over HTTP/1.1.
    #[error(
        "it takes no websockets over HTTP/2 (SETTINGS_ENABLE_CONNECT_PROTOCOL is not set), nor HTTP/1.1 for them: {0}"
    )]
    WebsocketEitherWay(String),
    /// This request: it asks for HTTP/1.1 (RFC 9113 §7).
    #[error("it wants to be asked over HTTP/1.1: it reset the request with HTTP_1_1_REQUIRED")]
    Http1Required,
    /// Anything, of an endpoint that permits no streams (RFC 9113 §6.5.2).
    #[error("it takes no requests: its SETTINGS_MAX_CONCURRENT_STREAMS is 0")]
    Streams,
    /// A host that cannot be an `:authority`, or a target that cannot be a `:path` (RFC 9113 §8.3.1).
    #[error("{0}")]
    Head(&'static str),
}

impl Unsendable {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Websocket => {
                "set protocol = \"h1\" for the cluster, or \"auto\" if it has TLS: websockets go over HTTP/1.1 then"
            }
            Self::WebsocketEitherWay(_) => "switch extended CONNECT (RFC 8441) on at the endpoint, or HTTP/1.1",
            Self::Http1Required => {
                "set protocol = \"h1\" for the cluster, or \"auto\" if it has TLS: a request whose body is whole goes over \
                 HTTP/1.1 then"
            }
            Self::Streams => "is it overloaded, or about to end? its own log should say why",
            Self::Head(_) => "nothing, or set protocol = \"h1\" for the cluster if such requests are to be served",
        }
    }
}

impl ExchangeError {
    /// The endpoint failed, when something may have been sent.
    pub(super) fn of_endpoint(cause: ExchangeCause) -> Self {
        Self { fault: FaultOf::Endpoint, sent: Sent::Maybe, cause }
    }

    /// The endpoint broke off, after something of the request may have been sent.
    pub(super) fn broken(broken: Broken) -> Self {
        Self::of_endpoint(ExchangeCause::Broken(broken))
    }

    /// The endpoint responded with what cannot be read.
    pub(super) fn unreadable(unreadable: Unreadable) -> Self {
        Self::of_endpoint(ExchangeCause::Unreadable(unreadable))
    }

    /// There is no connection.
    pub(super) fn unreachable(error: ConnectError) -> Self {
        Self { fault: FaultOf::Endpoint, sent: Sent::Nothing, cause: ExchangeCause::Connect(error) }
    }

    /// The connection was gone before anything of the request was written.
    pub(super) fn before_sending(broken: Broken) -> Self {
        Self { fault: FaultOf::Endpoint, sent: Sent::Nothing, cause: ExchangeCause::Broken(broken) }
    }

    /// The endpoint refused the request before it acted on it.
    pub(super) fn refused() -> Self {
        Self { fault: FaultOf::Endpoint, sent: Sent::Nothing, cause: ExchangeCause::Refused }
    }

    /// The endpoint cannot be asked for that.
    pub(super) fn unsendable(why: Unsendable) -> Self {
        Self { fault: FaultOf::Endpoint, sent: Sent::Nothing, cause: ExchangeCause::Unsendable(why) }
    }

    /// The request's body failed.
    pub(super) fn of_body(error: RequestBodyError) -> Self {
        let fault = if matches!(error, RequestBodyError::SentAgain) { FaultOf::Gateway } else { FaultOf::Client };
        let cause = match error {
            RequestBodyError::Stalled => ExchangeCause::BodyStalled,
            error => ExchangeCause::BodyBroken(error),
        };
        Self { fault, sent: Sent::Maybe, cause }
    }

    /// Whether the endpoint closed without having sent a byte. On a connection that has been used before, it may have
    /// closed it just before the request was there.
    pub(super) fn is_silent_close(&self) -> bool {
        matches!(self.cause, ExchangeCause::Broken(Broken::Closed | Broken::Io(_)))
    }
}
