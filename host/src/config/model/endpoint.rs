//! `endpoints` of a cluster.

use std::path::PathBuf;

use super::super::membership::Discover;
use crate::net::Authority;

/// A member of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointConfig {
    /// As configured, normalised: scheme and host lower case, default port removed, no trailing slash of an empty path.
    pub url: String,
    /// Where to connect.
    pub address: EndpointAddress,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// `host[:port]` for the Host header and, without the port, for TLS; port left out when it is the default.
    pub authority: Authority,
    /// Path that every request gets in front; empty, or starts with `/` and does not end with one.
    pub base_path: String,
    /// Load factor in hundredths, 1 to 10,000: 100 = 1.0.
    pub weight: u32,
    /// Apache's lbset, 0 to 99: lower first.
    pub group: u32,
    /// Sticky route.
    pub route: Option<String>,
    /// Sticky route that stands in when this endpoint cannot take work.
    pub redirect: Option<String>,
    /// Admin state.
    pub state: EndpointState,
    /// Operator's labels.
    pub labels: Vec<(String, String)>,
    /// In-flight limit; none is no limit.
    pub max_connections: Option<u32>,
    /// Whether its failures neither pause nor eject it (Apache's status `+I`). Default off.
    pub ignore_errors: bool,
    /// Whether its host is a name that stands for several endpoints.
    pub discover: Discover,
    /// URL of the endpoint whose name has this address; none if it is configured itself.
    pub found_by: Option<String>,
}

impl EndpointConfig {
    /// The URL that the endpoint knows itself by: an endpoint that was found by a name has that name here.
    #[must_use]
    pub fn known_as(&self) -> String {
        match (&self.address, self.url.split_once("://")) {
            (EndpointAddress::Tcp(..), Some((scheme, _))) => {
                format!("{scheme}://{}{}", self.authority, self.base_path)
            }
            _ => self.url.clone(),
        }
    }
}

/// Where an endpoint listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EndpointAddress {
    /// Host (name or address, without brackets) and port.
    Tcp(String, u16),
    /// Path of a unix socket.
    Unix(PathBuf),
}

/// What the operator says of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointState {
    /// Takes work.
    Ready,
    /// Takes no new work; what it has goes on.
    Drain,
    /// Takes no work.
    Maint,
    /// Takes work while another of its group cannot (Apache's hot spare).
    Spare,
    /// Takes work when no other of its group can (Apache's hot standby).
    Standby,
}

impl EndpointState {
    /// Whether it may be given new work by a balancer, now or when others cannot take it.
    #[must_use]
    pub fn takes_work(self) -> bool {
        !matches!(self, Self::Drain | Self::Maint)
    }

    /// As written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maint => "maint",
            Self::Spare => "spare",
            Self::Standby => "standby",
        }
    }
}
