//! Responses beside those of hyper's client, made of parts at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::responses::run;

/// What comes first.
const LINES: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 299 So to say\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: a\r\nconnection: close\r\n\r\nHTTP/1.1 404 Not Found\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\n",
    b"\r\n\nHTTP/1.1 200 \r\n",
];

/// Fields, good and bad.
const FIELDS: &[&[u8]] = &[
    b"content-length: 5\r\n",
    b"content-length: 5\r\n",
    b"content-length: 5, 5\r\n",
    b"content-length: 0\r\n",
    b"Content-Length: +5\n",
    b"content-length : 5\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"connection: close\r\n",
    b"connection: keep-alive\r\n",
    b"connection: close, \xe9\r\n",
    b"x: y\r\n\tfolded\r\n",
    b"x: y\r\n",
];

/// What comes behind a head, good and bad.
const BODIES: &[&[u8]] = &[
    b"hello",
    b"5\r\nhello\r\n",
    b"5\r\nhello\r\n",
    b"0000000000000005\r\nhello\r\n",
    b"3 ;a=b\r\nabc\r\n",
    b"3\nabc\r\n",
    b"0\r\n\r\n",
    b"0\r\n\r\n",
    b"0\r\nt: v\r\n\r\n",
    b"0\r\nt v\r\n\r\n",
    b"0\r\nt v\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
];

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let head = (select(LINES), vec(select(FIELDS), 0..4));
    (head, vec(select(BODIES), 0..5), any::<proptest::sample::Index>(), any::<u8>()).prop_map(
        |((line, fields), bodies, place, byte)| {
            let mut bytes = [line, &fields.concat(), b"\r\n", &bodies.concat()].concat();
            // One time in four, one byte is another.
            if byte < 64 {
                let at = place.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hyper_sees_the_response_that_the_gateway_sees(
        mut bytes in streams(),
        method in select(&b"GGHP"[..]),
        end in select(&b"co"[..]),
        cuts in any::<[u8; 4]>(),
    ) {
        bytes.extend([method, end]);
        bytes.extend(cuts.map(|cut| cut % 40));

        run(&bytes);
    }
}
