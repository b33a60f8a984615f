use super::*;

const LONGEST: usize = 64 * 1024;

/// What goes on of a connection's bytes, as its server asks for more and more.
#[derive(Debug, Default, PartialEq, Eq)]
struct Gone {
    bytes: Vec<u8>,
    refused: Option<Refused>,
}

/// Passes `pieces`, as far as they are taken.
fn pass<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Gone {
    let mut framing = Framing::new(LONGEST);
    let mut gone = Gone::default();
    for mut piece in pieces {
        while !piece.is_empty() {
            let passed = framing.pass(piece);
            let (taken, rest) = piece.split_at(passed.taken);
            gone.bytes.extend_from_slice(passed.instead.as_deref().unwrap_or(taken));
            assert!(passed.taken > 0, "no progress at {}", piece.escape_ascii());
            piece = rest;
        }
    }
    gone.refused = framing.refused().cloned();
    gone
}

fn violation(gone: &Gone) -> Option<Violation> {
    gone.refused.as_ref().map(|refused| refused.violation)
}

/// What is found, however the bytes are cut: at every place, in every two, and in equal pieces.
fn verdict(bytes: &[u8]) -> Option<Violation> {
    let whole = pass([bytes]);
    let same = |cut: Gone, how: &dyn std::fmt::Debug| {
        assert_eq!(violation(&cut), violation(&whole), "{how:?} of {}", bytes.escape_ascii());
        if whole.refused.is_none() {
            assert_eq!(cut.bytes.escape_ascii().to_string(), whole.bytes.escape_ascii().to_string(), "{how:?}");
        }
    };
    for first in 1..bytes.len() {
        let (a, rest) = bytes.split_at(first);
        same(pass([a, rest]), &first);
        // Long ones are cut twice where it matters: around their beginning.
        for second in 1..rest.len().min(120) {
            let (b, c) = rest.split_at(second);
            same(pass([a, b, c]), &(first, second));
        }
    }
    for step in [1, 2, 3, 5, 17] {
        same(pass(bytes.chunks(step)), &step);
    }
    violation(&whole)
}

/// What may stand before a request line, and goes no further.
const BLANKS: [&str; 9] = ["", "\n", "\r\n", "\n\n", "\n\n\n", "\r\n\r\n", "\n\r\n", "\r\n\n", "\r\n\n\r\n\n\n"];

#[test]
fn plain_sequences_go_on_without_the_empty_lines_before_them() {
    for good in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\nhost: a\n\nGET / HTTP/1.1\nhost: a\n\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\r\n\r\n\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nt: v\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc",
        "GET / HTTP/1.1\r\ntrailer: x\r\ncookie: content-length: 3\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.0\n\n",
    ] {
        for blanks in BLANKS {
            let sent = format!("{blanks}{good}");

            assert_eq!(verdict(sent.as_bytes()), None, "{sent:?}");
            assert_eq!(pass([sent.as_bytes()]).bytes.escape_ascii().to_string(), good.escape_default().to_string());
        }
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
        (head("transfer-encoding: chunked").replace("1.1", "1.0"), Violation::EarlyEncoding),
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
        for blanks in BLANKS {
            let sent = format!("{blanks}{bytes}");

            assert_eq!(verdict(sent.as_bytes()), Some(expected), "{sent:?}");
        }
    }
}

/// A search that goes on from within the empty lines finds an end of the head that is none.
#[test]
fn a_head_behind_empty_lines_and_one_letter_is_judged_like_any_other() {
    let rest = b"OST / HTTP/1.1\r\nhost: h\r\ncontent-length: 44\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    for blanks in BLANKS {
        let gone = pass([blanks.as_bytes(), b"P", rest]);

        assert_eq!(violation(&gone), Some(Violation::LengthAndEncoding), "{blanks:?}");
        assert_eq!(gone.bytes.escape_ascii().to_string(), "", "nothing of it goes on");
    }
}

