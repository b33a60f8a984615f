//! Bodies of every framing, both ways, and the connections they travel on.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use tidegate_tests::{Gateway, Origin, Raw, eventually, get};

/// Text that shows when a piece is lost or doubled.
fn text(size: usize) -> String {
    (0..size.div_ceil(8)).map(|number| format!("{number:08}")).collect::<String>()[..size].to_owned()
}

#[tokio::test]
async fn a_get_arrives_and_its_answer_returns() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    let answer = gateway.get("/some/path?query=1").await;

    let seen = answer.seen();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/some/path?query=1"));
    assert_eq!(answer.header("x-endpoint"), "a");
    assert_eq!(seen.header("content-length"), None, "no body is made up");
    assert_eq!(seen.header("transfer-encoding"), None, "no body is made up");
}

#[tokio::test]
async fn a_body_arrives_whole_both_ways() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for size in [1, 8, 16 * 1024, 100 * 1024] {
        let body = text(size);
        let request = Request::post("/").header("host", "gateway.test").body(body.clone().into()).unwrap();

        let answer = gateway.send(request).await;

        let seen = answer.seen();
        assert!(seen.body == body, "{size} bytes up and back");
        assert_eq!(seen.header("content-length"), Some(size.to_string().as_str()));
        assert_eq!(seen.header("transfer-encoding"), None, "a length stays a length");
    }
}

#[tokio::test]
async fn an_empty_post_keeps_its_length_of_zero() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 0\r\n\r\n").await;

    let seen = raw.read_answer().await.unwrap().seen();
    assert_eq!(seen.header("content-length"), Some("0"), "servers ask for a length on POST");
}

#[tokio::test]
async fn a_chunked_body_stays_chunked() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: gateway.test\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for piece in ["4;x=y\r\nwiki\r\n", "5\r\npedia\r\n", "E\r\n in\r\n\r\nchunks.\r\n", "0\r\n\r\n"] {
        raw.write(piece.as_bytes()).await;
    }

    let seen = raw.read_answer().await.unwrap().seen();
    assert_eq!(seen.body, "wikipedia in\r\n\r\nchunks.");
    assert_eq!(seen.header("transfer-encoding"), Some("chunked"));
    assert_eq!(seen.header("content-length"), None);
}

