//! A thousand tunnels through everything that can be changed, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use futures_util::future::join_all;
use tidegate_tests::{Ca, Gateway, Origin, Websocket, eventually};

use super::changes::{CHANGES, Storm};
use crate::running::{allow_files, held, plain, websocket};

/// Tunnels; half of them through TLS.
const TUNNELS: usize = 1000;

/// Swaps, reloads, renewals, refusals and rollbacks. `TIDEGATE_SWAPS` asks for more.
const SWAPS: usize = 200;

/// Clients that each drive their share of the tunnels.
const CLIENTS: usize = 8;

#[tokio::test]
async fn a_thousand_tunnels_survive_two_hundred_swaps_with_every_byte_and_count() {
    allow_files(4 * TUNNELS as u64 + 1000);
    let swaps = std::env::var("TIDEGATE_SWAPS").map_or(SWAPS, |text| text.parse::<usize>().unwrap().max(SWAPS));
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let ca = Ca::new();
    let setup = Storm::setup().origin(&a).origin(&b).tls(&ca, &["localhost"]);
    let mut gateway = setup.start().await;

    let tunnels = open(&gateway).await;
    eventually("exact counts", || held(&gateway) == TUNNELS).await;
    assert_eq!((gateway.metric("tidegate_tunnels_open"), a.open() + b.open()), (TUNNELS as f64, TUNNELS));

    let traffic = Traffic::start(tunnels);
    let mut storm = Storm::new(&gateway, &ca);
    for number in 0..swaps {
        let change = CHANGES[number % CHANGES.len()];
        storm.apply(&mut gateway, change, number).await;
        let seen = gateway.get("/").await.seen().endpoint;
        assert!(["a", "b"].contains(&seen.as_str()), "{change:?}: a request between swaps is served");
    }
    assert_eq!(storm.alive(), 2, "only the live generation and the one before may be in memory");
    let (rounds, tunnels) = traffic.stop().await;

    assert!(rounds >= CLIENTS, "payloads must have flowed through every tunnel meanwhile");
    assert_eq!(a.endings().len() + b.endings().len(), 0, "not one tunnel may have closed");
    eventually("exact counts after all of it", || held(&gateway) == TUNNELS).await;
    assert_eq!((gateway.metric("tidegate_tunnels_open"), a.open() + b.open()), (TUNNELS as f64, TUNNELS));

    join_all(tunnels.into_iter().map(Websocket::close)).await;
    eventually("nothing to be held", || held(&gateway) == 0).await;
    eventually("every tunnel to be counted as ended", || gateway.metric("tidegate_tunnels_open") == 0.0).await;
    eventually("every origin to see the end", || a.endings().len() + b.endings().len() == TUNNELS).await;
}

/// Opens the tunnels, TLS and plain in turn, a client's share at a time.
async fn open(gateway: &Gateway) -> Vec<Websocket> {
    let bare = gateway.inner().addresses()[1];
    let mut tunnels = Vec::new();
    while tunnels.len() < TUNNELS {
        let batch = (0..TUNNELS / CLIENTS).map(|number| async move {
            let io = if number % 2 == 0 { gateway.connect().await } else { plain(bare).await };
            websocket(io, "/").await
        });
        tunnels.extend(join_all(batch).await);
    }
    tunnels
}

/// Clients that echo payloads through their tunnels until told to stop.
struct Traffic {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Vec<Websocket>>>,
}

impl Traffic {
    fn start(mut tunnels: Vec<Websocket>) -> Self {
        let (stop, rounds): (Arc<AtomicBool>, Arc<AtomicUsize>) = Default::default();
        let clients = (0..CLIENTS).map(|client| {
            let mut mine = tunnels.split_off(tunnels.len() - TUNNELS / CLIENTS);
            let (stop, rounds) = (stop.clone(), rounds.clone());
            tokio::spawn(async move {
                while !stop.load(Relaxed) {
                    let round = rounds.fetch_add(1, Relaxed);
                    for (number, tunnel) in mine.iter_mut().enumerate() {
                        tunnel.echo(payload(client, number, round)).await;
                    }
                }
                mine
            })
        });
        let clients = clients.collect();
        Self { stop, rounds, clients }
    }

    /// Every client ends a whole round; how many they did, and the tunnels back.
    async fn stop(self) -> (usize, Vec<Websocket>) {
        self.stop.store(true, Relaxed);
        let mut tunnels = Vec::new();
        for client in self.clients {
            tunnels.extend(client.await.expect("every payload comes back as it was sent"));
        }
        (self.rounds.load(Relaxed), tunnels)
    }
}

/// Some bytes that no other tunnel and round has, of some length below 4 KiB.
fn payload(client: usize, number: usize, round: usize) -> Vec<u8> {
    let seed = client * 1_000_003 + number * 10_007 + round * 101;
    let tag = format!("{client}/{number}/{round} ");
    tag.bytes().cycle().take(tag.len() + seed % 4000).collect()
}
