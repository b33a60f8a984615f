//! Requests beside those of hyper's server, and beside themselves cut in other places, made of parts at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tidegate::http::Framing;

use crate::differ::differ;

/// What requests are made of, good and bad.
const PARTS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n",
    b"POST /a HTTP/1.1\r\n",
    b"POST /\xe9<\"?\" HTTP/1.1\n",
    b"HEAD http://h/x HTTP/1.0\r\n",
    b"P",
    b"OST / HTTP/1.1\r\n",
    b"host: h\r\n",
    b"content-length: 5\r\n",
    b"content-length: 0\r\n",
    b"Content-Length: 44\n",
    b"content-length : 5\r\n",
    b"transfer-encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"connection: close\r\n",
    b"upgrade: any\r\n",
    b"x: y\r\n\tfolded\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"3;a=b\r\nabc\r\n",
    b"0\r\n\r\n",
    b"0\r\nt: v\r\n\r\n",
    b"GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n",
    b"\x00",
    b" ",
    b":",
];

/// Bytes that a head may have here.
const LONGEST: usize = 1024;

fn streams() -> impl Strategy<Value = Vec<u8>> {
    vec(select(PARTS), 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hyper_sees_the_requests_that_were_judged_and_no_other(bytes in streams(), cuts in vec(0u8..40, 1..5)) {
        differ(&mut Framing::new(LONGEST), &bytes, &cuts);
    }

    #[test]
    fn what_is_found_and_goes_on_does_not_depend_on_how_the_bytes_are_cut(
        bytes in streams(),
        cuts in vec(0u8..40, 1..5),
    ) {
        let (mut whole, mut cut) = (Framing::new(LONGEST), Framing::new(LONGEST));

        let passed = differ(&mut whole, &bytes, &[0]);
        let passed_cut = differ(&mut cut, &bytes, &cuts);

        match (whole.refused(), cut.refused()) {
            (None, None) => prop_assert_eq!(passed.escape_ascii().to_string(), passed_cut.escape_ascii().to_string()),
            // Of a line that has not ended, only the first piece is looked at.
            (Some(refused), None) => prop_assert!(cut.is_within_head(), "{:?}", refused),
            (None, Some(refused)) => prop_assert!(false, "{:?}", refused),
            (Some(_), Some(_)) => {}
        }
    }
}

/// Where two readers have been led apart before, each cut in every way in which it comes in three pieces.
#[test]
fn heads_behind_empty_lines_are_judged_however_they_come() {
    let rest = "OST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 44\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    for before in ["\n\n\n", "\r\n\r\n", "\r\n\n", "\n\r\n\n\n"] {
        let bytes = format!("{before}P{rest}GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n");
        for first in 1..60 {
            for second in 1..60 {
                let mut framing = Framing::new(LONGEST);
                let passed = differ(&mut framing, bytes.as_bytes(), &[first, second, 0]);

                assert!(framing.refused().is_some() && passed.is_empty(), "{before:?}, {first}, {second}");
            }
        }
    }
}
