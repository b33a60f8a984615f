//! What the members of a cluster are: names that stand for several endpoints, and whose load makes an endpoint busy.

/// What an endpoint's host name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Discover {
    /// One endpoint, whatever the name's addresses: it is asked for anew at each connect.
    Off,
    /// One endpoint for each address (A; AAAA if there is none).
    Addresses,
    /// One endpoint for each address of each target of its SRV records (RFC 2782).
    Srv,
}

impl Discover {
    /// As written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Addresses => "addresses",
            Self::Srv => "srv",
        }
    }
}

/// Whose requests and tunnels make an endpoint busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counting {
    /// Those of this cluster.
    Cluster,
    /// Those of all clusters that count so and have an endpoint at the same host and port.
    Address,
}
