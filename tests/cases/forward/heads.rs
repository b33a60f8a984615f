//! Heads on their way through.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate_tests::{Answer, Gateway, Origin, Seen, get};

/// Sends a head, and returns what the endpoint saw.
async fn passed(gateway: &Gateway, head: &str) -> Seen {
    let mut raw = gateway.raw().await;
    raw.write(head.as_bytes()).await;
    raw.read_answer().await.expect("an answer").seen()
}

#[tokio::test]
async fn host_is_the_endpoints_unless_the_clients_is_kept() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/kept"
        to = "http://{a}"
        preserve_host = true
        [[route]]
        path = "/"
        to = "http://{a}"
    "#,
    )
    .origin(&origin)
    .start()
    .await;

    let default = gateway.get("/").await.seen();
    let kept = passed(&gateway, "GET /kept HTTP/1.1\r\nHost: Front.example:8080\r\n\r\n").await;

    assert_eq!(default.header("host"), Some(origin.address().to_string().as_str()));
    assert_eq!(kept.header("host"), Some("Front.example:8080"));
}

#[tokio::test]
async fn fields_of_the_connection_stay_on_it() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    let seen = passed(
        &gateway,
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Private, Host, Cookie2\r\nX-Private: 1\r\nCookie2: 2\r\n\
         Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X-T\r\n\
         Upgrade: h2c\r\nX-Public: 3\r\nCookie: a=b\r\nAuthorization: Basic eA==\r\nAccept: */*\r\n\r\n",
    )
    .await;

    for name in ["x-private", "cookie2", "keep-alive", "proxy-connection", "upgrade"] {
        assert_eq!(seen.all(name), Vec::<&str>::new(), "{name} is about the connection");
    }
    for (name, value) in [("connection", "TE"), ("te", "trailers"), ("trailer", "X-T")] {
        assert_eq!(seen.all(name), [value], "trailers go from end to end, and {name} is said anew");
    }
    for (name, value) in [("x-public", "3"), ("cookie", "a=b"), ("authorization", "Basic eA=="), ("accept", "*/*")] {
        assert_eq!(seen.header(name), Some(value), "{name} is for the endpoint");
    }
    assert!(seen.header("host").is_some(), "naming Host in Connection cannot take it away");
}

#[tokio::test]
async fn what_the_gateway_adds_cannot_be_taken_away() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;

    let seen = passed(
        &gateway,
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Forwarded-For, X-Forwarded-Proto, Forwarded\r\n\r\n",
    )
    .await;

    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert!(seen.header("forwarded").is_some());
}

#[tokio::test]
async fn fields_of_the_endpoints_connection_stay_on_it() {
    let reply = "HTTP/1.1 200 OK\r\nConnection: X-Inner, keep-alive\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\n\
                 Upgrade: h2c\r\nTrailer: X-T\r\nContent-Length: 2\r\nServer: inner\r\nSet-Cookie: a=1\r\nX-Outer: 2\r\n\
                 Set-Cookie: b=2\r\n\r\nok";
    let origin = Origin::saying(reply).start().await;
    let gateway = Gateway::before(&origin).await;

    let answer = gateway.get("/").await;

    for name in ["connection", "x-inner", "keep-alive", "upgrade"] {
        assert!(!answer.headers.contains_key(name), "{name}: {answer:?}");
    }
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"], "lines stay apart and in order");
    assert_eq!((answer.header("server"), answer.header("x-outer")), ("inner", "2"));
    assert_eq!(answer.header("trailer"), "X-T", "it is about the message (RFC 9110 §6.6.2)");
}

#[tokio::test]
async fn an_answer_framed_twice_is_framed_once_for_the_client() {
    let reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n";
    let origin = Origin::saying(reply).start().await;
    let gateway = Gateway::before(&origin).await;

    let mut raw = gateway.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!(answer.text(), "whole", "the coding frames it");
    // Whole when its head goes out, it may be told by its true length; never by the one that was sent, nor twice.
    let length = answer.headers.get("content-length").map(|length| length.to_str().unwrap());
    assert!(matches!(length, None | Some("5")), "{answer:?}");
    assert_ne!(length.is_some(), answer.headers.contains_key("transfer-encoding"), "{answer:?}");
}

