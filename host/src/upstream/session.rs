//! An open connection to an endpoint, in the protocol that it speaks.

use super::context::ConnectionContext;
use super::timer::LazyTimer;
use super::unreadable::Excerpt;
use super::{ConnectFault, http1, http2};
use crate::net::Stream;

#[cfg(test)]
use super::tests::throwaway;

/// What an endpoint speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointProtocol {
    /// HTTP/1.1, one request at a time on each connection.
    #[default]
    Http1,
    /// HTTP/2: with TLS it must choose it by ALPN, without it is known to speak it (RFC 9113 §3.3).
    Http2,
    /// Whichever of both it chooses by ALPN.
    Negotiated,
    /// A protocol that no endpoint speaks.
    #[cfg(test)]
    Throwaway,
    /// The same, by many requests on one connection.
    #[cfg(test)]
    Multiplexed,
}

/// What is spoken with an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpokenProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl SpokenProtocol {
    /// As the configuration has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "h1",
            Self::Http2 => "h2",
        }
    }
}

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionPurpose {
    /// A request and its response.
    Request,
    /// A tunnel, if the endpoint agrees.
    Tunnel,
}

impl EndpointProtocol {
    /// Whether a connection may take many requests at a time, and tunnels beside them.
    pub(super) fn may_multiplex(self) -> bool {
        match self {
            Self::Http1 => false,
            Self::Http2 | Self::Negotiated => true,
            #[cfg(test)]
            Self::Throwaway => false,
            #[cfg(test)]
            Self::Multiplexed => true,
        }
    }
}

/// Whether HTTP/2 is spoken over `stream` to an endpoint that is said to speak `protocol`.
///
/// # Errors
/// [`ConnectFault::Alpn`]
pub(super) fn is_http2(protocol: EndpointProtocol, stream: &Stream) -> Result<bool, ConnectFault> {
    match protocol {
        EndpointProtocol::Http1 => Ok(false),
        EndpointProtocol::Http2 if stream.is_tls() && stream.alpn() != Some(b"h2") => {
            Err(ConnectFault::Alpn(Excerpt::of(stream.alpn().unwrap_or(b"nothing"))))
        }
        EndpointProtocol::Http2 => Ok(true),
        EndpointProtocol::Negotiated => Ok(stream.alpn() == Some(b"h2")),
        #[cfg(test)]
        EndpointProtocol::Throwaway | EndpointProtocol::Multiplexed => Ok(false),
    }
}

/// A connection that can take a request.
#[derive(Debug)]
pub(super) enum Session {
    Http1(http1::Connection),
    Http2(http2::Http2Connection),
    #[cfg(test)]
    Throwaway(throwaway::Connection),
    #[cfg(test)]
    Multiplexed(throwaway::Multiplexed),
}

/// What a waiting connection gives to a request.
#[derive(Debug)]
pub(super) enum Claim {
    /// Itself: it takes one request at a time.
    Whole,
    /// A part of it; it goes on waiting.
    Part(Session),
    /// Nothing, at the moment or for this purpose.
    Nothing,
}

impl Session {
    /// Begins to speak `protocol` over `stream`. Waits for the endpoint where the protocol begins with it.
    ///
    /// # Errors
    /// Why the endpoint does not speak it; nothing of a request was sent.
    pub(super) async fn open(
        protocol: EndpointProtocol,
        stream: Stream,
        timer: LazyTimer,
        context: ConnectionContext<'_>,
    ) -> Result<Self, ConnectFault> {
        #[cfg(test)]
        match protocol {
            EndpointProtocol::Throwaway => return Ok(Self::Throwaway(throwaway::Connection::new(stream))),
            EndpointProtocol::Multiplexed => return throwaway::Multiplexed::open(stream).await.map(Self::Multiplexed),
            EndpointProtocol::Http1 | EndpointProtocol::Http2 | EndpointProtocol::Negotiated => {}
        }
        if is_http2(protocol, &stream)? {
            // Boxed: it is rare, and the future of every request has room for what this one holds.
            Box::pin(http2::open(stream, timer, context)).await.map(Self::Http2)
        } else {
            Ok(Self::Http1(http1::Connection::new(stream, timer, context.limits)))
        }
    }

    /// The same connection, to wait for more requests; none if it takes one at a time.
    pub(super) fn pooled(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(connection) => Some(Self::Http2(connection.pooled())),
            #[cfg(test)]
            Self::Throwaway(_) => None,
            #[cfg(test)]
            Self::Multiplexed(connection) => Some(Self::Multiplexed(connection.clone())),
        }
    }

    /// What of a waiting connection there is for `purpose`. A tunnel takes a new one, unless one carries many.
    pub(super) fn claim(&self, purpose: ConnectionPurpose) -> Claim {
        match self {
            Self::Http1(_) if purpose == ConnectionPurpose::Tunnel => Claim::Nothing,
            Self::Http1(_) => Claim::Whole,
            Self::Http2(connection) if connection.has_room() && self.takes(purpose) => {
                Claim::Part(Self::Http2(connection.claimed()))
            }
            Self::Http2(_) => Claim::Nothing,
            #[cfg(test)]
            Self::Throwaway(_) => Claim::Whole,
            #[cfg(test)]
            Self::Multiplexed(connection) => Claim::Part(Self::Multiplexed(connection.clone())),
        }
    }

    /// Whether the endpoint takes what is for `purpose` by such a connection.
    pub(super) fn takes(&self, purpose: ConnectionPurpose) -> bool {
        match self {
            Self::Http2(connection) => purpose == ConnectionPurpose::Request || connection.takes_tunnels(),
            Self::Http1(_) => true,
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => true,
        }
    }

    /// Whether one more request is within its limits.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Http2(connection) => connection.has_room(),
            Self::Http1(_) => true,
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => true,
        }
    }

    /// Whether the endpoint permits requests on it at all.
    pub(super) fn takes_streams(&self) -> bool {
        match self {
            Self::Http2(connection) => connection.takes_streams(),
            Self::Http1(_) => true,
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => true,
        }
    }

    /// Whether requests are under way on it.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Http2(connection) => connection.is_busy(),
            Self::Http1(_) => false,
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => false,
        }
    }

    /// Whether it can take a request, as far as is known here. Costs no system call as long as that is so.
    pub(super) fn is_reusable(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_reusable(),
            Self::Http2(connection) => connection.is_reusable(),
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => true,
        }
    }

    /// Says to the endpoint that nothing follows, at the end of a connection that has nothing under way.
    pub(super) fn close_notify(&mut self) {
        match self {
            Self::Http1(connection) => connection.close_notify(),
            // Its task says GOAWAY when nobody holds it any more.
            Self::Http2(_) => {}
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => {}
        }
    }
}
