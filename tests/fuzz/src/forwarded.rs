//! Whatever clients claim in forwarded headers: no panic, and one value of each field afterwards.

use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate::http::{Fields, Forwarding, Peer, client_behind};
use tidegate::net::Underscores;

/// Values of two header fields, one behind the other.
pub fn run(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-forwarded-for", first), ("x-forwarded-for", second), ("forwarded", second)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let trusted = vec!["10.0.0.0/8".parse().expect("a network")];
    let forwarding = Forwarding { x_forwarded: true, forwarded: true, trusted, underscores: Underscores::Drop };
    let address = Some([10, 0, 0, 1].into());
    let client = client_behind(&forwarding, &headers, address);
    assert!(client.is_some());
    let peer = Peer::new(address, 443, true);
    let mut fields = Fields::end_to_end(&headers);
    forwarding.apply(&mut fields, &peer, "front.example");
    for name in ["x-forwarded-for", "x-forwarded-proto", "forwarded"] {
        assert_eq!(fields.all(&HeaderName::from_static(name)).count(), 1, "{name}");
    }
}
