//! The two ends that these cases are made of, without a gateway between them.

use hyper::header::HeaderValue;
use hyper::{HeaderMap, Request};
use tidegate_tests::{Ca, Ending, Http2, Origin, Raw, eventually, get, upgrade_request};
use tokio::net::TcpStream;

async fn connect(origin: &Origin) -> Http2 {
    Http2::new(Box::new(TcpStream::connect(origin.address()).await.unwrap())).await
}

#[tokio::test]
async fn requests_with_bodies_and_trailers_go_both_ways() {
    let origin = Origin::named("a").http2().start().await;
    let mut client = connect(&origin).await;

    let seen = client.send(get("/one?two=3")).await.seen();
    let (authority, scheme) = (seen.authority.as_deref(), seen.scheme.as_deref());
    assert_eq!((seen.version.as_str(), seen.target.as_str()), ("HTTP/2.0", "/one?two=3"));
    assert_eq!((authority, scheme, seen.header("host")), (Some("gateway.test"), Some("http"), None));

    let mut exchange = client.begin(Request::post("/mirror").header("host", "h").body(()).unwrap()).await;
    assert_eq!(exchange.head().await.unwrap().status(), 200, "before there is a body");
    for piece in ["one", "two"] {
        exchange.write(piece).await;
        assert_eq!(exchange.read(3).await.unwrap(), piece.as_bytes());
    }
    exchange.finish_with(HeaderMap::from_iter([("x-check".parse().unwrap(), HeaderValue::from_static("yes"))]));
    assert_eq!(exchange.rest().await.unwrap().trailers["x-check"], "yes");
}

#[tokio::test]
async fn websockets_are_opened_by_extended_connect_where_it_is_announced() {
    let origin = Origin::named("a").http2().start().await;
    let mut client = connect(&origin).await;

    let mut websocket = client.websocket("/chat").await;
    websocket.echo("x".repeat(200_000)).await;
    websocket.close().await;

    let seen = origin.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.protocol.as_deref()), ("CONNECT", Some("websocket")));
    assert_eq!(seen.header("sec-websocket-key"), None);
    eventually("the end", || origin.endings() == [Ending::Closed(None)]).await;

    let silent = Origin::named("b").http2_without_connect().start().await;
    let mut client = connect(&silent).await;
    assert!(client.try_connect(upgrade_request("/")).await.is_err());
    assert_eq!(client.frames().settings().get(&8), None);
}

#[tokio::test]
async fn ends_are_told_apart() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::named("a").http2().tunnelling(move |mut raw: Raw| {
        let ended = ended.clone();
        async move { ended.send(raw.ends_properly().await).unwrap() }
    });
    let origin = origin.start().await;
    let mut client = connect(&origin).await;

    let (_head, mut reset) = client.try_connect(upgrade_request("/")).await.unwrap();
    reset.reset(h2::Reason::CANCEL);
    assert_eq!(ends.recv().await, Some(false), "RST_STREAM");

    let (_head, finished) = client.try_connect(upgrade_request("/")).await.unwrap();
    let mut finished = Raw::new(Box::new(finished));
    finished.finish().await;
    assert_eq!(ends.recv().await, Some(true), "END_STREAM");
}

#[tokio::test]
async fn an_endpoint_that_leaves_says_so_and_finishes() {
    let origin = Origin::named("a").http2().start().await;
    let mut client = connect(&origin).await;
    let mut websocket = client.websocket("/").await;

    origin.go_away();
    eventually("GOAWAY", || !client.frames().goaways().is_empty()).await;
    websocket.echo("still here").await;

    assert_eq!(client.frames().goaways()[0].1, h2::Reason::NO_ERROR);
    websocket.close().await;
    eventually("the end of the connection", || client.is_closed()).await;
}

#[tokio::test]
async fn alpn_chooses() {
    let ca = Ca::new();
    let origin = Origin::named("a").tls(&ca.issue(&["localhost"])).http2().http1_too().start().await;
    for (versions, expected) in [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1")] {
        let io = TcpStream::connect(origin.address()).await.unwrap();
        let (io, chosen) = ca.connect(versions, "localhost", io).await.unwrap();
        let answer = match chosen.as_deref() {
            Some("h2") => Http2::new(io).await.send(get("/")).await,
            _ => tidegate_tests::Http::new(io).await.send(get("/")).await,
        };
        assert_eq!(answer.seen().version, expected);
    }
}
