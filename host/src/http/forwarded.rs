//! What endpoints are told about the client: `X-Forwarded-*` and `Forwarded` (RFC 7239).

use std::borrow::Cow::{Borrowed, Owned};
use std::net::IpAddr;

use ::http::HeaderValue;
use ::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

use super::fields::Fields;

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
static FIELDS: [HeaderName; 5] = [
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
    header::FORWARDED,
];
static HTTP: HeaderValue = HeaderValue::from_static("http");
static HTTPS: HeaderValue = HeaderValue::from_static("https");

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

/// The connection that requests come by, with what is the same for all of them made once.
#[derive(Clone, Debug)]
pub struct Peer {
    address: Option<IpAddr>,
    https: bool,
    /// Value of `X-Forwarded-For` for a client that nobody speaks for.
    alone: Option<HeaderValue>,
    port: HeaderValue,
}

impl Peer {
    /// A client at `address` (none on a unix socket) that connected to our `port`.
    #[must_use]
    pub fn new(address: Option<IpAddr>, port: u16, https: bool) -> Self {
        let address = address.map(|address| address.to_canonical());
        let alone = address.and_then(|address| HeaderValue::try_from(text_of(address)).ok());
        Self { address, https, alone, port: HeaderValue::from(port) }
    }

    /// Address at the other end.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
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

    /// Puts the fields into `fields`: extends what a trusted peer sent, replaces what anybody else did. `host` is the
    /// client's Host as sent; it may be empty.
    pub fn apply<'a>(&self, fields: &mut Fields<'a>, peer: &'a Peer, host: &str) {
        let claims = fields.any(|name| FIELDS.contains(name));
        let believed = claims && self.trusts(peer.address);
        if claims && !believed {
            fields.remove(|name| FIELDS.contains(name));
        }
        if self.x_forwarded {
            apply_x_forwarded(fields, peer, host, believed);
        }
        if self.forwarded {
            let element = element(peer, host);
            if believed {
                append_to_list(fields, &header::FORWARDED, &element);
            } else if let Ok(value) = HeaderValue::try_from(element) {
                fields.push(Owned(header::FORWARDED), Owned(value));
            }
        }
    }
}

fn apply_x_forwarded<'a>(fields: &mut Fields<'a>, peer: &'a Peer, host: &str, believed: bool) {
    if let Some(alone) = &peer.alone {
        match alone.to_str() {
            Ok(address) if believed => append_to_list(fields, &FOR, address),
            _ => fields.push(Borrowed(&FOR), Borrowed(alone)),
        }
    }
    // How the client first came is known to the first proxy only: a trusted one's word stays.
    let unsaid = |fields: &Fields<'_>, name| !(believed && fields.contains(name));
    if unsaid(fields, &PROTO) {
        fields.push(Borrowed(&PROTO), Borrowed(if peer.https { &HTTPS } else { &HTTP }));
    }
    if unsaid(fields, &PORT) {
        fields.push(Borrowed(&PORT), Borrowed(&peer.port));
    }
    if !host.is_empty()
        && unsaid(fields, &HOST)
        && let Ok(value) = HeaderValue::from_str(host)
    {
        fields.push(Borrowed(&HOST), Owned(value));
    }
}

/// One element of `Forwarded`: `for=192.0.2.1;host="h:1";proto=https`.
fn element(peer: &Peer, host: &str) -> String {
    let node = peer.alone.as_ref().and_then(|address| address.to_str().ok()).unwrap_or("unknown");
    let (before, after) = if matches!(peer.address, Some(IpAddr::V6(_))) { ("for=\"[", "]\"") } else { ("for=", "") };
    let rest = before.len() + after.len() + ";host=\"\";proto=https".len();
    let mut text = String::with_capacity(node.len() + host.len() + rest);
    for part in [before, node, after] {
        text.push_str(part);
    }
    if !host.is_empty() {
        // A host with a port or brackets is no token (RFC 7239 §4).
        let quote = if host.contains([':', '[']) { "\"" } else { "" };
        for part in [";host=", quote, host, quote] {
            text.push_str(part);
        }
    }
    text.push_str(if peer.https { ";proto=https" } else { ";proto=http" });
    text
}

/// An address as text. The four numbers of an IPv4 address by themselves: measured, its `Display` takes 1,300 instructions,
/// for each connection.
fn text_of(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else { return address.to_string() };
    let mut text = String::with_capacity("255.255.255.255".len());
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        for unit in [100, 10, 1] {
            if octet >= unit || unit == 1 {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

/// Appends to a comma-separated field, its lines joined into one.
fn append_to_list<'a>(fields: &mut Fields<'a>, name: &'static HeaderName, item: &str) {
    let mut list = String::new();
    for value in fields.all(name).filter_map(|value| value.to_str().ok()) {
        list.push_str(value);
        list.push_str(", ");
    }
    list.push_str(item);
    if let Ok(value) = HeaderValue::try_from(list) {
        fields.set(Borrowed(name), Owned(value));
    }
}

/// The client behind trusted proxies: the right-most address of `X-Forwarded-For` that is not trusted itself, or the
/// peer where there is none. An entry that is no address ends the search: nothing to its left can be believed.
#[must_use]
pub fn client_behind(forwarding: &Forwarding, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    if forwarding.trusted.is_empty() || !forwarding.trusts(peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all(&FOR).iter().filter_map(|value| value.to_str().ok()).collect();
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
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn addresses_are_written_as_everybody_writes_them() {
        for octets in [[0, 0, 0, 0], [1, 10, 100, 255], [9, 99, 199, 200], [127, 0, 0, 1], [203, 0, 113, 70]] {
            let address = IpAddr::from(octets);
            assert_eq!(text_of(address), address.to_string());
        }
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(text_of(address), "2001:db8::1");
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn peer(address: &str) -> Peer {
        Peer::new(Some(address.parse().unwrap()), 443, true)
    }

    fn both(trusted: &[&str]) -> Forwarding {
        let trusted = trusted.iter().map(|net| net.parse().unwrap()).collect();
        Forwarding { x_forwarded: true, forwarded: true, trusted }
    }

    fn applied(forwarding: &Forwarding, sent: &HeaderMap, peer: &Peer, host: &str) -> BTreeMap<String, String> {
        let mut fields = Fields::end_to_end(sent);
        forwarding.apply(&mut fields, peer, host);
        let text = String::from_utf8(fields.to_bytes()).unwrap();
        let lines = text.lines().map(|line| line.split_once(": ").unwrap());
        let map: BTreeMap<_, _> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(map.len(), text.lines().count(), "one line for each:\n{text}");
        map
    }

    #[test]
    fn strangers_are_not_believed() {
        let claims =
            headers(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "http"), ("forwarded", "for=evil")]);

        let map = applied(&both(&[]), &claims, &peer("192.0.2.7"), "front.example:8443");

        assert_eq!(map["x-forwarded-for"], "192.0.2.7");
        assert_eq!(map["x-forwarded-proto"], "https");
        assert_eq!(map["x-forwarded-host"], "front.example:8443");
        assert_eq!(map["x-forwarded-port"], "443");
        assert_eq!(map["forwarded"], "for=192.0.2.7;host=\"front.example:8443\";proto=https");
    }

    #[test]
    fn trusted_proxies_are_extended() {
        let claims = headers(&[
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "public.example"),
            ("forwarded", "for=203.0.113.9"),
        ]);

        let map = applied(&both(&["10.0.0.0/8"]), &claims, &peer("10.1.1.1"), "inner");

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
