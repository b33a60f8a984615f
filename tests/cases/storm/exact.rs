//! Random sequences of all that begins and ends a lease, against a model that is compared after each step.

use serde_json::json;
use tidegate_tests::guests::wat;
use tidegate_tests::{Admin, Gateway, Origin, Raw, Websocket, eventually, get, upgrade_request};

use crate::faults::{provoking, provoking_upgrade};
use crate::running::reload;

/// Sequences; `TIDEGATE_STORM=1` plays a hundred times as many.
const SEEDS: u64 = 4;
const STEPS: usize = 60;

/// Endpoints; the first is never killed, drained or removed, so that there is always somebody.
const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A tunnel opens; `true`: the balancer may trap over it.
    Open(bool),
    /// A client closes a tunnel politely.
    Close,
    /// A client is gone, without a word.
    Cut,
    /// A request is answered; `true`: the balancer may trap over it.
    Request(bool),
    /// A request comes to an endpoint that does not answer it.
    Wait,
    /// A client that waits gives up.
    GiveUp,
    /// An endpoint dies with all that it holds: connects to it fail.
    Kill(usize),
    /// It returns.
    Restart(usize),
    /// Another balancer, other weights, with or without the last endpoint.
    Reload(usize),
    /// The operator lets an endpoint run dry, or not any more.
    Drain(usize, bool),
}

struct World {
    gateway: Gateway,
    admin: Admin,
    origins: [Origin; 3],
    alive: [bool; 3],
    /// The model: what is open, and where.
    tunnels: Vec<(usize, Websocket)>,
    waiting: Vec<(usize, Raw)>,
    asked: usize,
}

#[tokio::test]
async fn whatever_begins_and_ends_the_counts_are_those_of_the_model_after_each_step() {
    let seeds = if super::is_long() { 100 * SEEDS } else { SEEDS };
    for seed in 1..=seeds {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut world = World::begin().await;
        let mut steps = Vec::new();
        for _ in 0..STEPS {
            let step = draw(&mut chance);
            steps.push(step);
            world.take(step, &mut chance).await;
            eventually(&format!("exact counts with seed {seed} after {steps:?}"), || world.is_exact()).await;
        }
        world.tunnels.clear();
        world.waiting.clear();
        eventually(&format!("zero with seed {seed} after {steps:?}"), || world.is_exact()).await;
        assert_eq!(world.gateway.metric("tidegate_tunnels_open"), 0.0);
    }
}

fn draw(chance: &mut fastrand::Rng) -> Step {
    let mortal = 1 + chance.usize(..2);
    match chance.u8(..20) {
        0..=4 => Step::Open(chance.bool()),
        5 | 6 => Step::Close,
        7 | 8 => Step::Cut,
        9 | 10 => Step::Request(chance.bool()),
        11 | 12 => Step::Wait,
        13 => Step::GiveUp,
        14 => Step::Kill(mortal),
        15 | 16 => Step::Restart(mortal),
        17 | 18 => Step::Reload(chance.usize(..12)),
        _ => Step::Drain(mortal, chance.bool()),
    }
}

impl World {
    async fn begin() -> Self {
        let mut origins = Vec::new();
        for name in NAMES {
            origins.push(Origin::named(name).start().await);
        }
        let origins: [Origin; 3] = origins.try_into().unwrap();
        let setup = origins.iter().fold(Gateway::configure(&text(0)), |setup, origin| setup.origin(origin));
        let gateway = setup.put("file", format!("{:?}", wat("trap"))).start().await;
        let admin = Admin::of(gateway.inner());
        Self { gateway, admin, origins, alive: [true; 3], tunnels: Vec::new(), waiting: Vec::new(), asked: 0 }
    }

    /// Whether the gateway counts for each endpoint what the model has open there.
    fn is_exact(&self) -> bool {
        self.origins.iter().enumerate().all(|(at, origin)| {
            let tunnels = self.tunnels.iter().filter(|(there, _)| *there == at).count();
            let waiting = self.waiting.iter().filter(|(there, _)| *there == at).count();
            self.gateway.in_flight(origin) as usize == tunnels + waiting
        })
    }

