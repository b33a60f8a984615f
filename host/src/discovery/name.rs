//! Names that are resolved, and the addresses that they have.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Something to ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// As in the URL.
    pub host: String,
    /// For what.
    pub records: Records,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Records {
    /// A, or AAAA if there is none.
    Addresses,
    /// SRV, and the addresses of their targets.
    Services,
}

/// One address of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundAddress {
    /// Lower first (RFC 2782); 0 for plain addresses.
    pub priority: u16,
    /// Where.
    pub address: IpAddr,
    /// Its port, for services.
    pub port: Option<u16>,
    /// Share among those of the same priority (RFC 2782); 0 for plain addresses.
    pub weight: u16,
}

impl fmt::Display for FoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => self.address.fmt(f),
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
        }
    }
}

/// The addresses of every name that has any, in their order.
pub type KnownNames = BTreeMap<Name, Vec<FoundAddress>>;