/// A POST with `size` bytes of [`text`], of which the first thousand are sent, and the rest.
async fn begun(gateway: &Gateway, size: usize) -> (Raw, String) {
    let mut raw = gateway.raw().await;
    let mut first = text(size);
    let rest = first.split_off(1000);
    raw.write(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n{first}").as_bytes()).await;
    (raw, rest)
}

/// The answer has begun, and the client reads nothing of it before it has sent everything.
#[tokio::test]
async fn a_body_goes_on_while_its_answer_comes() {
    const SIZE: usize = 4_000_000;
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n").await;
        let body = raw.read(SIZE).await;
        let end = if body == text(SIZE).into_bytes() { "whole" } else { "wrong" };
        raw.write(format!("5\r\n{end}\r\n0\r\n\r\n").as_bytes()).await;
        raw.read_to_end().await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;

    let (mut raw, rest) = begun(&gateway, SIZE).await;
    let head = raw.read_head().await.unwrap();
    raw.write(rest.as_bytes()).await;
    let answer = raw.read(b"5\r\nbegun\r\n5\r\nwhole\r\n0\r\n\r\n".len()).await;

    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(String::from_utf8(answer).unwrap(), "5\r\nbegun\r\n5\r\nwhole\r\n0\r\n\r\n");
}

#[tokio::test]
async fn an_endpoint_that_has_answered_early_still_gets_the_whole_body() {
    const SIZE: usize = 200_000;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::raw(move |mut raw| {
        let tell = tell.clone();
        async move {
            raw.read_head().await;
            raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly").await;
            tell.send(raw.read(SIZE).await).unwrap();
        }
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;

    let (mut raw, rest) = begun(&gateway, SIZE).await;
    let answer = raw.read_answer().await.unwrap();
    raw.write(rest.as_bytes()).await;

    assert_eq!(answer.text(), "early");
    assert_eq!(told.recv().await.unwrap(), text(SIZE).into_bytes());
}

/// An endpoint that begins to answer at once, and waits for more than it gets.
async fn beginning() -> Origin {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n").await;
        raw.read_to_end().await;
    });
    origin.start().await
}

/// Failures of all endpoints.
fn failures(gateway: &Gateway) -> u64 {
    gateway.inner().registry().all().iter().flat_map(|(_, lives)| lives).map(|live| live.failures()).sum()
}

#[tokio::test]
async fn a_body_that_the_client_breaks_is_no_failure_of_the_endpoint() {
    let origin = beginning().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n").await;
    raw.read(b"HTTP/1.1 200 OK".len()).await;
    raw.write(b"no length\r\n").await;
    raw.read_to_end().await;

    eventually("the request to end", || gateway.in_flight(&origin) == 0).await;
    assert_eq!(failures(&gateway), 0);
}

/// The endpoint has begun to answer and waits for the rest of the body, which does not come.
#[tokio::test]
async fn a_client_that_stalls_behind_an_early_answer_is_no_failure_of_the_endpoint() {
    let origin = beginning().await;
    let text = "[[route]]\npath = \"/\"\nto = \"http://{origin}\"\ntimeouts = { response = \"100ms\" }\n";
    let gateway = Gateway::configure(text).put("origin", origin.address()).start().await;

    let (mut raw, _rest) = begun(&gateway, 5000).await;
    let answer = raw.read_to_end().await;

    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert!(!answer.ends_with(b"0\r\n\r\n"), "what is broken off must not look complete");
    eventually("the request to end", || gateway.in_flight(&origin) == 0).await;
    assert_eq!(failures(&gateway), 0);
}

#[tokio::test]
async fn a_chunked_answer_arrives_whole() {
    let reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n";
    let origin = Origin::saying(reply).start().await;
    let gateway = Gateway::before(&origin).await;

    let answer = gateway.get("/").await;

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "wikipedia"));
    assert_eq!(answer.header("transfer-encoding"), "chunked");
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_arrives_whole() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end").await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;

    let answer = gateway.get("/").await;

    assert_eq!(answer.text(), "until the end");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_cut_off_for_the_client_too() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot a hundred bytes").await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;

    let answer = client.try_send(get("/")).await;

    assert!(answer.is_err(), "a short body must not look complete: {answer:?}");
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let whole = || Response::builder().header("content-length", "12345").body(Full::<Bytes>::default()).unwrap();
    let origin = Origin::named("a").answering(move |_| Some(whole())).start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"HEAD / HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    let head = raw.read_head().await.unwrap();
    raw.write(b"HEAD /again HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n").await;
    let rest = String::from_utf8(raw.read_to_end().await).unwrap();

    assert!(head.contains("content-length: 12345\r\n"), "{head}");
    assert!(rest.starts_with("HTTP/1.1 200") && rest.ends_with("\r\n\r\n"), "no byte between or after: {rest}");
    assert_eq!(origin.seen()[0].method, "HEAD");
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    for (reply, status) in
        [("HTTP/1.1 204 No Content\r\n\r\n", 204), ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304)]
    {
        let origin = Origin::saying(reply).start().await;
        let gateway = Gateway::before(&origin).await;
        let mut client = gateway.http().await;

        let first = client.send(get("/")).await;
        let second = client.send(get("/")).await;

        assert_eq!((first.status.as_u16(), first.body.len()), (status, 0));
        assert_eq!(second.status.as_u16(), status, "the connection is still in step");
    }
}

#[tokio::test]
async fn a_client_that_expects_100_gets_it_and_then_the_answer() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").await;
    let interim = raw.read_head().await.unwrap();
    raw.write(b"hello").await;
    let answer = raw.read_answer().await.unwrap();

    assert!(interim.starts_with("HTTP/1.1 100"), "{interim}");
    assert_eq!(answer.seen().body, "hello");
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;

    for number in 0..5 {
        let path = format!("/{number}");
        let answer = client.send(get(&path)).await;
        assert_eq!(answer.seen().target, path);
    }

    assert!(!client.is_closed());
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(
        b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
    )
    .await;

    for target in ["/1", "/2", "/3"] {
        assert_eq!(raw.read_answer().await.unwrap().seen().target, target);
    }
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    })
    .start()
    .await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http().await;

    for _ in 0..10 {
        let answer = client.send(get("/")).await;
        assert_eq!(answer.text(), "ok", "the endpoint closes after each answer and never says so");
    }
}
