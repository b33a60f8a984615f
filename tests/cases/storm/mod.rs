//! Everything at once: endpoints that are killed and restarted, reloads, other balancers, names that move, under tunnels
//! that stay and a stream of requests.

mod clients;
mod exact;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use futures_util::future::join_all;
use tidegate_tests::{Websocket, eventually};

use crate::running::{allow_files, held};
use clients::{Clients, Size};
use world::{EVENTS, World};

/// What a build can afford. `TIDEGATE_STORM=1` plays [`LONG`] instead.
const SHORT: Size = Size { tunnels: 200, requests_per_second: 250, events: 36, requests_between: 25 };

/// 2,000 tunnels, 500 requests a second, some minutes.
const LONG: Size = Size { tunnels: 2000, requests_per_second: 500, events: 360, requests_between: 100 };

/// Two endpoints stay, two are killed and restarted over and over, three more are addresses of a name that has two of them
/// at a time. Somebody who can serve is always there, so:
///
/// - every GET is answered with 200, and every upgrade that is asked for succeeds;
/// - every POST is answered with 200, or with 502 if an endpoint was killed while it was under way: that one may have
///   been acted on. No POST comes to two endpoints;
/// - a tunnel breaks only if its endpoint was killed;
/// - what the gateway counts for an endpoint is what that endpoint holds, at the end of it and when all has closed.
#[tokio::test]
async fn kills_restarts_reloads_and_moving_names_lose_nothing_that_could_be_served() {
    let size = if is_long() { LONG } else { SHORT };
    allow_files(5 * size.tunnels as u64 + 1000);
    let mut world = World::begin().await;
    let clients = Clients::start(&size, world.gateway.address(), &world.kills).await;

    for number in 0..size.events {
        let answered = clients.answered();
        world.happen(EVENTS[number % EVENTS.len()], number).await;
        eventually("requests between two events", || clients.answered() >= answered + size.requests_between).await;
    }
    world.calm().await;
    let (tunnels, told) = clients.stop().await;

    assert!(told.lost.is_empty(), "{} were lost that could be served: {:#?}", told.lost.len(), told.lost);
    assert!(told.reopened > 0, "kills must have broken tunnels");
    assert_eq!(tunnels.len(), size.tunnels);
    assert_eq!(world.cut_from_those_who_stayed(), 0, "no tunnel of an endpoint that stayed may have broken");
    assert_eq!(world.posts_seen_twice(), Vec::<String>::new());
    eventually("exact counts under open tunnels", || world.counts().iter().all(|count| count.gateway == count.open))
        .await;
    eventually("exact counts in all", || held(&world.gateway) == size.tunnels).await;

    join_all(tunnels.into_iter().map(Websocket::close)).await;
    eventually("nothing to be held", || held(&world.gateway) == 0).await;
    eventually("every tunnel to be counted as ended", || world.gateway.metric("tidegate_tunnels_open") == 0.0).await;
    eprintln!(
        "{} requests answered, {} POSTs broken off by kills, {} tunnels opened again after {} kills",
        told.answered,
        told.broken,
        told.reopened,
        world.kills.load(SeqCst) / 2
    );
}

/// Whether the long forms are asked for.
fn is_long() -> bool {
    std::env::var_os("TIDEGATE_STORM").is_some()
}

/// Counts kills: odd while one is under way.
type Kills = Arc<std::sync::atomic::AtomicUsize>;
