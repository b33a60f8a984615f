//! What access lines say of responses that were broken off, and of what is particular to HTTP/2.

use std::collections::HashMap;

use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response};
use tidegate_tests::frames::{Frame, Frames, block, code, kind};
use tidegate_tests::{Gateway, Http2, Origin, eventually, get};

use crate::running::{Running, plain};

const TEXT: &str = r#"
[gateway]
drain = "50ms"
[log]
access = "stdout"
[[route]]
path = "/own"
respond = { status = 200, body = "12345" }
[[route]]
path = "/"
to = "balancer://one"
[cluster.one]
endpoints = ["http://{origin}"]
protocol = "{protocol}"
"#;

/// The head of a response, and a piece of a body that never ends.
const ENDLESS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";

async fn running(origin: &Origin, protocol: &str) -> Running {
    let setup = Gateway::configure(TEXT).put("origin", origin.address()).put("protocol", protocol);
    Running::start(setup).await
}

/// The fields of line `number`, once it is there.
async fn line(running: &Running, number: usize) -> HashMap<String, String> {
    eventually("a line", || running.process.stdout().len() > number).await;
    let field = |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.replace('"', "")));
    running.process.stdout()[number].split(' ').filter_map(field).collect()
}

fn said<'l>(line: &'l HashMap<String, String>, names: &[&str]) -> Vec<&'l str> {
    names.iter().map(|name| line[*name].as_str()).collect()
}

#[tokio::test]
async fn a_client_that_leaves_within_a_response_has_gone() {
    let origin = Origin::saying(ENDLESS).start().await;
    let running = running(&origin, "h1").await;

    let mut raw = running.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    raw.read_head().await.unwrap();
    drop(raw);
    assert_eq!(said(&line(&running, 0).await, &["status", "ending"]), ["200", "client-gone"]);

    let mut client = Http2::new(plain(running.address()).await).await;
    for (number, resets) in [(1, true), (2, false)] {
        let mut exchange = client.try_begin(get("/").map(drop), true).await.unwrap();
        exchange.head().await.unwrap();
        if resets {
            exchange.reset(h2::Reason::CANCEL);
        } else {
            drop((exchange, client.clone()));
            client = Http2::new(plain(running.address()).await).await;
        }
        let names = ["protocol", "status", "ending"];
        assert_eq!(said(&line(&running, number).await, &names), ["http/2", "200", "client-gone"]);
    }
}

/// What has no body is whole without one.
#[tokio::test]
async fn a_response_without_a_body_is_whole() {
    let origin = Origin::streams(|_request, mut respond| async move {
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        drop(send.send_data(bytes::Bytes::new(), true));
    });
    let origin = origin.start().await;
    let running = running(&origin, "h2").await;

    let mut raw = running.raw().await;
    raw.write(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    raw.read_head().await.unwrap();
    assert_eq!(said(&line(&running, 0).await, &["status", "ending"]), ["200", "-"]);
    let mut client = Http2::new(plain(running.address()).await).await;
    client.send(Request::head("/").header("host", "h").body(http_body_util::Full::default()).unwrap()).await;
    assert_eq!(said(&line(&running, 1).await, &["status", "ending"]), ["200", "-"]);
}

#[tokio::test]
async fn what_the_drain_deadline_cuts_off_is_cut() {
    let origin = Origin::saying(ENDLESS).start().await;
    let silent = Origin::raw(|mut raw| async move { _ = raw.read_to_end().await }).start().await;
    for (origin, status) in [(&origin, "200"), (&silent, "-")] {
        let mut running = running(origin, "h1").await;
        let mut raw = running.raw().await;
        raw.write(b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let mut client = Http2::new(plain(running.address()).await).await;
        let mut exchange = client.try_begin(get("/two").map(drop), true).await.unwrap();
        if status == "200" {
            raw.read_head().await.unwrap();
            exchange.head().await.unwrap();
        } else {
            eventually("both to be under way", || silent.connections() == 2).await;
        }

        running.process.signal("TERM");

        for number in 0..2 {
            assert_eq!(said(&line(&running, number).await, &["status", "ending"]), [status, "cut"]);
        }
        running.process.ended().await;
    }
}

#[tokio::test]
async fn a_malformed_request_is_refused_without_a_status() {
    let origin = Origin::named("a").start().await;
    let running = running(&origin, "h1").await;
    let mut frames = Frames::client(plain(running.address()).await, &[]).await;
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "h"), ("host", "other")];

    frames.send(&Frame::headers(1, block(&fields)).ending()).await;

    let reset = frames.next_that(|frame| frame.kind == kind::RST_STREAM).await.unwrap();
    assert_eq!(reset.code(), Some(code::PROTOCOL_ERROR));
    assert_eq!(said(&line(&running, 0).await, &["path", "status", "ending"]), ["/x", "-", "refused"]);
}

#[tokio::test]
async fn the_status_of_a_call_and_the_version_of_a_tunnel_are_in_their_lines() {
    let origin = Origin::streams(|request, mut respond| async move {
        let mut response = Response::new(());
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        if request.uri().path() == "/alone" {
            response.headers_mut().insert("grpc-status", HeaderValue::from_static("12"));
            drop(respond.send_response(response, true));
            return;
        }
        let mut send = respond.send_response(response, false).unwrap();
        send.send_data(bytes::Bytes::from_static(b"message"), false).unwrap();
        send.send_trailers(HeaderMap::from_iter([("grpc-status".parse().unwrap(), 5.into())])).unwrap();
    });
    let origin = origin.start().await;
    let running = running(&origin, "h2").await;
    let mut client = Http2::new(plain(running.address()).await).await;
    for (number, (path, status)) in [("/alone", "12"), ("/behind", "5")].into_iter().enumerate() {
        client.send(get(path)).await;
        let expected = ["200", status, "-"];
        assert_eq!(said(&line(&running, number).await, &["status", "grpc_status", "client_protocol"]), expected);
    }
    drop(running);

    let origin = Origin::named("a").start().await;
    let running = self::running(&origin, "h1").await;
    let mut client = Http2::new(plain(running.address()).await).await;
    client.websocket("/").await.close().await;
    let names = ["protocol", "client_protocol", "status", "ending", "grpc_status"];
    assert_eq!(said(&line(&running, 0).await, &names), ["websocket", "http/2", "101", "complete", "-"]);
    running.websocket("/").await.close().await;
    assert_eq!(said(&line(&running, 1).await, &names), ["websocket", "http/1.1", "101", "complete", "-"]);
}

#[tokio::test]
async fn bytes_of_the_gateways_own_responses_are_counted() {
    let origin = Origin::named("a").start().await;
    let running = running(&origin, "h1").await;
    let mut raw = running.raw().await;
    let mut sizes = Vec::new();
    for request in ["GET /own HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"] {
        raw.write(request.as_bytes()).await;
        sizes.push(raw.read_answer().await.unwrap().body.len().to_string());
    }
    assert_eq!(sizes[0], "5");
    for (number, size) in sizes.iter().enumerate() {
        assert_eq!(line(&running, number).await["bytes_out"], *size);
    }
    let mut raw = running.raw().await;
    raw.write(b"HEAD /own HTTP/1.1\r\nHost: h\r\n\r\n").await;
    raw.read_head().await.unwrap();
    assert_eq!(line(&running, 2).await["bytes_out"], "0", "a head alone");
}
