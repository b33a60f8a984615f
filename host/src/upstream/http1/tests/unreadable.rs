//! Responses that cannot be read for sure.

use super::*;

/// Why a response of these bytes cannot be read.
async fn unreadable(method: Method, pieces: Vec<Vec<u8>>, closes: bool) -> Unreadable {
    let shown: Vec<_> = pieces.iter().map(|piece| piece.escape_ascii().to_string()).collect();
    match exchange(method.clone(), pieces, closes).await {
        Err(ExchangeError { cause: ExchangeCause::Unreadable(unreadable), .. }) => unreadable,
        other => panic!("{method} {}: {other:?}", shown.join(" | ").get(..200).unwrap_or(&shown.join(" | "))),
    }
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_refused_and_the_reason_given() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    let with = |fields: &str| format!("{OK}{fields}\r\n\r\nok").into_bytes();
    let coded = |codings: &str| with(&format!("Transfer-Encoding: {codings}"));
    let lengths = |lengths: &str| with(&format!("Content-Length: {lengths}"));
    for (response, reason) in [
        (b"nonsense\r\n\r\n".to_vec(), "its answer is no HTTP: it begins with `nonsense`"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "its answer is no HTTP: it begins with `SSH-2.0-OpenSSH_9.2`"),
        (b"220 mail ESMTP\x07\r\n".to_vec(), r"its answer is no HTTP: it begins with `220 mail ESMTP\x07`"),
        (b"hi".to_vec(), "its answer is no HTTP: it begins with `hi`"),
        (b"ICY 200 OK\r\n\r\n".to_vec(), "its answer is no HTTP: it begins with `ICY 200 OK`"),
        (b"\x00\x00\x12\x04\x00".to_vec(), r"its answer is no HTTP: it begins with `\x00\x00\x12\x04\x00`"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x04".to_vec(), "its answer is HTTP/2, where HTTP/1.1 was expected"),
        (b"\x15\x03\x03\x00\x02\x02\x46".to_vec(), "its answer is a TLS record where plain HTTP was expected"),
        (b"\x16\x03\x01\x02\x00".to_vec(), "its answer is a TLS record where plain HTTP was expected"),
        (b"HTTP/2.0 200 OK\r\n\r\n".to_vec(), "its answer is of the version `HTTP/2.0`"),
        (b"HTTP/1.1 1000 x\r\n\r\n".to_vec(), "its status line is malformed: `HTTP/1.1 1000 x`"),
        (b"HTTP/1.1 099 x\r\n\r\n".to_vec(), "its status line is malformed: `HTTP/1.1 099 x`"),
        (b"HTTP/1.1 2 00 x\r\n\r\n".to_vec(), "its status line is malformed: `HTTP/1.1 2 00 x`"),
        (b"HTTP/1.1 200 a\rb\r\n\r\n".to_vec(), r"its status line is malformed: `HTTP/1.1 200 a\rb`"),
        (with("A : b"), "its answer has a bad field name: `A `"),
        (with("Bad Name: b"), "its answer has a bad field name: `Bad Name`"),
        (with("no colon"), "its answer has a bad field name: `no colon`"),
        (with(": b"), "its answer has a bad field name: ``"),
        (with("A: b\x00c"), "its answer has a bad value of the field `A`"),
        (with("A: b\rSet-Cookie: c"), "its answer has a bad value of the field `A`"),
        (with("A: b\r\n folded"), "a field of its answer goes on in a second line (obs-fold): ` folded`"),
        (with("A: b\r\n\tfolded"), r"a field of its answer goes on in a second line (obs-fold): `\tfolded`"),
        (lengths("1\r\nContent-Length: 2"), "its answer has two Content-Length that differ: 1 and 2"),
        (lengths("2, 3"), "its answer has two Content-Length that differ: 2 and 3"),
        (lengths("+2"), "its answer has a Content-Length that is no number: `+2`"),
        (lengths("2,"), "its answer has a Content-Length that is no number: ``"),
        (lengths(""), "its answer has a Content-Length that is no number: ``"),
        (lengths("18446744073709551616"), "its answer has a Content-Length that is no number: `18446744073709551616`"),
        (coded("gzip, chunked"), "its answer has a Transfer-Encoding that is not understood: `gzip, chunked`"),
        (coded("chunked, identity"), "its answer has a Transfer-Encoding that is not understood: `chunked, identity`"),
        (coded("chunked, chunked"), "its answer has a Transfer-Encoding that is not understood: `chunked, chunked`"),
        (
            coded("chunked\r\nTransfer-Encoding: chunked"),
            "its answer has a Transfer-Encoding that is not understood: `chunked, chunked`",
        ),
        (coded("gzip"), "its answer has a Transfer-Encoding that is not understood: `gzip`"),
        (coded("identity"), "its answer has a Transfer-Encoding that is not understood: `identity`"),
        (coded("xchunked"), "its answer has a Transfer-Encoding that is not understood: `xchunked`"),
        (coded(""), "its answer has a Transfer-Encoding that is not understood: ``"),
        (coded("\"chunked\""), r#"its answer has a Transfer-Encoding that is not understood: `\"chunked\"`"#),
        (
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
            "its answer has a Transfer-Encoding, which HTTP/1.0 does not know",
        ),
    ] {
        // A HEAD gets the same fields as a GET (RFC 9110 §9.3.2): what is wrong with them is wrong.
        for method in [Method::GET, Method::HEAD] {
            let found = unreadable(method.clone(), vec![response.clone()], false).await;
            assert_eq!(found.to_string(), reason, "{method}");
            assert!(!found.is_our_limit(), "{found}");
        }
    }
}

#[tokio::test]
async fn lengths_that_differ_are_refused_where_there_is_no_body_as_well() {
    for (status, field, refused) in [
        ("304 Not Modified", "Content-Length: 4\r\nContent-Length: 5", true),
        ("304 Not Modified", "Content-Length: x", true),
        // Those may not have one (RFC 9110 §8.6), and it goes no further.
        ("204 No Content", "Content-Length: 4\r\nContent-Length: 5", false),
        ("204 No Content", "Transfer-Encoding: gzip", false),
    ] {
        let text = format!("HTTP/1.1 {status}\r\n{field}\r\n\r\n");
        match exchange(Method::GET, vec![text.clone().into()], false).await {
            Ok((response, body, _)) if !refused => {
                assert_eq!(body.unwrap(), b"");
                assert!(!response.headers().contains_key("content-length"), "{text:?}");
            }
            Err(ExchangeError { cause: ExchangeCause::Unreadable(_), .. }) if refused => {}
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn as_many_fields_and_bytes_as_the_limits_say() {
    let many = |fields: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(fields)).into_bytes();
    // A field over the rest of the head.
    let long = |bytes: usize| {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\na: ";
        format!("{start}{}\r\n\r\n", "b".repeat(bytes - start.len() - 4)).into_bytes()
    };

    for fields in [100, 101, LIMITS.fields] {
        let (response, _, _) = exchange(Method::HEAD, vec![many(fields)], false).await.unwrap();
        assert_eq!(response.headers().get_all("a").iter().count(), fields);
    }
    let (response, _, _) = exchange(Method::GET, vec![long(LIMITS.bytes)], false).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);

    let found = unreadable(Method::GET, vec![many(LIMITS.fields + 20)], false).await;
    assert_eq!(found.to_string(), "its answer has 220 fields, at most 200 are taken");
    assert!(found.is_our_limit());
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(LIMITS.bytes / 20).into_bytes();
    let blank = "\r\n".repeat(LIMITS.bytes).into_bytes();
    for response in [long(LIMITS.bytes + 1), long(2 * LIMITS.bytes), interim, blank] {
        let found = unreadable(Method::GET, vec![response], false).await;
        assert_eq!(found.to_string(), "the head of its answer is longer than 64 KiB");
        assert!(found.is_our_limit());
    }
}

#[tokio::test]
async fn chunks_that_are_none_are_reported_as_long_as_nothing_has_gone_out() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in [
        "x\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\r\n5\r\nhello\r\n-1\r\n",
        "5\nhello\n0\n\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "0\r\nA: b\n\r\n",
    ] {
        let found = unreadable(Method::GET, vec![[HEAD, chunks.as_bytes()].concat()], false).await;
        assert!(matches!(found, Unreadable::Chunks(_)), "{chunks:?}: {found}");
    }
    let closed = exchange(Method::GET, vec![HEAD.to_vec()], true).await;
    assert!(
        matches!(
            closed,
            Err(ExchangeError { cause: ExchangeCause::Broken(Broken::Cut), .. }) | Ok((_, Err(Broken::Cut), false))
        ),
        "{closed:?}"
    );
}

#[tokio::test]
async fn a_stream_whose_first_chunk_is_not_there_yet_is_not_waited_for() {
    let (connection, mut theirs) = open();
    theirs.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    let (fields, shelf) = (Fields::default(), Arc::new(Shelf::default()));
    let head = head(&Method::GET, "/", &fields);

    let response = connection.send(head, &mut empty(), SOON, &shelf, &mut Seen::default()).await.unwrap();

    let ResponseContent::Stream(mut body) = response.into_body() else { panic!("no stream") };
    for piece in ["5", "\r\nhello\r\n", "x\r\n"] {
        theirs.write_all(piece.as_bytes()).await.unwrap();
    }
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
    assert!(matches!(body.frame().await, Some(Err(Broken::Chunks(_)))));
}

#[tokio::test]
async fn an_endpoint_that_closes_has_not_responded() {
    for (text, within) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Le", true),
        ("HTTP", true),
        ("HTTP/1.1 100 Continue\r\n\r\n", true),
        ("\r\n", true),
    ] {
        let error = exchange(Method::GET, vec![text.into()], true).await.unwrap_err();
        match error.cause {
            ExchangeCause::Broken(Broken::Closed) if !within => {}
            ExchangeCause::Broken(Broken::CutHead) if within => {}
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_head_is_held_with_little_more_room_than_it_takes() {
    let (mut connection, mut theirs) = open();
    let sending = tokio::spawn(async move {
        theirs.write_all(b"HTTP/1.1 200 OK\r\na: ").await.unwrap();
        theirs.write_all(&vec![b'b'; 390 * 1024]).await.unwrap();
        theirs
    });

    let mut held = 0;
    while held < 390 * 1024 {
        held += std::future::poll_fn(|cx| connection.poll_fill(cx)).await.unwrap();
    }

    let _theirs = sending.await.unwrap();
    let room = bytes::BytesMut::from(std::mem::take(&mut connection.unread)).capacity();
    assert!(room <= held + held / 4 + 16 * 1024, "{room} bytes for {held}");
}
