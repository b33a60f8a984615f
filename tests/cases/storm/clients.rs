//! Who is there while it storms: holders of tunnels, and senders of requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{Answer, Http, Websocket, upgrade_request};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::Kills;
use super::world::is_mortal;
use crate::running::plain;

/// How much of a storm.
pub(super) struct Size {
    pub(super) tunnels: usize,
    pub(super) requests_per_second: u32,
    pub(super) events: usize,
    /// Requests that are answered between two events, at least.
    pub(super) requests_between: usize,
}

/// Tasks that hold tunnels, and tasks that send requests.
const HOLDERS: usize = 8;
const SENDERS: u32 = 10;

/// Of each other cluster in turn.
const PATHS: [&str; 2] = ["/pool", "/named"];

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) answered: usize,
    /// POSTs that may have been acted on by an endpoint that was killed.
    pub(super) broken: usize,
    /// Tunnels that were opened anew because their endpoint was killed.
    pub(super) reopened: usize,
    /// What must not have happened.
    pub(super) lost: Vec<String>,
}

struct Shared {
    address: SocketAddr,
    kills: Kills,
    stop: AtomicBool,
    answered: AtomicUsize,
    told: Mutex<Told>,
}

pub(super) struct Clients {
    shared: Arc<Shared>,
    holders: Vec<JoinHandle<Vec<Websocket>>>,
    senders: Vec<JoinHandle<()>>,
}

impl Clients {
    /// All tunnels are open when it returns.
    pub(super) async fn start(size: &Size, address: SocketAddr, kills: &Kills) -> Self {
        let shared = Arc::new(Shared {
            address,
            kills: kills.clone(),
            stop: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
            told: Mutex::default(),
        });
        let mut holders = Vec::new();
        for _ in 0..HOLDERS {
            let mut tunnels = Vec::new();
            for number in 0..size.tunnels / HOLDERS {
                tunnels.push(shared.open(PATHS[number % 2]).await);
            }
            holders.push(tokio::spawn(shared.clone().hold(tunnels)));
        }
        let every = Duration::from_secs(1) * SENDERS / size.requests_per_second;
        let senders = (0..SENDERS).map(|sender| tokio::spawn(shared.clone().ask(sender, every))).collect();
        Self { shared, holders, senders }
    }

    pub(super) fn answered(&self) -> usize {
        self.shared.answered.load(SeqCst)
    }

    /// The tunnels, and what became of everything.
    pub(super) async fn stop(self) -> (Vec<Websocket>, Told) {
        self.shared.stop.store(true, SeqCst);
        for sender in self.senders {
            sender.await.unwrap();
        }
        let mut tunnels = Vec::new();
        for holder in self.holders {
            tunnels.extend(holder.await.unwrap());
        }
        let answered = self.shared.answered.load(SeqCst);
        let told = Told { answered, ..std::mem::take(&mut *self.shared.told.lock().unwrap()) };
        (tunnels, told)
    }
}

impl Shared {
    fn is_on(&self) -> bool {
        !self.stop.load(SeqCst)
    }

    fn lost(&self, what: String) {
        self.told.lock().unwrap().lost.push(what);
    }

    /// A tunnel. Opening one can always be served; that its endpoint is killed right after the 101 is another matter.
    async fn open(&self, path: &str) -> Websocket {
        loop {
            match Websocket::open(plain(self.address).await, upgrade_request(path)).await {
                Ok(mut tunnel) => {
                    let greeting = Message::text(format!("hello from {}", tunnel.endpoint()));
                    match tunnel.next().await {
                        Some(message) if message == greeting => return tunnel,
                        None if is_mortal(tunnel.endpoint()) => {}
                        other => self.lost(format!("{} greeted with {other:?}", tunnel.endpoint())),
                    }
                }
                Err(error) => self.lost(format!("no tunnel on {path}: {error:?}")),
            }
        }
    }

    /// Echoes through every tunnel, round after round, and one more round at the end. A fifth of them is closed and opened
    /// again after each.
    async fn hold(self: Arc<Self>, mut tunnels: Vec<Websocket>) -> Vec<Websocket> {
        let mut last = false;
        for round in 0_usize.. {
            for (number, tunnel) in tunnels.iter_mut().enumerate() {
                while !tunnel.try_echo(payload(number, round)).await {
                    if is_mortal(tunnel.endpoint()) {
                        self.told.lock().unwrap().reopened += 1;
                    } else {
                        self.lost(format!("a tunnel to {} broke", tunnel.endpoint()));
                    }
                    *tunnel = self.open(PATHS[number % 2]).await;
                }
            }
            if std::mem::replace(&mut last, !self.is_on()) {
                break;
            }
            // Some come and go, so that those who were killed get tunnels again.
            for number in (round % 5..tunnels.len()).step_by(5) {
                let another = self.open(PATHS[number % 2]).await;
                std::mem::replace(&mut tunnels[number], another).close().await;
            }
        }
        tunnels
    }

    /// Sends GETs and POSTs in turn.
    async fn ask(self: Arc<Self>, sender: u32, every: Duration) {
        // Not all at once: some are to be under way whenever something happens.
        let mut clock = tokio::time::interval_at(Instant::now() + every * sender / SENDERS, every);
        let mut http = Http::new(plain(self.address).await).await;
        for number in 0_usize.. {
            clock.tick().await;
            if !self.is_on() {
                break;
            }
            let (method, path) = (["GET", "POST"][number % 2], PATHS[number / 2 % 2]);
            let body = if method == "POST" { format!("post {number} of {sender}") } else { String::new() };
            let request = Request::builder().method(method).uri(path).header("host", "gateway.test");
            let request = request.body(Full::new(Bytes::from(body.clone()))).unwrap();
            let before = self.kills.load(SeqCst);
            let answer = http.try_send(request).await;
            let killed = before % 2 == 1 || self.kills.load(SeqCst) != before;
            match answer {
                Ok(answer) if answer.status == 200 => {
                    if answer.seen().body != body {
                        self.lost(format!("{method} {path} came with another body"));
                    }
                    self.answered.fetch_add(1, SeqCst);
                }
                Ok(Answer { status, .. }) if status == 502 && method == "POST" && killed => {
                    self.told.lock().unwrap().broken += 1;
                    self.answered.fetch_add(1, SeqCst);
                }
                other => self.lost(format!("{method} {path}: {other:?}")),
            }
            if http.is_closed() {
                http = Http::new(plain(self.address).await).await;
            }
        }
    }
}

/// Some bytes that no other tunnel and round of its holder has, of some length below 2 KiB.
fn payload(number: usize, round: usize) -> Vec<u8> {
    let tag = format!("{number}/{round} ");
    tag.bytes().cycle().take(tag.len() + (number * 10_007 + round * 101) % 2000).collect()
}
