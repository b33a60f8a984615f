//! An open connection to an endpoint, in the protocol that it speaks.
//!
//! A second protocol is a folder beside `http1`, an arm of both enums here, and one in [`Upstream::exchange`].
//!
//! [`Upstream::exchange`]: super::Upstream::exchange

use super::timer::LazyTimer;
use super::{ConnectFault, HeadLimits, http1};
use crate::net::Stream;

#[cfg(test)]
use super::tests::throwaway;

/// What an endpoint speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointProtocol {
    /// HTTP/1.1, one request at a time on each connection.
    #[default]
    Http1,
    /// A protocol that no endpoint speaks.
    #[cfg(test)]
    Throwaway,
    /// The same, by many requests on one connection.
    #[cfg(test)]
    Multiplexed,
}

impl EndpointProtocol {
    /// Whether a connection takes many requests at a time, and tunnels beside them.
    pub(super) fn is_multiplexed(self) -> bool {
        match self {
            Self::Http1 => false,
            #[cfg(test)]
            Self::Throwaway => false,
            #[cfg(test)]
            Self::Multiplexed => true,
        }
    }
}

/// A connection that can take a request.
#[derive(Debug)]
pub(super) enum Session {
    Http1(http1::Connection),
    #[cfg(test)]
    Throwaway(throwaway::Connection),
    #[cfg(test)]
    Multiplexed(throwaway::Multiplexed),
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
        limits: HeadLimits,
    ) -> Result<Self, ConnectFault> {
        match protocol {
            EndpointProtocol::Http1 => Ok(Self::Http1(http1::Connection::new(stream, timer, limits))),
            #[cfg(test)]
            EndpointProtocol::Throwaway => Ok(Self::Throwaway(throwaway::Connection::new(stream))),
            #[cfg(test)]
            EndpointProtocol::Multiplexed => throwaway::Multiplexed::open(stream).await.map(Self::Multiplexed),
        }
    }

    /// Another claim on a connection that takes many requests at a time; none if it takes one.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            #[cfg(test)]
            Self::Throwaway(_) => None,
            #[cfg(test)]
            Self::Multiplexed(connection) => Some(Self::Multiplexed(connection.clone())),
        }
    }

    /// Whether it can take a request, as far as is known here. Costs no system call as long as that is so.
    pub(super) fn is_reusable(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_reusable(),
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => true,
        }
    }

    /// Says to the endpoint that nothing follows, at the end of a connection that has nothing under way.
    pub(super) fn close_notify(&mut self) {
        match self {
            Self::Http1(connection) => connection.close_notify(),
            #[cfg(test)]
            Self::Throwaway(_) | Self::Multiplexed(_) => {}
        }
    }
}