#[test]
fn what_is_not_http_is_told_at_once() {
    for (bytes, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01"[..], Violation::Method),
        (b"\rGET / HTTP/1.1\r\n\r\n", Violation::LineEnd),
        (b"\r\r\nGET / HTTP/1.1\r\n\r\n", Violation::LineEnd),
        (b"GET /a\tb HTTP/1.1\r\nhost:", Violation::Target),
        (b"GET / HTTP/2.0\r\nhost:", Violation::Version),
        (b"GET /<#> HTTP/1.1\r\nhost: h\r\n\r\n", Violation::Fragment),
        (b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", Violation::Version),
        (&[b'\n'; 11], Violation::EmptyLines),
        (b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", Violation::EmptyLines),
    ] {
        assert_eq!(verdict(bytes), Some(expected), "{}", bytes.escape_ascii());
    }
    assert_eq!(verdict(&[[b'\n'; 10].as_slice(), b"GET / HTTP/1.1\r\n\r\n"].concat()), None);
}

#[test]
fn the_preface_of_http2_goes_on_whole_however_it_is_cut() {
    let preface = b"PRI * HTTP/2.0\r\n\r\n";
    for cut in 1..preface.len() {
        let (first, rest) = preface.split_at(cut);

        let gone = pass([first, rest]);

        assert_eq!((violation(&gone), gone.bytes.as_slice()), (None, preface.as_slice()), "cut at {cut}");
    }
}

#[test]
fn empty_lines_are_counted_for_each_head() {
    let one = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n";

    assert_eq!(verdict(one.repeat(3).as_bytes()), None);
}

#[test]
fn targets_go_on_escaped_and_their_queries_beside_them() {
    for cut in [usize::MAX, 1, 7] {
        let sent =
            b"GET /\xe9?\"\xc3\xa9 HTTP/1.1\r\nhost: h\r\n\r\nGET /<?plain HTTP/1.1\r\n\r\nGET /? HTTP/1.1\r\n\r\n";
        let mut framing = Framing::new(LONGEST);
        let (mut gone, mut queries) = (Vec::new(), Vec::new());
        for mut piece in sent.chunks(cut.min(sent.len())) {
            while !piece.is_empty() {
                let passed = framing.pass(piece);
                let (taken, rest) = piece.split_at(passed.taken);
                gone.extend_from_slice(passed.instead.as_deref().unwrap_or(taken));
                queries.extend(framing.take_query());
                piece = rest;
            }
        }

        let expected =
            "GET /%E9?%22%C3%A9 HTTP/1.1\r\nhost: h\r\n\r\nGET /%3C?plain HTTP/1.1\r\n\r\nGET /? HTTP/1.1\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&gone), expected, "in pieces of {cut}");
        assert_eq!(queries, ["\"\u{e9}"], "in pieces of {cut}");
    }
}

#[test]
fn one_message_is_passed_at_a_time() {
    let first = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nab";
    let both = [first.as_slice(), b"\r\n\x81\x80 whatever follows"].concat();
    let mut framing = Framing::new(LONGEST);

    assert_eq!(framing.pass(&both), Passed { taken: first.len(), instead: None });
    assert!(framing.is_between_messages());
}

#[test]
fn partial_head_is_noticed() {
    let mut framing = Framing::new(LONGEST);

    assert_eq!(framing.pass(b"\r\n\r\n").instead, Some(Vec::new()));
    assert!(framing.is_between_messages(), "empty lines begin nothing");
    assert_eq!(framing.pass(b"GET / HT").instead, Some(Vec::new()));
    assert!(framing.is_within_head() && !framing.is_between_messages());
    assert_eq!(framing.pass(b"TP/1.1\r\n\r\n").instead.as_deref(), Some(b"GET / HTTP/1.1\r\n\r\n".as_slice()));
    assert!(!framing.is_within_head());
}

#[test]
fn a_head_without_end_is_given_up_and_takes_no_more_room_than_its_limit() {
    let longest = 10_000;
    let mut framing = Framing::new(longest);
    assert_eq!(framing.pass(b"GET / HTTP/1.1\r\nx: ").taken, 19);

    while framing.refused().is_none() {
        assert_eq!(framing.pass(&[b'a'; 100]).taken, 100);
        assert!(framing.partial.capacity() <= longest + 100, "{}", framing.partial.capacity());
    }

    let refused = framing.refused().unwrap();
    assert_eq!((refused.violation, refused.target.as_str()), (Violation::LongHead, "/"));
    assert_eq!(framing.partial.capacity(), 0, "given back");
    let exactly = |length: usize| [b"GET / HTTP/1.1\r\nx: ", "a".repeat(length - 23).as_bytes(), b"\r\n\r\n"].concat();
    for (length, expected) in [(LONGEST, None), (LONGEST + 1, Some(Violation::LongHead))] {
        let head = exactly(length);
        assert_eq!(head.len(), length);
        assert_eq!(violation(&pass([head.as_slice()])), expected, "{length}");
        assert_eq!(violation(&pass(head.chunks(1000))), expected, "{length} in pieces");
    }
}

#[test]
fn behind_a_violation_nothing_goes_on() {
    let mut framing = Framing::new(LONGEST);
    let _bad = framing.pass(b"GET /#");

    assert_eq!(framing.pass(b"GET / HTTP/1.1\r\n\r\n"), Passed { taken: 18, instead: Some(Vec::new()) });
    assert!(!framing.is_between_messages());
}

#[test]
fn of_a_body_that_breaks_its_rules_the_head_goes_on_only_if_it_came_before() {
    let head = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";

    let together = pass([[head.as_slice(), b"zz\r\n"].concat().as_slice()]);
    let mut apart = Framing::new(LONGEST);
    let passed = apart.pass(head);
    let broken = apart.pass(b"zz\r\n");

    assert_eq!((together.bytes.len(), violation(&together)), (0, Some(Violation::Chunks)));
    assert_eq!(passed, Passed { taken: head.len(), instead: None });
    assert_eq!(broken.instead, Some(Vec::new()));
    assert!(apart.is_within_body() && apart.refused().is_some());
}
