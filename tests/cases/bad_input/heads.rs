//! Heads that are not what RFC 9112 says, or that two readers could read two ways.

use super::{refused, send};
use tidegate_tests::{Gateway, Origin, eventually};

#[tokio::test]
async fn two_ways_to_frame_a_body_are_refused() {
    let requests: &[&[u8]] = &[
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX",
        b"POST / HTTP/1.1\r\ncontent-length: 44\r\nHost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ];

    refused(requests, &[400, 501]).await;
}

#[tokio::test]
async fn lengths_that_are_no_plain_numbers_are_refused() {
    let lengths = ["+5", "-5", "5a", "0x5", "", "5 5", "1e1", "99999999999999999999", "5;", "\u{664}"];
    let requests: Vec<String> = lengths
        .iter()
        .map(|length| format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\nhello"))
        .collect();

    refused(&requests.iter().map(String::as_bytes).collect::<Vec<_>>(), &[400]).await;
}

#[tokio::test]
async fn a_request_names_one_host() {
    let requests: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\xff\r\n\r\n",
        b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ];

    refused(requests, &[400]).await;
}

#[tokio::test]
async fn lines_that_are_no_fields_are_refused() {
    let requests: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: h\r\nX-Folded: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-Folded: a\r\n\tb\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-Name : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nno colon here\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n: no name\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-\x00: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-A: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-A: a\rX-B: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-A: a\r\r\nX-B: b\r\n\r\n",
        b"GET / HTTP/1.1\rHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\xc3\xa9: a\r\n\r\n",
    ];

    refused(requests, &[400]).await;
}

#[tokio::test]
async fn what_is_no_request_line_is_refused() {
    let requests: &[&[u8]] = &[
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.2x\r\nHost: h\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        b"GET / http/1.1\r\nHost: h\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET relative HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n",
        b"PRI * HTTP/2.0\r\nHost: h\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client hello on a plain port",
        b"\xff\xfe\xfd\xfc\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
    ];

    refused(requests, &[400, 505]).await;
}

#[tokio::test]
async fn a_gateway_is_no_forward_proxy() {
    refused(
        &[
            b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
            b"CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
        ],
        &[400, 405],
    )
    .await;
}

#[tokio::test]
async fn refusals_say_why_and_are_counted() {
    let gateway = Gateway::configure("").start().await;
    let host = "\r\nHost: a\r\n\r\n";
    let table = [
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            400,
            "Content-Length",
        ),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "Host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), 400, "Host"),
        (format!("GET /../x HTTP/1.1{host}"), 400, "root"),
        (format!("CONNECT a:1 HTTP/1.1{host}"), 405, "CONNECT"),
        (format!("GET /a b HTTP/1.1{host}"), 400, "blank"),
        (format!("GET /a\tb HTTP/1.1{host}"), 400, "control"),
        (format!("GET /\u{7f} HTTP/1.1{host}"), 400, "control"),
        (format!("GET /a#b HTTP/1.1{host}"), 400, "%23"),
        (format!("GET http:// HTTP/1.1{host}"), 400, "URL"),
        (format!("GET / HTTP/2.0{host}"), 505, "version"),
        (format!("GET / HTTP/1.2{host}"), 505, "version"),
        (format!("PRI * HTTP/2.0{host}"), 505, "version"),
        ("GET /\r\n\r\n".to_owned(), 505, "version"),
        ("\u{16}\u{3}\u{1}\u{2}\0".to_owned(), 400, "method"),
        (format!("G(T / HTTP/1.1{host}"), 400, "method"),
        ("\n".repeat(11), 400, "empty lines"),
        ("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 400, "CR LF"),
        (format!("GET / HTTP/1.1\r\nno colon{host}"), 400, "name: value"),
        (format!("GET / HTTP/1.1\r\nx : y{host}"), 400, "name: value"),
        (format!("GET / HTTP/1.1\r\nx: \0{host}"), 400, "name: value"),
        (format!("GET / HTTP/1.1\r\nx: \ry{host}"), 400, "line"),
        // With a body that nobody will read.
        (format!("POST / HTTP/1.1\r\nContent-Length: 5\r\n folded{host}hello"), 400, "name: value"),
        (format!("POST / HTTP/1.1\r\nContent-Length: 5\r\nno colon{host}"), 400, "name: value"),
        (format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\tfolded{host}0\r\n\r\n"), 400, "name: value"),
        (format!("POST /\" HTTP/1.1\r\nContent-Length: 5\r\n{}{host}", "x: y\r\n".repeat(101)), 431, "fields"),
        (format!("PUT / HTTP/1.1\r\nContent-Length: {}{host}", u64::MAX), 400, "Content-Length"),
        (format!("PUT /\" HTTP/1.1\r\nContent-Length: {}{host}", i64::MAX.unsigned_abs() + 1), 400, "Content-Length"),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), 400, "HTTP/1.0"),
        (format!("GET / HTTP/1.1\r\n{}{host}", "x: y\r\n".repeat(101)), 431, "fields"),
        (format!("GET / HTTP/1.1\r\nx: {}{host}", "y".repeat(70_000)), 431, "long"),
        (format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(70_000)), 431, "long"),
        (format!("GET /{} HTTP/1.1{host}", "y".repeat(40_000)), 414, "long"),
    ];
    for (before, (request, status, word)) in table.into_iter().enumerate() {
        let shown: String = request.chars().take(100).collect();
        let answer = send(&gateway, request.as_bytes()).await.unwrap_or_else(|| panic!("no answer to {shown}"));

        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        assert!(answer.text().contains(word), "{shown}: {}", answer.text());
        assert!(answer.text().starts_with(&format!("{status} ")), "{shown}: {}", answer.text());
        assert_eq!(answer.header("connection"), "close", "{shown}");
        let counted = || gateway.metric("tidegate_requests_refused_total").to_string();
        eventually(&shown, || counted() == (before + 1).to_string()).await;
    }
    let head = send(&gateway, b"HEAD /a#b HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!((head.status.as_u16(), head.text().as_str()), (400, ""), "an answer to HEAD has no body");
}

