//! Whatever clients claim in forwarded headers: no panic, and one value of each field afterwards.
#![no_main]

use http::{HeaderMap, HeaderValue};
use tidegate::http::{Forwarding, Peer, client_behind};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-forwarded-for", first), ("x-forwarded-for", second), ("forwarded", second)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let trusted = vec!["10.0.0.0/8".parse().expect("a network")];
    let forwarding = Forwarding { x_forwarded: true, forwarded: true, trusted };
    let address = Some([10, 0, 0, 1].into());
    let client = client_behind(&forwarding, &headers, address);
    assert!(client.is_some());
    forwarding.apply(&mut headers, &Peer::new(address, 443, true), "front.example");
    for name in ["x-forwarded-for", "x-forwarded-proto", "forwarded"] {
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
    }
});
