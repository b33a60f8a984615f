//! What endpoints are told about the client: `X-Forwarded-*` and `Forwarded` (RFC 7239).

use std::fmt::Write as _;
use std::net::IpAddr;

use ::http::HeaderValue;
use ::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// What is sent, and who is believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forwarding {
    /// Send `X-Forwarded-For/-Host/-Proto/-Port`.
    pub x_forwarded: bool,
    /// Send `Forwarded`.
    pub forwarded: bool,
    /// Peers whose own forwarded fields are believed and extended.
    pub trusted: Vec<IpNet>,
}

/// The connection that a request came by.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Address at the other end; none on a unix socket.
    pub address: Option<IpAddr>,
    /// Port that the client connected to.
    pub port: u16,
    /// Whether it came by TLS.
    pub https: bool,
}

/// The fields for one request.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// Who came.
    pub peer: Peer,
    /// The client's Host, as sent; may be empty.
    pub host: &'a str,
}

impl Forwarding {
    /// Whether `peer` may speak for others.
    #[must_use]
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| {
            let peer = peer.to_canonical();
            self.trusted.iter().any(|net| net.contains(&peer))
        })
    }

    /// Puts the fields into `headers`: extends what a trusted peer sent, replaces what anybody else did.
    pub fn apply(&self, headers: &mut HeaderMap, facts: Forwarded<'_>) {
        let trusted = self.trusts(facts.peer.address);
        if !trusted {
            for name in [FOR, HOST, PROTO, PORT, header::FORWARDED] {
                headers.remove(name);
            }
        }
        if self.x_forwarded {
            apply_x_forwarded(headers, facts, trusted);
        }
        if self.forwarded {
            let element = element(facts);
            append_to_list(headers, header::FORWARDED, &element);
        }
    }
}

fn apply_x_forwarded(headers: &mut HeaderMap, facts: Forwarded<'_>, trusted: bool) {
    if let Some(address) = facts.peer.address {
        append_to_list(headers, FOR, &address.to_canonical().to_string());
    }
    // How the client first came is known to the first proxy only: a trusted one's word stays.
    if !(trusted && headers.contains_key(PROTO)) {
        headers.insert(PROTO, HeaderValue::from_static(if facts.peer.https { "https" } else { "http" }));
    }
    if !(trusted && headers.contains_key(PORT)) {
        headers.insert(PORT, HeaderValue::from(facts.peer.port));
    }
    let known = trusted && headers.contains_key(HOST);
    if !known
        && !facts.host.is_empty()
        && let Ok(value) = HeaderValue::from_str(facts.host)
    {
        headers.insert(HOST, value);
    }
}

/// One element of `Forwarded`: `for=192.0.2.1;host="h:1";proto=https`.
fn element(facts: Forwarded<'_>) -> String {
    let mut text = String::with_capacity(64);
    match facts.peer.address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => _ = write!(text, "for={address}"),
        Some(IpAddr::V6(address)) => _ = write!(text, "for=\"[{address}]\""),
        None => text.push_str("for=unknown"),
    }
    if !facts.host.is_empty() {
        // A host with a port or brackets is no token (RFC 7239 §4).
        let quote = if facts.host.contains([':', '[']) { "\"" } else { "" };
        _ = write!(text, ";host={quote}{}{quote}", facts.host);
    }
    _ = write!(text, ";proto={}", if facts.peer.https { "https" } else { "http" });
    text
}

/// Appends to a comma-separated field, its lines joined into one.
fn append_to_list(headers: &mut HeaderMap, name: HeaderName, item: &str) {
    let mut list = String::new();
    for value in headers.get_all(&name).iter().filter_map(|value| value.to_str().ok()) {
        list.push_str(value);
        list.push_str(", ");
    }
    list.push_str(item);
    if let Ok(value) = HeaderValue::from_str(&list) {
        headers.insert(name, value);
    }
}

/// The client behind trusted proxies: the right-most address of `X-Forwarded-For` that is not trusted itself, or the
/// peer where there is none. An entry that is no address ends the search: nothing to its left can be believed.
#[must_use]
pub fn client_behind(forwarding: &Forwarding, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    if forwarding.trusted.is_empty() || !forwarding.trusts(peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all(FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut client = peer;
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = parse_address(entry.trim()) else { return client };
        client = Some(address);
        if !forwarding.trusts(client) {
            return client;
        }
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
        return Some(socket.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn peer(address: &str) -> Peer {
        Peer { address: Some(address.parse().unwrap()), port: 443, https: true }
    }

    fn both(trusted: &[&str]) -> Forwarding {
        let trusted = trusted.iter().map(|net| net.parse().unwrap()).collect();
        Forwarding { x_forwarded: true, forwarded: true, trusted }
    }

    #[test]
    fn strangers_are_not_believed() {
        let mut map =
            headers(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "http"), ("forwarded", "for=evil")]);

        both(&[]).apply(&mut map, Forwarded { peer: peer("192.0.2.7"), host: "front.example:8443" });

        assert_eq!(map["x-forwarded-for"], "192.0.2.7");
        assert_eq!(map["x-forwarded-proto"], "https");
        assert_eq!(map["x-forwarded-host"], "front.example:8443");
        assert_eq!(map["x-forwarded-port"], "443");
        assert_eq!(map["forwarded"], "for=192.0.2.7;host=\"front.example:8443\";proto=https");
    }

    #[test]
    fn trusted_proxies_are_extended() {
        let mut map = headers(&[
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "public.example"),
            ("forwarded", "for=203.0.113.9"),
        ]);

        both(&["10.0.0.0/8"]).apply(&mut map, Forwarded { peer: peer("10.1.1.1"), host: "inner" });

        assert_eq!(map["x-forwarded-for"], "203.0.113.9, 10.1.1.1");
        assert_eq!(map["x-forwarded-proto"], "http");
        assert_eq!(map["x-forwarded-host"], "public.example");
        assert_eq!(map["forwarded"], "for=203.0.113.9, for=10.1.1.1;host=inner;proto=https");
    }

    #[test]
    fn client_is_the_last_that_nobody_trusts() {
        let forwarding = both(&["10.0.0.0/8", "2001:db8::/32"]);
        for (list, from, expected) in [
            ("1.1.1.1, 203.0.113.9, 10.2.2.2", "10.1.1.1", "203.0.113.9"),
            ("1.1.1.1", "192.0.2.1", "192.0.2.1"),
            ("10.3.3.3, 10.2.2.2", "10.1.1.1", "10.3.3.3"),
            ("1.1.1.1, nonsense, 10.2.2.2", "10.1.1.1", "10.2.2.2"),
            ("[2001:db8::5]:80, 10.2.2.2", "10.1.1.1", "2001:db8::5"),
            ("198.51.100.1:1234", "::ffff:10.1.1.1", "198.51.100.1"),
        ] {
            let found = client_behind(&forwarding, &headers(&[("x-forwarded-for", list)]), Some(from.parse().unwrap()));
            assert_eq!(found, Some(expected.parse().unwrap()), "{list} from {from}");
        }
    }
}