#[tokio::test]
async fn operators_edit_heads_both_ways() {
    let reply = || {
        let response = Response::builder().header("server", "inner").header("x-secret", "1").header("x-kept", "2");
        Some(response.body(Full::<Bytes>::default()).unwrap())
    };
    let origin =
        Origin::named("a").answering(move |seen| if seen.target == "/" { reply() } else { None }).start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { set = { X-Gateway = "tidegate", X-Both = "ours" }, remove = ["X-Debug"] }
        response_headers = { set = { X-Served-By = "tidegate" }, remove = ["Server", "X-Secret"] }
    "#,
    )
    .origin(&origin)
    .start()
    .await;

    let mut request = get("/up");
    for (name, value) in [("x-debug", "1"), ("x-both", "theirs"), ("x-other", "stays")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let seen = gateway.send(request).await.seen();
    let answer = gateway.get("/").await;

    assert_eq!(seen.header("x-gateway"), Some("tidegate"));
    assert_eq!(seen.all("x-both"), ["ours"]);
    assert_eq!(seen.header("x-other"), Some("stays"));
    assert_eq!(seen.header("x-debug"), None);
    assert_eq!(answer.header("x-served-by"), "tidegate");
    assert_eq!((answer.header("server"), answer.header("x-secret"), answer.header("x-kept")), ("", "", "2"));
}

#[tokio::test]
async fn methods_and_statuses_of_any_kind_pass() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "lower"] {
        let seen = passed(&gateway, &format!("{method} /x HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert_eq!(seen.method, method);
    }
    for status in [201, 299, 400, 404, 500, 503, 599, 999] {
        let reply = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 4\r\n\r\nbody");
        let origin = Origin::saying(reply).start().await;
        let gateway = Gateway::before(&origin).await;

        let answer = gateway.get("/").await;

        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, "body"), "errors are the endpoint's own");
    }
}

async fn hops(gateway: &Gateway, method: &str, fields: &str) -> Answer {
    let mut raw = gateway.raw().await;
    raw.write(format!("{method} /x?y HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes()).await;
    raw.read_answer().await.unwrap()
}

/// RFC 9110 §7.6.2.
#[tokio::test]
async fn options_and_trace_go_as_far_as_their_sender_wants() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for method in ["OPTIONS", "TRACE"] {
        for (sent, expected) in [("1", "0"), ("5", "4"), ("010", "9"), ("99999999999999999999", "18446744073709551614")]
        {
            let seen = hops(&gateway, method, &format!("Max-Forwards: {sent}\r\n")).await.seen();

            assert_eq!((seen.method.as_str(), seen.header("max-forwards")), (method, Some(expected)), "{sent}");
        }
        assert_eq!(hops(&gateway, method, "").await.seen().header("max-forwards"), None);
        for wrong in ["Max-Forwards: x\r\n", "Max-Forwards: -1\r\n", "Max-Forwards:\r\n", "Max-Forwards: 1, 2\r\n"] {
            assert_eq!(hops(&gateway, method, wrong).await.status, 400, "{wrong}");
        }
        assert_eq!(hops(&gateway, method, "Max-Forwards: 3\r\nMax-Forwards: 3\r\n").await.status, 400);
    }
    let before = origin.seen().len();

    let options = hops(&gateway, "OPTIONS", "Max-Forwards: 0\r\n").await;
    let trace =
        hops(&gateway, "TRACE", "X-Seen: 1\r\nCookie: a=b\r\nAuthorization: Basic x\r\nMax-Forwards: 0\r\n").await;

    assert_eq!((options.status.as_u16(), options.header("allow"), options.body.len()), (200, "OPTIONS, TRACE", 0));
    assert_eq!((trace.status.as_u16(), trace.header("content-type")), (200, "message/http"));
    assert_eq!(trace.text(), "TRACE /x?y HTTP/1.1\r\nhost: h\r\nx-seen: 1\r\nmax-forwards: 0\r\n\r\n");
    assert_eq!(origin.seen().len(), before, "neither went further");
    let get = hops(&gateway, "GET", "Max-Forwards: 0\r\n").await;
    assert_eq!(get.seen().header("max-forwards"), Some("0"), "other methods go on as they are");
}
