//! Bodies that break their own rules. Their heads were good, so an endpoint may have been asked; it never gets a whole
//! request, and never a second one.

use tidegate_tests::{Gateway, Origin};

#[tokio::test]
async fn malformed_chunks_never_make_a_whole_request() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    for chunks in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhell",
    ] {
        let mut raw = gateway.raw().await;
        raw.write(
            format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{smuggled}").as_bytes(),
        )
        .await;
        raw.finish().await;

        let answer = raw.read_answer().await;
        let more = raw.read_to_end().await;

        assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{chunks:?}: {answer:?}");
        assert_eq!(String::from_utf8_lossy(&more), "", "{chunks:?}");
        assert_eq!(origin.seen().len(), 0, "{chunks:?}: {:?}", origin.seen());
    }
    assert_eq!(gateway.get("/after").await.seen().target, "/after", "the gateway still serves");
}

#[tokio::test]
async fn a_body_that_stops_short_never_makes_a_whole_request() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this").await;
    raw.finish().await;
    let answer = raw.read_answer().await;

    assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{answer:?}");
    assert!(origin.seen().is_empty(), "{:?}", origin.seen());
    assert_eq!(gateway.get("/after").await.seen().target, "/after");
    tidegate_tests::eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn what_follows_a_body_is_a_request_of_its_own() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyTRAILING / HTTP/1.1\r\nHost: h\r\n\r\n")
        .await;
    let first = raw.read_answer().await.unwrap().seen();
    let second = raw.read_answer().await.unwrap().seen();

    assert_eq!((first.body.as_str(), second.method.as_str()), ("body", "TRAILING"));
}

#[tokio::test]
async fn an_endpoint_that_answers_before_the_body_is_through_is_heard() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much").await;
        raw.read_to_end().await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nthe begin").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (413, "too much"));
}

/// On a connection that has carried a request before, a request may be sent again if it has no body; one whose body
/// broke off must not be taken for such a one. The endpoint would get its Content-Length and no bytes, and read the next
/// client's request as the body.
#[tokio::test]
async fn a_body_that_stops_short_on_a_reused_connection_is_not_sent_again_without_it() {
    for method in ["GET", "PUT"] {
        let origin = Origin::named("a").start().await;
        let gateway = Gateway::before(&origin).await;
        gateway.get("/first").await;

        let mut raw = gateway.raw().await;
        raw.write(format!("{method} /short HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\nonly this").as_bytes())
            .await;
        raw.finish().await;
        let answer = raw.read_answer().await;

        assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{method}: {answer:?}");
        let seen: Vec<_> = origin.seen().into_iter().map(|seen| seen.target).collect();
        assert_eq!(seen, ["/first"], "{method}");
        for path in ["/next", "/after"] {
            assert_eq!(gateway.get(path).await.seen().target, path, "{method}: the pool must be in step");
        }
    }
}

#[tokio::test]
async fn a_chunked_body_reaches_the_endpoint_whatever_the_method() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for method in ["GET", "DELETE", "OPTIONS", "SEARCH"] {
        let mut raw = gateway.raw().await;
        raw.write(
            format!("{method} /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
                .as_bytes(),
        )
        .await;

        let answer = raw.read_answer().await.unwrap();

        assert_eq!(answer.seen().body, "hello", "{method}");
    }
}

/// Two readers that disagree on where trailers end disagree on where the next request begins.
#[tokio::test]
async fn trailers_with_bare_line_feeds_are_refused() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for trailers in ["0\r\n\n", "0\r\nx: a\n\n", "0\r\nx: a\n\r\n"] {
        let hidden = "POST /hidden HTTP/1.1\r\nHost: h\r\nContent-Length: 60\r\n\r\n";
        let mut raw = gateway.raw().await;
        raw.write(
            format!(
                "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{trailers}{hidden}\
                 GET /smuggled HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            )
            .as_bytes(),
        )
        .await;
        raw.finish().await;
        raw.read_to_end().await;

        let seen: Vec<_> = origin.seen().into_iter().map(|seen| seen.target).collect();
        assert!(!seen.iter().any(|target| target == "/smuggled" || target == "/hidden"), "{trailers:?}: {seen:?}");
    }
    assert_eq!(gateway.get("/after").await.seen().target, "/after");
}
