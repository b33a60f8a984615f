//! Endpoints that are this gateway itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::model::{EndpointAddress, ListenerConfig};
use super::super::schema::{ConfigFile, Text};
use super::Resolver;
use super::cluster::Resolved;
use super::target::{self, RouteTo};
use crate::diagnose::Span;
use crate::net;

impl Resolver<'_, '_> {
    /// Warns of each endpoint that is one of `listeners`: a request that is sent there comes back. Names are not looked
    /// up, but for `localhost`.
    pub(super) fn loops(&mut self, file: &ConfigFile, listeners: &[ListenerConfig], clusters: &[Resolved]) {
        for cluster in clusters {
            for endpoint in &cluster.used.endpoints {
                let same = |listener: &&ListenerConfig| leads_to(&endpoint.address, listener.address);
                let Some(listener) = listeners.iter().find(same) else { continue };
                let direct = || self.written_as(file, &cluster.used.name);
                let Some(at) = cluster.span.clone().or_else(direct) else { continue };
                let message = format!(
                    "endpoint {} is this gateway itself, which listens on {}: a request that is sent there comes back, \
                     and is answered 508 when it has done so too often; is another port meant?",
                    endpoint.url, listener.address
                );
                self.report.warn(at, message);
            }
        }
    }

    /// Where a route names the server `origin` directly.
    fn written_as(&self, file: &ConfigFile, origin: &str) -> Option<Span> {
        let targets = file.route.iter().filter_map(|route| route.get_ref().to.as_ref());
        let leads = |to: &&Text| match target::parse(to.get_ref(), &self.base) {
            Ok(RouteTo::Direct(url)) => url.origin == origin,
            _ => false,
        };
        targets.filter(leads).map(Text::span).next()
    }
}

/// Whether a connection to `endpoint` is one to `listener`, as far as can be known without a name service.
fn leads_to(endpoint: &EndpointAddress, listener: SocketAddr) -> bool {
    let EndpointAddress::Tcp(host, port) = endpoint else { return false };
    if *port != listener.port() {
        return false;
    }
    let ours = listener.ip();
    let reaches = |address: IpAddr| match address.to_canonical() {
        // Connecting to no address in particular is connecting to this machine.
        address if address.is_unspecified() && address.is_ipv4() == ours.is_ipv4() => {
            ours.is_unspecified() || ours.is_loopback()
        }
        address if ours.is_unspecified() => address.is_ipv4() == ours.is_ipv4() && net::is_own(address),
        address => address == ours,
    };
    match host.parse() {
        Ok(address) => reaches(address),
        Err(_a_name) if host == "localhost" || host.ends_with(".localhost") => {
            reaches(Ipv4Addr::LOCALHOST.into()) || reaches(Ipv6Addr::LOCALHOST.into())
        }
        Err(_a_name) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_to_a_listener_of_ours_is_one_to_ourselves() {
        for (host, port, listener, expected) in [
            ("127.0.0.1", 80, "127.0.0.1:80", true),
            ("127.0.0.1", 81, "127.0.0.1:80", false),
            ("127.0.0.2", 80, "127.0.0.1:80", false),
            ("127.0.0.2", 80, "0.0.0.0:80", true),
            ("0.0.0.0", 80, "0.0.0.0:80", true),
            ("0.0.0.0", 80, "127.0.0.1:80", true),
            ("0.0.0.0", 80, "192.0.2.1:80", false),
            ("192.0.2.1", 80, "192.0.2.1:80", true),
            // TEST-NET-1 (RFC 5737): no interface has it.
            ("192.0.2.1", 80, "0.0.0.0:80", false),
            ("::1", 80, "[::]:80", true),
            ("::1", 80, "0.0.0.0:80", false),
            ("127.0.0.1", 80, "[::]:80", false),
            ("::ffff:127.0.0.1", 80, "0.0.0.0:80", true),
            ("localhost", 80, "127.0.0.1:80", true),
            ("localhost", 80, "[::1]:80", true),
            ("a.localhost", 80, "0.0.0.0:80", true),
            ("localhost", 80, "192.0.2.1:80", false),
            ("app.example", 80, "0.0.0.0:80", false),
        ] {
            let endpoint = EndpointAddress::Tcp(host.to_owned(), port);
            assert_eq!(leads_to(&endpoint, listener.parse().unwrap()), expected, "{host}:{port} {listener}");
        }
        assert!(!leads_to(&EndpointAddress::Unix("/run/app.sock".into()), "127.0.0.1:80".parse().unwrap()));
    }
}
