//! A thousand tunnels through everything that can be changed, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use futures_util::future::join_all;
use tidegate_tests::guests::FEEDBACK;
use tidegate_tests::{Ca, Gateway, Origin, Websocket, eventually};

use crate::running::{allow_files, guest, held, plain, replace, websocket};

/// Tunnels; half of them through TLS.
const TUNNELS: usize = 1000;

/// Swaps, reloads, renewals, refusals and rollbacks. `TIDEGATE_SWAPS` asks for more.
const SWAPS: usize = 200;

/// Clients that each drive their share of the tunnels.
const CLIENTS: usize = 8;

const TEXT: &str = r#"
[[listen]]
address = "127.0.0.1:0"
tls = { certificate = "cert.pem", key = "cert-key.pem" }
[[listen]]
address = "127.0.0.1:0"
[[route]]
path = "/version"
respond = { status = 200, body = "{version}" }
[[route]]
path = "/"
to = "balancer://pair"
[cluster.pair]
balancer = "mine"
endpoints = ["ws://{a}", "ws://{b}"]
[plugin.mine]
file = "mine.wasm"
"#;

/// What is done, over and over.
#[derive(Clone, Copy, Debug)]
enum Change {
    Plugin(&'static str),
    PluginConfig,
    Configuration,
    Certificate,
    Cluster,
    Rollback,
    RefusedPlugin(&'static str),
    RefusedConfiguration,
    RefusedCertificate,
}

const CHANGES: [Change; 16] = [
    Change::Plugin("first"),
    Change::Configuration,
    Change::RefusedPlugin("picky"),
    Change::Plugin("rotate"),
    Change::Certificate,
    Change::Rollback,
    Change::Plugin("feedback"),
    Change::RefusedConfiguration,
    Change::PluginConfig,
    Change::Cluster,
    Change::RefusedPlugin("router-trap"),
    Change::Rollback,
    Change::Plugin("last"),
    Change::RefusedCertificate,
    Change::Certificate,
    Change::Configuration,
];

#[tokio::test]
async fn a_thousand_tunnels_survive_two_hundred_swaps_with_every_byte_and_count() {
    allow_files(4 * TUNNELS as u64 + 1000);
    let swaps = std::env::var("TIDEGATE_SWAPS").map_or(SWAPS, |text| text.parse::<usize>().unwrap().max(SWAPS));
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let ca = Ca::new();
    let setup = Gateway::configure(TEXT).origin(&a).origin(&b).put("version", 0);
    let mut gateway = setup.file("mine.wasm", FEEDBACK).tls(&ca, &["localhost"]).start().await;

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

/// What the files say now, and everything that ever was live.
struct Storm<'a> {
    ca: &'a Ca,
    text: String,
    plugin: Vec<u8>,
    generations: Vec<std::sync::Weak<tidegate::gateway::Generation>>,
    artifacts: Vec<std::sync::Weak<tidegate::plugin::Artifact>>,
}

impl<'a> Storm<'a> {
    fn new(gateway: &Gateway, ca: &'a Ca) -> Self {
        let (text, plugin) = (TEXT.to_owned(), FEEDBACK.to_vec());
        let mut storm = Self { ca, text, plugin, generations: Vec::new(), artifacts: Vec::new() };
        storm.remember(gateway);
        storm
    }

    async fn apply(&mut self, gateway: &mut Gateway, change: Change, number: usize) {
        let path = gateway.folder().join("mine.wasm");
        let before = gateway.inner().generation().id();
        let mut refused = false;
        match change {
            Change::Plugin("feedback") => self.plugin = FEEDBACK.to_vec(),
            // The comment makes it another file each time: compiled and configured anew.
            Change::Plugin(name) => self.plugin = format!("{}\n;; {number}\n", guest(name)).into_bytes(),
            Change::PluginConfig => {
                let config = format!("file = \"mine.wasm\"\nconfig = {{ number = {number} }}\n");
                self.text = replaced(&self.text, "file = ", "", &config);
            }
            Change::Configuration => {
                let version = format!("respond = {{ status = 200, body = \"{number}\" }}\n");
                self.text = replaced(&self.text, "respond = ", "", &version);
            }
            Change::Cluster => {
                let idle = format!("pool = {{ idle = \"{}s\" }}\nendpoints = ", number + 1);
                self.text = replaced(&self.text, "endpoints = ", "[\"ws://{a}\", \"ws://{b}\"]\n", &idle);
            }
            Change::Certificate => drop(self.ca.issue(&["localhost"]).write(gateway.folder(), "cert")),
            Change::Rollback => {}
            Change::RefusedPlugin(_) | Change::RefusedConfiguration | Change::RefusedCertificate => refused = true,
        }
        match change {
            Change::RefusedPlugin(name) => replace(&path, guest(name).as_bytes()),
            _ => replace(&path, &self.plugin),
        }
        match change {
            Change::RefusedConfiguration => gateway.rewrite(&format!("{}\n[gatway]\n", self.text)),
            _ => gateway.rewrite(&self.text),
        }
        let certificate = gateway.folder().join("cert.pem");
        let kept = std::fs::read(&certificate).unwrap();
        if let Change::RefusedCertificate = change {
            replace(&certificate, b"no certificate");
        }
        let inner = gateway.inner().clone();
        let changing = move || if let Change::Rollback = change { inner.rollback() } else { inner.reload() };
        let changed = tokio::task::spawn_blocking(changing).await.unwrap();
        replace(&certificate, &kept);
        assert_eq!(changed.is_err(), refused, "{number}: {change:?}: {changed:?}");
        let after = gateway.inner().generation().id();
        assert_eq!(after == before, refused, "{number}: {change:?}: generation {before} became {after}");
        self.remember(gateway);
    }

    fn remember(&mut self, gateway: &Gateway) {
        let generation = gateway.inner().generation();
        if self.generations.iter().any(|known| known.as_ptr() == Arc::as_ptr(&generation)) {
            return;
        }
        self.artifacts.extend(generation.artifacts().values().map(Arc::downgrade));
        self.generations.push(Arc::downgrade(&generation));
    }

    /// Generations in memory. Every artifact in memory must belong to one of them.
    fn alive(&self) -> usize {
        let generations: Vec<_> = self.generations.iter().filter_map(std::sync::Weak::upgrade).collect();
        for artifact in self.artifacts.iter().filter_map(std::sync::Weak::upgrade) {
            let mut known = generations.iter().flat_map(|generation| generation.artifacts().values());
            assert!(known.any(|other| Arc::ptr_eq(other, &artifact)), "{artifact:?} has no generation any more");
        }
        generations.len()
    }
}

/// `text` with every line replaced that starts with `start`.
fn replaced(text: &str, start: &str, rest: &str, new: &str) -> String {
    let new = format!("{new}{rest}");
    let lines = text.lines().filter(|line| !line.starts_with("config = ") && !line.starts_with("pool = "));
    lines.map(|line| if line.starts_with(start) { new.clone() } else { format!("{line}\n") }).collect()
}
