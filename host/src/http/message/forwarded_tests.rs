//! Who is believed, and what endpoints receive.

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
    Forwarding { x_forwarded: true, forwarded: true, trusted, underscores: Underscores::Drop }
}

fn applied(forwarding: &Forwarding, sent: &HeaderMap, peer: &Peer, host: &str) -> BTreeMap<String, String> {
    let mut fields = Fields::end_to_end(sent);
    forwarding.apply(&mut fields, peer, host);
    let text: String = fields.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect();
    let lines = text.lines().map(|line| line.split_once(": ").unwrap());
    let map: BTreeMap<_, _> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(map.len(), text.lines().count(), "one line for each:\n{text}");
    map
}

#[test]
fn strangers_are_not_believed() {
    let claims = headers(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "http"), ("forwarded", "for=evil")]);

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

/// Lines as bytes, for what is no text.
fn lines(name: &'static str, values: &[&[u8]]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for value in values {
        map.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    map
}

#[test]
fn strangers_are_not_heard_and_nothing_else_of_theirs_is_lost() {
    let mut sent = headers(&[("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2"), ("proxy", "http://evil")]);
    for name in ["x-forwarded-for", "x-forwarded-prefix", "x-real-ip", "x-original-url", "proxy-authorization", "x_y"] {
        sent.append(name, HeaderValue::from_static("forged"));
        sent.append(name, HeaderValue::from_static("again"));
    }
    let (mut from_proxy, mut from_stranger) = (sent.clone(), sent);
    let forwarding = both(&["10.0.0.0/8"]);

    forwarding.admit(&mut from_stranger, Some("192.0.2.7".parse().unwrap()));
    forwarding.admit(&mut from_proxy, Some("::ffff:10.1.1.1".parse().unwrap()));

    let names = |headers: &HeaderMap| {
        let mut names: Vec<_> = headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(names(&from_stranger), "accept cookie");
    assert_eq!(from_stranger.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    let of_proxies = "accept cookie proxy-authorization x-forwarded-for x-forwarded-prefix x-original-url x-real-ip";
    assert_eq!(names(&from_proxy), of_proxies, "neither `Proxy` nor underscores pass from anybody");
}

#[test]
fn lists_are_extended_byte_for_byte() {
    let forwarding = both(&["10.0.0.0/8"]);
    for (sent, expected) in [
        (&[&b"6.6.6.6"[..], b"\xff, 198.51.100.9"][..], &b"6.6.6.6, \xff, 198.51.100.9, 10.1.1.1"[..]),
        (&[b"6.6.6.6, \xff, 198.51.100.9"], b"6.6.6.6, \xff, 198.51.100.9, 10.1.1.1"),
        (&[b"\xe4"], b"\xe4, 10.1.1.1"),
        (&[b" ", b"", b"198.51.100.9\t"], b"198.51.100.9, 10.1.1.1"),
    ] {
        let sent = lines("x-forwarded-for", sent);
        let mut fields = Fields::end_to_end(&sent);
        let peer = peer("10.1.1.1");

        forwarding.apply(&mut fields, &peer, "h");

        let told: Vec<_> = fields.all(&FOR).map(HeaderValue::as_bytes).collect();
        assert_eq!(told, [expected], "{}", expected.escape_ascii());
    }
}

#[test]
fn what_is_no_address_ends_the_search_for_the_client() {
    let forwarding = both(&["10.0.0.0/8"]);
    for (sent, expected) in [
        (&[&b"6.6.6.6"[..], b"\xff, 198.51.100.9"][..], "198.51.100.9"),
        (&[b"6.6.6.6", b"\xff, 10.2.2.2"], "10.2.2.2"),
        (&[b"6.6.6.6", b"198.51.100.9\xff"], "10.1.1.1"),
        (&[b"6.6.6.6, unknown, 10.2.2.2"], "10.2.2.2"),
        (&[b"6.6.6.6", b""], "10.1.1.1"),
        (&[b"6.6.6.6,\t198.51.100.9\t, 10.2.2.2"], "198.51.100.9"),
        (&[b"6.6.6.6, ::ffff:198.51.100.9"], "198.51.100.9"),
        (&[b"6.6.6.6, [::ffff:10.2.2.2]:80"], "6.6.6.6"),
    ] {
        let sent = lines("x-forwarded-for", sent);

        let found = client_behind(&forwarding, &sent, Some("10.1.1.1".parse().unwrap()));

        assert_eq!(found, Some(expected.parse().unwrap()), "{sent:?}");
    }
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

#[test]
fn how_a_client_came_is_the_word_of_the_nearest_trusted_proxy() {
    let forwarding = both(&["10.0.0.0/8"]);
    for (sent, from, expected) in [
        (&[&b"https"[..]][..], "10.1.1.1", Some(true)),
        (&[b"HTTP"], "10.1.1.1", Some(false)),
        (&[b"wss"], "10.1.1.1", Some(true)),
        (&[b"https, http"], "10.1.1.1", Some(false)),
        (&[b"https", b"http"], "10.1.1.1", Some(false)),
        (&[b"http,https "], "10.1.1.1", Some(true)),
        (&[b"ftp"], "10.1.1.1", None),
        (&[b"https,"], "10.1.1.1", None),
        (&[], "10.1.1.1", None),
        (&[b"https"], "192.0.2.1", None),
    ] {
        let found = is_secure_behind(&forwarding, &lines("x-forwarded-proto", sent), Some(from.parse().unwrap()));

        assert_eq!(found, expected, "{sent:?} from {from}");
    }
}
