//! Websockets: opened, refused, not to be had.

use std::sync::Arc;

use hyper::Request;
use hyper::header::HeaderValue;
use serde_json::json;
use tidegate_tests::{Websocket, upgrade_request};

use super::requests::version;
use super::table::{Endpoint, Pair};
use super::tunnel::{Refusal, Tunnel};
use super::world::{TcpEnd, World, order};

/// What browsers offer.
const DEFLATE: &str = "permessage-deflate; client_max_window_bits";

fn with(target: &str, fields: &[(&'static str, &'static str)]) -> Request<()> {
    let mut request = upgrade_request(target);
    for (name, value) in fields {
        request.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    request
}

/// A websocket of messages on a connection of its own, greeted by its origin.
pub(super) async fn websocket(world: &World, pair: Pair, request: Request<()>) -> Websocket {
    let opened = if pair.client.is_http2() {
        world.http2(pair.client).await.try_websocket(request).await
    } else {
        Websocket::open(world.connect(pair.client, TcpEnd::Finish).await, request).await
    };
    opened.unwrap_or_else(|error| panic!("{error:?}")).greeted().await
}

pub(super) async fn opens(world: Arc<World>, pair: Pair) {
    let target = World::target(pair, "", "/chat");
    let request = with(&target, &[("sec-websocket-protocol", "chat.v2, chat.v1"), ("cookie", "a=b")]);
    let mut websocket = websocket(&world, pair, request).await;
    for size in [0, 125, 126, 65_535, 65_536, 300_000] {
        websocket.echo("t".repeat(size)).await;
        websocket.echo(vec![7; size]).await;
    }
    assert_eq!(websocket.headers()["sec-websocket-protocol"], "chat.v2");
    for name in ["connection", "upgrade", "sec-websocket-accept"] {
        assert_eq!(websocket.headers().contains_key(name), !pair.client.is_http2(), "{name}");
    }
    websocket.close().await;

    let seen = world.ends(pair).messages.seen();
    let seen = seen.iter().find(|seen| seen.target == format!("/chat?cell={}", pair.name())).unwrap();
    assert_eq!(seen.header("sec-websocket-protocol"), Some("chat.v2, chat.v1"));
    assert_eq!((seen.header("sec-websocket-version"), seen.header("cookie")), (Some("13"), Some("a=b")));
    let expected = if pair.endpoint.is_http2() { ("CONNECT", Some("websocket")) } else { ("GET", None) };
    assert_eq!((seen.method.as_str(), seen.protocol.as_deref()), expected);
    for name in ["connection", "upgrade", "sec-websocket-key"] {
        assert_eq!(seen.header(name).is_some(), !pair.endpoint.is_http2(), "{name} at the endpoint: {seen:?}");
    }
    let expected = json!({ "kind": "tunnel", "protocol": "websocket", "ending": "complete", "attempts": 1 });
    world.has_line(&target, expected).await;

    compressed(&world, pair).await;
}

/// An offer of permessage-deflate, what is chosen of it, and compressed frames pass untouched.
async fn compressed(world: &World, pair: Pair) {
    let target = World::target(pair, "-bytes", "/deflate");
    let name = format!("echo {}", pair.name());
    let request = with(&target, &[("sec-websocket-extensions", DEFLATE)]);
    let mut tunnel = Tunnel::open(world, pair.client, request, TcpEnd::Finish).await.expect("a tunnel");
    tunnel.raw.write(&order(&name)).await;

    // "Hello", compressed (RFC 7692 §7.2.3.1), its mask zero.
    let frame = [0xc1, 0x87, 0, 0, 0, 0, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    tunnel.raw.write(&frame).await;
    assert_eq!(tunnel.raw.read(frame.len()).await, frame);
    tunnel.raw.finish().await;
    assert!(tunnel.raw.ends_properly().await, "the endpoint ends after us");

    assert_eq!(tunnel.headers["sec-websocket-extensions"], "permessage-deflate");
    let seen = world.ends(pair).bytes.seen();
    let seen = seen.iter().find(|seen| seen.target.contains(&pair.name())).unwrap();
    assert_eq!(seen.header("sec-websocket-extensions"), Some(DEFLATE));
}

pub(super) async fn refused(world: Arc<World>, pair: Pair) {
    let target = World::target(pair, "", "/refused");

    let refusal = refusal(&world, pair, &target).await;

    assert_eq!((refusal.status.as_u16(), refusal.body.as_ref()), (403, &b"no"[..]));
    assert_eq!(refusal.headers["x-reason"], "test");
    let expected = json!({ "kind": "request", "status": 403, "bytes_out": 2, "protocol": version(pair) });
    world.has_line(&target, expected).await;
}

async fn refusal(world: &World, pair: Pair, target: &str) -> Refusal {
    match Tunnel::open(world, pair.client, upgrade_request(target), TcpEnd::Finish).await {
        Err(refusal) => refusal,
        Ok(_opened) => panic!("it was opened"),
    }
}

pub(super) async fn unannounced(world: Arc<World>, pair: Pair) {
    let target = World::target(pair, "-unannounced", "/chat");
    match pair.endpoint {
        Endpoint::Http1 | Endpoint::Http1Tls => {
            let refusal = refusal(&world, pair, &target).await;
            assert_eq!((refusal.status.as_u16(), refusal.body.as_ref()), (403, &b"none here"[..]));
        }
        Endpoint::Http2 | Endpoint::Http2Tls => {
            let refusal = refusal(&world, pair, &target).await;
            assert!(refusal.status.is_server_error(), "{refusal:?}");
            assert!(world.ends(pair).unannounced.seen().is_empty(), "nothing is sent that it has not announced");
        }
        Endpoint::Auto => {
            let mut websocket = websocket(&world, pair, upgrade_request(&target)).await;
            websocket.echo("over HTTP/1.1").await;
            websocket.close().await;
            let seen = world.ends(pair).unannounced.seen();
            assert!(seen.iter().all(|seen| seen.version == "HTTP/1.1"), "{seen:?}");
        }
    }
}
