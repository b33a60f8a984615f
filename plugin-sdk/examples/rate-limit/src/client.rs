//! Who shows no key is known by its address.

use std::net::{IpAddr, Ipv6Addr};

/// What one client has for itself: an IPv4 address, or 64 bits of an IPv6 address, of whose rest it may take any.
pub(crate) fn network(address: Option<String>) -> String {
    let address = address.unwrap_or_default();
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address,
    }
}