    async fn take(&mut self, step: Step, chance: &mut fastrand::Rng) {
        match step {
            Step::Open(trapping) => {
                let tunnel = self
                    .gateway
                    .try_websocket(if trapping { provoking_upgrade("/") } else { upgrade_request("/") })
                    .await
                    .unwrap();
                let tunnel = tunnel.greeted().await;
                self.tunnels.push((at(tunnel.endpoint()), tunnel));
            }
            Step::Close if !self.tunnels.is_empty() => {
                let (_, tunnel) = self.tunnels.swap_remove(chance.usize(..self.tunnels.len()));
                tunnel.close().await;
            }
            Step::Cut if !self.tunnels.is_empty() => {
                drop(self.tunnels.swap_remove(chance.usize(..self.tunnels.len())));
            }
            Step::Request(trapping) => {
                let answer = self.gateway.send(if trapping { provoking("/") } else { get("/") }).await;
                assert_eq!(answer.status, 200);
            }
            Step::Wait => self.wait().await,
            Step::GiveUp if !self.waiting.is_empty() => {
                drop(self.waiting.swap_remove(chance.usize(..self.waiting.len())));
            }
            Step::Kill(which) => {
                self.origins[which].kill();
                self.alive[which] = false;
                self.tunnels.retain(|(there, _)| *there != which);
                for (_, mut client) in self.waiting.extract_if(.., |(there, _)| *there == which) {
                    // It may have been acted on, so nobody else gets it.
                    assert_eq!(client.read_answer().await.map(|answer| answer.status.as_u16()), Some(502));
                }
            }
            Step::Restart(which) if !self.alive[which] => {
                let address = self.origins[which].address();
                self.origins[which] = Origin::named(NAMES[which]).at(address).start().await;
                self.alive[which] = true;
            }
            Step::Reload(number) => {
                self.gateway.rewrite(&text(number));
                reload(&self.gateway).await;
            }
            Step::Drain(which, drains) => {
                let path = format!("/api/v1/clusters/pool/endpoints?url=ws://{}", self.origins[which].address());
                let state = if drains { "drain" } else { "ready" };
                // 404 if it is no member now.
                let answer = self.admin.send("PATCH", &path, &json!({ "state": state })).await;
                assert!([200, 404].contains(&answer.status.as_u16()), "{answer:?}");
            }
            Step::Close | Step::Cut | Step::GiveUp | Step::Restart(_) => {}
        }
    }

    /// A POST that is never answered, until it has come to an endpoint.
    async fn wait(&mut self) {
        self.asked += 1;
        let body = format!("question {}", self.asked);
        let mut client = self.gateway.raw().await;
        let head = format!("POST /never HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write((head + &body).as_bytes()).await;
        let mut there = None;
        eventually("the question to arrive", || {
            there = self.origins.iter().position(|origin| origin.seen().iter().any(|seen| seen.body == body));
            there.is_some()
        })
        .await;
        self.waiting.push((there.unwrap(), client));
    }
}

fn at(name: &str) -> usize {
    NAMES.iter().position(|known| *known == name).unwrap()
}

/// The configuration, another one for each number up to 12.
fn text(number: usize) -> String {
    let balancer = ["bybusyness", "trap", "least-busy", "peak-ewma"][number % 4];
    let last = if number % 3 == 1 { "" } else { "\"ws://{c}\"" };
    let weight = 1 + number % 2;
    format!(
        "[admin]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
         [plugin.trap]\nfile = {{file}}\n[cluster.pool]\nbalancer = \"{balancer}\"\npause = {{ first = \"10ms\", longest = \"10ms\" }}\n\
         endpoints = [\"ws://{{a}}\", {{ url = \"ws://{{b}}\", weight = {weight} }}, {last}]\n"
    )
}
