//! What happens to the gateway while requests and tunnels are open.

use std::sync::Arc;

use h2::Reason;
use hyper::{HeaderMap, Request};
use serde_json::json;
use tidegate_tests::{Ending, Websocket, eventually, upgrade_request};

use super::exchange::Exchange;
use super::table::{Endpoint, Pair};
use super::upgrades::websocket;
use super::world::World;
use crate::running::{guest, reload as read_again, replace};

/// A websocket and a request, both half done.
async fn open(world: &World, pair: Pair) -> (Websocket, Exchange) {
    let mut open = websocket(world, pair, upgrade_request(&World::target(pair, "", "/open"))).await;
    open.echo("before").await;
    let request = Request::post(World::target(pair, "", "/mirror")).header("host", "gateway.test").body(()).unwrap();
    let mut exchange = Exchange::begin(world, pair.client, request).await;
    exchange.write("before ").await;
    assert_eq!(exchange.head().await.status(), 200);
    assert_eq!(exchange.read(7).await, b"before ");
    (open, exchange)
}

/// What is left of the request.
async fn finish(exchange: &mut Exchange) {
    exchange.write("after").await;
    exchange.finish(HeaderMap::new());
    assert_eq!(exchange.rest().await.expect("the rest of the response").bytes, b"after");
}

pub(super) async fn drain(world: Arc<World>, pair: Pair) {
    let (mut open, mut exchange) = open(&world, pair).await;

    world.together(world.stop()).await;

    assert_eq!(open.ended().await, Some(1001));
    if let Some(connection) = exchange.connection() {
        eventually("GOAWAY", || !connection.frames().goaways().is_empty()).await;
        assert!(connection.frames().goaways().iter().all(|(_, reason)| *reason == Reason::NO_ERROR));
    }
    finish(&mut exchange).await;
    if let Some(connection) = exchange.connection() {
        eventually("the end of the connection", || connection.is_closed()).await;
        assert!(connection.frames().goaways().len() >= 2, "one to warn, one to say what was the last");
    }
    let endings = || world.ends(pair).messages.endings();
    eventually("the endpoint to hear of all of its tunnels", || endings().len() == pair.clients()).await;
    assert!(endings().iter().all(|ending| *ending == Ending::Closed(Some(1001))), "{:?}", endings());
    world.has_line(&World::target(pair, "", "/open"), json!({ "kind": "tunnel", "ending": "drained" })).await;
    world.has_line(&World::target(pair, "", "/mirror"), json!({ "status": 200, "bytes_out": 12 })).await;
    world.together(async { assert_eq!(world.stopped().await.cut, 0, "everybody left by themselves") }).await;
}

pub(super) async fn reload(world: Arc<World>, pair: Pair) {
    let (mut open, mut exchange) = open(&world, pair).await;

    world
        .together(async {
            let file = world.gateway.folder().join("tidegate.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            let more = "[[route]]\npath = \"/another\"\nrespond = { status = 204 }\n";
            replace(&file, format!("{text}{more}").as_bytes());
            read_again(&world.gateway).await;
        })
        .await;

    unharmed(&world, pair, &mut open, &mut exchange).await;
    open.close().await;
}

pub(super) async fn swap(world: Arc<World>, pair: Pair) {
    let (mut open, mut exchange) = open(&world, pair).await;
    let pairs = || Endpoint::ALL.iter().map(|endpoint| Pair { client: pair.client, endpoint: *endpoint });
    let held = || pairs().map(|pair| world.gateway.in_flight(&world.ends(pair).messages));
    // A tunnel and a request of each client.
    let expected: Vec<_> = pairs().map(|pair| 2 * u32::try_from(pair.clients()).unwrap()).collect();

    world
        .together(async {
            assert_eq!(held().collect::<Vec<_>>(), expected, "before");
            let version = world.gateway.inner().generation().id();
            for plugin in ["last", "first", "rotate"] {
                replace(&world.gateway.folder().join("mine.wat"), guest(plugin).as_bytes());
                read_again(&world.gateway).await;
            }
            assert_eq!(world.gateway.inner().generation().id(), version + 3);
            assert_eq!(held().collect::<Vec<_>>(), expected, "after");
        })
        .await;

    unharmed(&world, pair, &mut open, &mut exchange).await;
    open.close().await;
}

/// All goes on as if nothing had happened.
async fn unharmed(world: &World, pair: Pair, open: &mut Websocket, exchange: &mut Exchange) {
    open.echo("after").await;
    finish(exchange).await;
    assert!(exchange.is_kept().await, "another request may follow on the same connection");
    assert!(world.ends(pair).messages.endings().iter().all(|ending| *ending != Ending::Closed(Some(1001))));
    world.has_line(&World::target(pair, "", "/mirror"), json!({ "status": 200, "generation": 1 })).await;
}