/// What hyper itself refuses is answered like the rest, behind answers that were good as well.
#[tokio::test]
async fn a_refusal_comes_behind_the_answers_before_it() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for bad in
        ["GET /bad HTTP/1.1\r\nno colon\r\n\r\n", "GET /b#d HTTP/1.1\r\nHost: h\r\n\r\n", "\n\n\n\n\n\n\n\n\n\n\n"]
    {
        let mut raw = gateway.raw().await;
        raw.write(
            format!(
                "{}{bad}GET /behind HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET /good HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3)
            )
            .as_bytes(),
        )
        .await;

        for _ in 0..3 {
            assert_eq!(raw.read_answer().await.unwrap().seen().target, "/good", "{bad:?}");
        }
        let answer = raw.read_answer().await.unwrap();

        assert_eq!(answer.status, 400, "{bad:?}");
        assert_ne!(answer.text(), "", "{bad:?}");
        assert_eq!(raw.read_to_end().await, b"", "{bad:?}");
    }
    assert!(origin.seen().iter().all(|seen| seen.target == "/good"), "{:?}", origin.seen());
}

#[tokio::test]
async fn empty_lines_and_pieces_hide_nothing() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    for fields in [
        "Content-Length: 44\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 44",
        "Content-Length: 3\r\nContent-Length: 3",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
    ] {
        for before in ["\n\n\n", "\r\n\r\n", "\r\n\n\n", "\n\r\n\n\r\n"] {
            let rest = format!("OST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n{smuggled}");
            let mut raw = gateway.raw().await;
            for piece in [before, "P", &rest] {
                raw.write(piece.as_bytes()).await;
                // So that what was sent is read before the next comes: nobody else is served by this worker meanwhile.
                assert_eq!(gateway.get("/between").await.status, 200);
            }

            let answer = raw.read_answer().await.unwrap();

            assert_eq!(answer.status, 400, "{before:?} {fields}");
            assert_eq!(raw.read_to_end().await, b"", "{before:?} {fields}");
        }
    }
    assert!(origin.seen().iter().all(|seen| seen.target == "/between"), "{:?}", origin.seen());
}

#[tokio::test]
async fn line_ends_hidden_in_escapes_stay_hidden() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/to"
        redirect = { to = "/new" }
        [[route]]
        path = "/"
        to = "http://{a}"
    "#,
    )
    .origin(&origin)
    .start()
    .await;
    for path in ["/x%0d%0aX-Injected:%201", "/x?y=%0d%0aX-Injected:%201", "/x%0aX-Injected:1"] {
        let seen = gateway.get_exactly(path).await.seen();
        assert_eq!((seen.target.as_str(), seen.header("x-injected")), (path, None));

        let answer = gateway.get_exactly(&format!("/to{path}")).await;
        assert!(!answer.headers.contains_key("x-injected"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_good_request_before_a_bad_one_does_not_carry_it_through() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"GET /good HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let good = raw.read_answer().await.unwrap();
    raw.write(b"POST /bad HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let bad = raw.read_answer().await.unwrap();
    let rest = raw.read_to_end().await;

    assert_eq!((good.seen().target.as_str(), bad.status.as_u16(), rest.len()), ("/good", 400, 0));
    assert_eq!(origin.seen().len(), 1, "{:?}", origin.seen());
}
