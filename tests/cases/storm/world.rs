//! The gateway, its endpoints, and what happens to them.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tidegate_tests::{Ending, Gateway, Names, Origin, OriginSetup, eventually};

use super::Kills;
use crate::running::reload;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A mortal endpoint is killed.
    Kill(usize),
    /// It starts again where it was.
    Restart(usize),
    /// The configuration is changed and read again: the balancers, weights, and whether the second mortal is a member.
    Reload,
    /// The name gets another two of its three addresses.
    Move,
}

/// In this order, over and over: both mortals are down at once for a while.
pub(super) const EVENTS: [Event; 9] = [
    Event::Kill(0),
    Event::Reload,
    Event::Kill(1),
    Event::Restart(0),
    Event::Move,
    Event::Restart(1),
    Event::Reload,
    Event::Kill(1),
    Event::Restart(1),
];

const BALANCERS: [&str; 5] = ["bybusyness", "least-busy", "byrequests", "peak-ewma", "random"];

/// Addresses of the name; two at a time.
const ADDRESSES: [Ipv4Addr; 3] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];

pub(super) struct World {
    pub(super) gateway: Gateway,
    pub(super) kills: Kills,
    names: Names,
    port: u16,
    /// They stay: two by address, three by name.
    steady: Vec<Origin>,
    /// As they live now, killed or not.
    mortal: Vec<Origin>,
    /// Their former lives.
    dead: Vec<Origin>,
}

/// What an endpoint holds.
pub(super) struct Count {
    pub(super) gateway: usize,
    pub(super) open: usize,
}

impl World {
    pub(super) async fn begin() -> Self {
        let mut steady = vec![endpoint("steady-0").start().await, endpoint("steady-1").start().await];
        let mortal = vec![endpoint("mortal-0").start().await, endpoint("mortal-1").start().await];
        let first = endpoint("named-0").start().await;
        let port = first.address().port();
        steady.push(first);
        for (number, address) in ADDRESSES.into_iter().enumerate().skip(1) {
            steady.push(endpoint(&format!("named-{number}")).at((address, port)).start().await);
        }
        let names = Names::start().await;
        names.addresses("app.test", 1, &ADDRESSES[..2]);
        let mut setup = Gateway::configure(&text(0)).put("dns", names.address()).put("port", port);
        for origin in steady.iter().chain(&mortal) {
            setup = setup.origin(origin);
        }
        let gateway = setup.start().await;
        Self { gateway, kills: Kills::default(), names, port, steady, mortal, dead: Vec::new() }
    }

    pub(super) async fn happen(&mut self, event: Event, number: usize) {
        match event {
            Event::Kill(which) => {
                let origin = &self.mortal[which];
                self.kills.fetch_add(1, SeqCst);
                origin.kill();
                eventually("its websockets to be gone", || origin.open() == 0).await;
                self.kills.fetch_add(1, SeqCst);
            }
            Event::Restart(which) => {
                let address = self.mortal[which].address();
                let again = endpoint(&format!("mortal-{which}")).at(address).start().await;
                self.dead.push(std::mem::replace(&mut self.mortal[which], again));
            }
            Event::Reload => {
                self.gateway.rewrite(&text(number));
                reload(&self.gateway).await;
            }
            Event::Move => {
                let (one, two) = (ADDRESSES[number % 3], ADDRESSES[(number + 1) % 3]);
                self.names.addresses("app.test", 1, &[one, two]);
                let expected = [one, two].map(|address| format!("ws://{address}:{}", self.port));
                eventually("the addresses of the name to be those", || {
                    let members = self.named();
                    members.len() == 2 && expected.iter().all(|url| members.contains(url))
                })
                .await;
            }
        }
    }

    /// Everybody is a member, and lives.
    pub(super) async fn calm(&mut self) {
        self.happen(Event::Reload, 0).await;
    }

    fn named(&self) -> Vec<String> {
        let generation = self.gateway.inner().generation();
        let cluster = generation.config().clusters.iter().find(|cluster| cluster.name == "named").unwrap();
        cluster.endpoints.iter().map(|endpoint| endpoint.url.clone()).collect()
    }

    /// Of each endpoint: what the gateway counts, and what it has itself.
    pub(super) fn counts(&self) -> Vec<Count> {
        let all = self.steady.iter().chain(&self.mortal);
        all.map(|origin| Count { gateway: self.gateway.in_flight(origin) as usize, open: origin.open() }).collect()
    }

    /// Tunnels that those who stayed saw end without a Close frame.
    pub(super) fn cut_from_those_who_stayed(&self) -> usize {
        let endings = self.steady.iter().flat_map(Origin::endings);
        endings.filter(|ending| *ending == Ending::Cut).count()
    }

    /// Bodies of POSTs that came to somebody more than once.
    pub(super) fn posts_seen_twice(&self) -> Vec<String> {
        let mut times: HashMap<String, usize> = HashMap::new();
        for origin in self.steady.iter().chain(&self.mortal).chain(&self.dead) {
            for seen in origin.seen().into_iter().filter(|seen| seen.method == "POST") {
                *times.entry(seen.body).or_default() += 1;
            }
        }
        times.into_iter().filter(|(_, times)| *times > 1).map(|(body, _)| body).collect()
    }
}

fn endpoint(name: &str) -> OriginSetup {
    Origin::named(name).working(Duration::from_millis(20))
}

/// The configuration, another one for each number. The second mortal is left out of every other one but the first.
fn text(number: usize) -> String {
    let balancer = |offset: usize| BALANCERS[(number + offset) % BALANCERS.len()];
    let (weight, second) = (1 + number % 3, if number.is_multiple_of(2) { "\"ws://{mortal-1}\"" } else { "" });
    format!(
        r#"
[gateway]
resolver = ["{{dns}}"]
[[route]]
path = "/pool"
to = "balancer://pool"
[[route]]
path = "/named"
to = "balancer://named"
[cluster.pool]
balancer = "{}"
retry = {{ on = ["connect", "broken"], budget = 1 }}
pause = {{ first = "100ms", longest = "200ms" }}
endpoints = ["ws://{{steady-0}}", {{ url = "ws://{{steady-1}}", weight = {weight} }}, "ws://{{mortal-0}}", {second}]
[cluster.named]
balancer = "{}"
endpoints = ["ws://app.test:{{port}}"]
"#,
        balancer(0),
        balancer(1),
    )
}

/// Where the mortals can be told from the rest, by the name that an endpoint says.
pub(super) fn is_mortal(endpoint: &str) -> bool {
    endpoint.starts_with("mortal")
}
