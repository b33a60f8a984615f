//! Requests and their responses.

use std::sync::Arc;

use hyper::header::HeaderValue;
use hyper::{HeaderMap, Request};
use serde_json::json;
use tidegate_tests::Seen;

use super::exchange::Exchange;
use super::table::Pair;
use super::world::World;

/// Of pieces of bodies: larger than a frame, smaller than a window.
const PIECE: usize = 20_000;

fn post(target: &str) -> Request<()> {
    Request::post(target).header("host", "gateway.test").body(()).unwrap()
}

/// What access lines call the version that the client speaks.
pub(super) fn version(pair: Pair) -> &'static str {
    if pair.client.is_http2() { "http/2" } else { "http/1.1" }
}

pub(super) async fn whole(world: Arc<World>, pair: Pair) {
    let target = World::target(pair, "", "/whole");
    let body = "whole ".repeat(PIECE);

    let mut exchange = Exchange::begin(&world, pair.client, post(&target)).await;
    exchange.write(body.clone()).await;
    exchange.finish(HeaderMap::new());
    let head = exchange.head().await;
    let rest = exchange.rest().await.unwrap();

    let seen: Seen = serde_json::from_slice(&rest.bytes).unwrap();
    let expected = if pair.endpoint.is_http2() { "HTTP/2.0" } else { "HTTP/1.1" };
    assert_eq!((head.status().as_u16(), seen.version.as_str()), (200, expected));
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", format!("/whole?cell={}", pair.name()).as_str()));
    assert!(seen.body == body, "{} bytes of {}", seen.body.len(), body.len());
    assert_eq!(head.headers()["x-endpoint"], pair.endpoint.name());
    assert_eq!(seen.header("x-forwarded-proto"), Some(if pair.client.is_tls() { "https" } else { "http" }));
    world
        .has_line(
            &target,
            json!({
                "kind": "request", "protocol": version(pair), "method": "POST", "host": "gateway.test", "status": 200,
                "attempts": 1, "bytes_in": body.len(), "bytes_out": rest.bytes.len(), "cluster": pair.endpoint.name(),
            }),
        )
        .await;
}

pub(super) async fn streaming(world: Arc<World>, pair: Pair) {
    let target = World::target(pair, "", "/mirror");

    let mut exchange = Exchange::begin(&world, pair.client, post(&target)).await;
    assert_eq!(exchange.head().await.status(), 200, "before there is a body");
    for number in 0..8 {
        let piece = vec![number; PIECE];
        exchange.write(piece.clone()).await;
        assert!(exchange.read(PIECE).await == piece, "piece {number} comes back before there is another");
    }
    exchange.finish(HeaderMap::new());
    let rest = exchange.rest().await.unwrap();

    assert!(rest.bytes.is_empty() && rest.trailers.is_empty(), "{rest:?}");
    let expected = json!({ "status": 200, "bytes_in": 8 * PIECE, "bytes_out": 8 * PIECE, "protocol": version(pair) });
    world.has_line(&target, expected).await;
}

pub(super) async fn trailers(world: Arc<World>, pair: Pair) {
    let target = World::target(pair, "", "/mirror");
    let mut request = post(&target);
    for (name, value) in [("te", "trailers"), ("trailer", "x-check"), ("connection", "te")] {
        if name != "connection" || !pair.client.is_http2() {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }

    let mut exchange = Exchange::begin(&world, pair.client, request).await;
    exchange.write("before it").await;
    exchange.finish(HeaderMap::from_iter([("x-check".parse().unwrap(), HeaderValue::from_static("sum"))]));
    let head = exchange.head().await;
    let rest = exchange.rest().await.unwrap();

    assert_eq!((head.status().as_u16(), rest.bytes.as_slice()), (200, &b"before it"[..]));
    assert_eq!(rest.trailers.get("x-check").map(HeaderValue::as_bytes), Some(&b"sum"[..]), "{head:?} {rest:?}");
    world.has_line(&target, json!({ "status": 200, "bytes_out": 9 })).await;
}
