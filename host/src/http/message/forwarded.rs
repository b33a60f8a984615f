//! What endpoints receive about the client: `X-Forwarded-*` and `Forwarded` (RFC 7239).

use std::borrow::Cow::{Borrowed, Owned};
use std::net::IpAddr;

use ::http::HeaderValue;
use ::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

use super::claims::{Senders, senders};
use super::fields::Fields;
use crate::net::Underscores;

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
    /// What becomes of request fields whose names have an underscore.
    pub underscores: Underscores,
}

/// The connection that requests come by, with what is the same for all of them made once.
#[derive(Clone, Debug)]
pub struct Peer {
    address: Option<IpAddr>,
    https: bool,
    /// Value of `X-Forwarded-For` for a client that no proxy speaks for.
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

    /// Takes out of a request's head what `peer` has no right to say, before a decider reads it: fields that only
    /// trusted proxies may send, and names that servers could take for another one.
    pub fn admit(&self, headers: &mut HeaderMap, peer: Option<IpAddr>) {
        let mut believed = None;
        let refused = |name: &&HeaderName| match senders(name, self.underscores) {
            Senders::Anybody => false,
            Senders::TrustedProxies => !*believed.get_or_insert_with(|| self.trusts(peer)),
            Senders::Nobody => true,
        };
        // Empty for nearly every request, and then nothing is allocated.
        let refused: Vec<HeaderName> = headers.keys().filter(refused).cloned().collect();
        for name in refused {
            headers.remove(name);
        }
    }

    /// Puts the fields into `fields`: extends what a trusted peer sent, replaces what any other peer sent. `host` is
    /// the client's Host as sent; it may be empty.
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

/// An address as text. The four numbers of an IPv4 address by themselves: measured, its `Display` takes 1,300
/// instructions, for each connection.
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

/// Appends to a comma-separated field, its lines joined into one. What is there stays as it is, byte for byte: it is
/// not for this hop to leave an entry out, and a reader counts from the right.
fn append_to_list<'a>(fields: &mut Fields<'a>, name: &'static HeaderName, item: &str) {
    let mut list = Vec::new();
    for value in fields.all(name).map(|value| value.as_bytes().trim_ascii()).filter(|value| !value.is_empty()) {
        list.extend_from_slice(value);
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(item.as_bytes());
    if let Ok(value) = HeaderValue::try_from(list) {
        fields.set(Borrowed(name), Owned(value));
    }
}

/// The client behind trusted proxies: the right-most address of `X-Forwarded-For` that is not trusted itself, or the
/// peer where there is none. An entry that is no address ends the search: nothing to its left can be believed.
#[must_use]
pub fn client_behind(forwarding: &Forwarding, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    if !forwarding.trusts(peer) {
        return peer;
    }
    let lines = headers.get_all(&FOR).iter().rev();
    let mut client = peer;
    for entry in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
        let Some(address) = parse_address(entry.trim_ascii()) else { return client };
        client = Some(address);
        if !forwarding.trusts(client) {
            return client;
        }
    }
    client
}

/// Whether a client behind trusted proxies came by TLS, as the nearest of them says in the last entry of
/// `X-Forwarded-Proto`; none where that says nothing, or `peer` is not trusted.
#[must_use]
pub fn is_secure_behind(forwarding: &Forwarding, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<bool> {
    let line = headers.get_all(&PROTO).iter().next_back().filter(|_| forwarding.trusts(peer))?;
    let entry = line.as_bytes().rsplit(|byte| *byte == b',').next()?.trim_ascii();
    let is = |names: [&str; 2]| names.iter().any(|name| entry.eq_ignore_ascii_case(name.as_bytes()));
    if is(["https", "wss"]) {
        return Some(true);
    }
    is(["http", "ws"]).then_some(false)
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(text.parse::<std::net::SocketAddr>().ok()?.ip());
    let address: IpAddr = text.parse().ok().or_else(with_port).or_else(bare)?;
    // One client has one address, in whichever notation its proxy knows it.
    Some(address.to_canonical())
}

#[cfg(test)]
#[path = "forwarded_tests.rs"]
mod tests;
