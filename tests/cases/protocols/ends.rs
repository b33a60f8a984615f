//! Ends that come from one side.

use std::sync::Arc;

use hyper::Request;
use serde_json::json;
use tidegate_tests::{eventually, upgrade_request};

use super::exchange::Exchange;
use super::requests::version;
use super::table::Pair;
use super::tunnel::Tunnel;
use super::world::{TcpEnd, World};

async fn tunnel(world: &World, pair: Pair, path: &str, end: TcpEnd, order: &str) -> Tunnel {
    let target = World::target(pair, "-bytes", path);
    Tunnel::ordered(world, pair.client, upgrade_request(&target), end, order).await
}

pub(super) async fn client_gone(world: Arc<World>, pair: Pair) {
    // A reset: RST_STREAM on a connection that lives on, or a TCP RST.
    let order = format!("echo reset {}", pair.name());
    let mut broken = tunnel(&world, pair, "/reset", TcpEnd::Reset, &order).await;
    broken.raw.write(b"there").await;
    assert_eq!(broken.raw.read(5).await, b"there");
    let Tunnel { raw, connection, .. } = broken;
    drop(raw);
    let report = world.report(&order).await;
    assert!(!report.is_whole, "a reset is no end: {report:?}");
    assert!(connection.is_none_or(|connection| !connection.is_closed()), "other streams live on");

    // The connection ends, and no more is said. HTTP/1.1 has said with the FIN that this was all; HTTP/2 has not.
    let order = format!("echo cut {}", pair.name());
    let mut cut = tunnel(&world, pair, "/cut", TcpEnd::Finish, &order).await;
    cut.raw.write(b"there").await;
    assert_eq!(cut.raw.read(5).await, b"there");
    drop(cut);
    let report = world.report(&order).await;
    assert_eq!(report.bytes, b"there");
    if pair.client.is_http2() {
        assert!(!report.is_whole, "no END_STREAM is no end: {report:?}");
    }

    // Amid a request.
    let target = World::target(pair, "", "/mirror");
    let request = Request::post(&target).header("host", "gateway.test").body(()).unwrap();
    let mut exchange = Exchange::begin(&world, pair.client, request).await;
    exchange.write("half").await;
    exchange.head().await;
    assert_eq!(exchange.read(4).await, b"half");
    drop(exchange);
    let origin = &world.ends(pair).messages;
    eventually("the endpoint to see the body of each client break off", || origin.broken() == pair.clients()).await;
    let expected = json!({ "status": 200, "bytes_out": 4, "protocol": version(pair) });
    world.has_line(&target, expected).await;
}

pub(super) async fn endpoint_gone(world: Arc<World>, pair: Pair) {
    // Of a tunnel. A connection of HTTP/1.1 ends in stages, so that the endpoint's last words are read: without a Close
    // frame (RFC 6455 §7.1.5). A stream is reset, and has no last words to lose.
    let mut left = tunnel(&world, pair, "/left", TcpEnd::Finish, "leave").await;
    match left.connection {
        None => assert_eq!(left.raw.read_to_end().await, b"", "the end, and no Close frame that nobody sent"),
        Some(_) => assert!(!left.raw.ends_properly().await, "a reset is no end"),
    }
    let expected = json!({ "kind": "tunnel", "protocol": "websocket", "ending": "endpoint-gone", "bytes_out": 0 });
    world.has_line(&World::target(pair, "-bytes", "/left"), expected).await;
    if let Some(connection) = left.connection {
        assert!(!connection.is_closed() && connection.frames().goaways().is_empty(), "its other streams live on");
        assert_eq!(connection.frames().resets().len(), 1);
    }

    // Amid a response.
    let target = World::target(pair, "", "/torn");
    let request = Request::post(&target).header("host", "gateway.test").body(()).unwrap();
    let mut exchange = Exchange::begin(&world, pair.client, request).await;
    exchange.write("half of it").await;
    assert_eq!(exchange.head().await.status(), 200);
    assert_eq!(exchange.read(10).await, b"half of it");
    exchange.finish(hyper::HeaderMap::new());
    let rest = exchange.rest().await;
    assert!(rest.is_err(), "half a response must not look whole: {rest:?}");
    let expected = json!({ "status": 200, "ending": "endpoint-gone", "bytes_out": 10 });
    world.has_line(&target, expected).await;
}

pub(super) async fn half_close(world: Arc<World>, pair: Pair) {
    // The client first: the endpoint may go on.
    let order = format!("count {}", pair.name());
    let mut counted = tunnel(&world, pair, "/count", TcpEnd::Finish, &order).await;
    counted.raw.write(&[7; 50_000]).await;
    counted.raw.finish().await;
    assert_eq!(counted.raw.read(11).await, b"50000 bytes");
    assert!(counted.raw.ends_properly().await, "then the endpoint ends too");
    let report = world.report(&order).await;
    assert!(report.is_whole && report.bytes == [7; 50_000], "{} bytes", report.bytes.len());
    world.has_line(&World::target(pair, "-bytes", "/count"), json!({ "ending": "complete", "bytes_out": 11 })).await;

    // The endpoint first: the client may go on.
    let order = format!("finish {}", pair.name());
    let mut finished = tunnel(&world, pair, "/finish", TcpEnd::Finish, &order).await;
    assert!(finished.raw.ends_properly().await, "the endpoint has no more to say");
    finished.raw.write(b"but we have").await;
    finished.raw.finish().await;
    let report = world.report(&order).await;
    assert!(report.is_whole && report.bytes == b"but we have", "{report:?}");
}
