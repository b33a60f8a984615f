use super::*;

/// What is found, however the bytes are cut.
fn verdict(bytes: &[u8]) -> Option<Violation> {
    let mut whole = Framing::default();
    whole.pass(bytes);
    for step in [1, 2, 3, 5, 17] {
        let mut cut = Framing::default();
        for piece in bytes.chunks(step) {
            cut.pass(piece);
        }
        assert_eq!(cut.violation(), whole.violation(), "pieces of {step} of {}", String::from_utf8_lossy(bytes));
    }
    whole.violation()
}

#[test]
fn plain_sequences_pass() {
    for good in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\nhost: a\n\nGET / HTTP/1.1\nhost: a\n\n",
        "\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nt: v\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\ntrailer: x\r\ncookie: content-length: 3\r\n\r\n",
    ] {
        assert_eq!(verdict(good.as_bytes()), None, "{good:?}");
    }
}

#[test]
fn messages_that_could_be_read_two_ways_are_found() {
    let head = |fields: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n\r\n");
    for (bytes, expected) in [
        (head("content-length: 3\r\ntransfer-encoding: chunked"), Violation::LengthAndEncoding),
        (head("Transfer-Encoding: chunked\r\nContent-Length: 3"), Violation::LengthAndEncoding),
        (head("content-length: 3\r\ncontent-length: 3"), Violation::RepeatedLength),
        (head("content-length: +3"), Violation::Length),
        (head("content-length: 3, 3"), Violation::Length),
        (head("content-length: 99999999999999999999999"), Violation::Length),
        (head("transfer-encoding: gzip, chunked"), Violation::Encoding),
        (head("transfer-encoding: chunked\r\ntransfer-encoding: chunked"), Violation::Encoding),
        (head("transfer-encoding: identity"), Violation::Encoding),
        (head("transfer-encoding: xchunked"), Violation::Encoding),
        (head("transfer-encoding : chunked\r\ncontent-length: 3"), Violation::LengthAndEncoding),
        (head("transfer-encoding: chunked") + "g\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "3\nabc", Violation::Chunks),
        (head("transfer-encoding: chunked") + "3\r\nabcd\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "ffffffffffffffff\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "-3\r\nabc\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "0\r\n\nGET / HTTP/1.1\r\n\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "0\r\nx: a\n\nGET / HTTP/1.1\r\n\r\n", Violation::Chunks),
        (head("transfer-encoding: chunked") + "0\r\nx: a\rb\r\n\r\n", Violation::Chunks),
        (head("content-length: 1") + "x" + &head("content-length: 1\r\ncontent-length: 2"), Violation::RepeatedLength),
    ] {
        assert_eq!(verdict(bytes.as_bytes()), Some(expected), "{bytes:?}");
    }
}

#[test]
fn partial_head_is_noticed() {
    let mut framing = Framing::default();
    framing.pass(b"GET / HT");

    assert!(framing.is_within_head());
    framing.pass(b"TP/1.1\r\n\r\n");
    assert!(!framing.is_within_head());
}

#[test]
fn a_head_without_end_is_given_up_and_costs_no_more_than_its_bytes() {
    let mut framing = Framing::default();
    framing.pass(b"GET / HTTP/1.1\r\nx: ");

    for _ in 0..=LONGEST_HEAD / 4096 {
        framing.pass(&[b'a'; 4096]);
    }

    assert_eq!(framing.violation(), Some(Violation::Head));
}
