//! An open connection to an endpoint, in the protocol that it speaks.
//!
//! A second protocol is a folder beside `http1`, an arm of both enums here, and one in [`Upstream::exchange`].
//!
//! [`Upstream::exchange`]: super::Upstream::exchange

use super::timer::LazyTimer;
use super::{HeadLimits, http1};
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
}

/// A connection that can take a request.
#[derive(Debug)]
pub(super) enum Session {
    Http1(http1::Connection),
    #[cfg(test)]
    Throwaway(throwaway::Connection),
}

impl Session {
    /// Speaks `protocol` over `stream`.
    pub(super) fn new(protocol: EndpointProtocol, stream: Stream, timer: LazyTimer, limits: HeadLimits) -> Self {
        match protocol {
            EndpointProtocol::Http1 => Self::Http1(http1::Connection::new(stream, timer, limits)),
            #[cfg(test)]
            EndpointProtocol::Throwaway => Self::Throwaway(throwaway::Connection::new(stream)),
        }
    }

    /// Whether it can take a request, as far as is known here. Costs no system call as long as that is so.
    pub(super) fn is_reusable(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_reusable(),
            #[cfg(test)]
            Self::Throwaway(_) => true,
        }
    }

    /// Says to the endpoint that nothing follows, at the end of a connection that has nothing under way.
    pub(super) fn close_notify(&mut self) {
        match self {
            Self::Http1(connection) => connection.close_notify(),
            #[cfg(test)]
            Self::Throwaway(_) => {}
        }
    }
}
