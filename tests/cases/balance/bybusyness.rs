//! Apache's choices, tunnel by tunnel.

use tidegate_tests::{Gateway, Origin, Websocket, eventually};

/// A gateway before one origin for each of `members`, which are what an endpoint says besides its URL.
struct Balanced {
    gateway: Gateway,
    origins: Vec<Origin>,
    held: Vec<Websocket>,
}

impl Balanced {
    async fn new(members: &[&str]) -> Self {
        let mut origins = Vec::new();
        let mut endpoints = String::new();
        for (name, member) in ["a", "b", "c", "d"].iter().zip(members) {
            let origin = Origin::named(name).start().await;
            endpoints.push_str(&format!("{{ url = \"ws://{}\"{member} }},", origin.address()));
            origins.push(origin);
        }
        let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [{endpoints}]\n";
        let gateway = Gateway::configure(text).put("endpoints", endpoints).start().await;
        Self { gateway, origins, held: Vec::new() }
    }

    /// Opens a websocket, keeps it, and says at whom.
    async fn open(&mut self) -> String {
        let websocket = self.gateway.websocket("/").await;
        let endpoint = websocket.endpoint().to_owned();
        self.held.push(websocket);
        endpoint
    }

    async fn hold(&mut self, count: usize) -> String {
        let mut found = String::new();
        for _ in 0..count {
            found += &self.open().await;
        }
        found
    }

    /// Closes one websocket at `name`, and waits until that is counted.
    async fn close(&mut self, name: &str) {
        let at = self.held.iter().position(|held| held.endpoint() == name).unwrap();
        self.held.remove(at).close().await;
        self.settled().await;
    }

    /// Sends one request after the other, each after the one before has been counted.
    async fn sequence(&mut self, count: usize) -> String {
        let mut found = String::new();
        for _ in 0..count {
            found += self.gateway.get("/").await.header("x-endpoint");
            self.settled().await;
        }
        found
    }

    /// Waits until nothing is counted as busy but what is held here.
    async fn settled(&self) {
        let held = u32::try_from(self.held.len()).unwrap();
        eventually("all but the held to be given back", || self.busy().iter().sum::<u32>() == held).await;
    }

    fn busy(&self) -> Vec<u32> {
        self.origins.iter().map(|origin| self.gateway.in_flight(origin)).collect()
    }

    /// Closes everything, and checks that every count returns to nothing.
    async fn finish(mut self) {
        let picks: u64 = self.origins.iter().map(|origin| self.gateway.picks(origin)).sum();
        let requests: usize = self.origins.iter().map(|origin| origin.seen().len()).sum();
        assert_eq!(picks, requests as u64, "each pick was one request");
        for websocket in self.held.drain(..) {
            websocket.close().await;
        }
        eventually("every endpoint to be given back", || self.busy().iter().all(|busy| *busy == 0)).await;
        assert!(self.gateway.metric("tidegate_tunnels_open") == 0.0);
    }
}

#[tokio::test]
async fn held_tunnels_spread_as_in_apache() {
    for (members, expected) in [
        (&["", ""][..], "abababab"),
        (&[", weight = 1", ", weight = 3"], "babababa"),
        (&["", "", ", state = \"spare\""], "abababab"),
        (&["", ", state = \"maint\"", ", state = \"spare\""], "acacacac"),
        (&["", ", state = \"drain\"", ", state = \"spare\""], "acacacac"),
        (&[", state = \"maint\"", ", state = \"maint\"", ", state = \"standby\""], "cccccccc"),
        (&["", "", "", ""], "abcdabcd"),
        (&[", group = 1", ", group = 1", ""], "cccc"),
    ] {
        let mut cluster = Balanced::new(members).await;

        let found = cluster.hold(expected.len()).await;

        assert_eq!(found, expected, "{members:?}");
        for (origin, busy) in cluster.origins.iter().zip(cluster.busy()) {
            let held = expected.matches(origin.name()).count();
            assert_eq!(busy as usize, held, "an open tunnel weighs on {}", origin.name());
            assert_eq!(origin.open(), held);
        }
        cluster.finish().await;
    }
}

#[tokio::test]
async fn requests_after_held_tunnels_follow_apache() {
    for (members, held, then) in
        [(["", ""], "abababab", "abababab"), ([", weight = 1", ", weight = 3"], "babababa", "bbbbbbbb")]
    {
        let mut cluster = Balanced::new(&members).await;

        let holding = cluster.hold(held.len()).await;
        let following = cluster.sequence(then.len()).await;

        assert_eq!((holding.as_str(), following.as_str()), (held, then), "{members:?}");
        cluster.finish().await;
    }
}

#[tokio::test]
async fn tunnels_that_come_and_go_follow_apache() {
    let mut cluster = Balanced::new(&["", "", ""]).await;

    for step in "+a +b +c +a -b +b -a -a +a +c".split(' ') {
        match step.split_at(1) {
            ("+", name) => assert_eq!(cluster.open().await, name, "at {step}"),
            (_, name) => cluster.close(name).await,
        }
    }

    assert_eq!(cluster.busy(), [1, 1, 2]);
    cluster.finish().await;
}

#[tokio::test]
async fn a_burst_spreads_evenly() {
    let cluster = Balanced::new(&["", "", "", ""]).await;

    let opening = (0..100).map(|_| cluster.gateway.websocket("/"));
    let held = futures_util::future::join_all(opening).await;

    assert_eq!(cluster.busy(), [25, 25, 25, 25], "choosing and counting are one step");
    drop(held);
    cluster.finish().await;
}

#[tokio::test]
async fn requests_and_tunnels_count_alike() {
    let mut cluster = Balanced::new(&["", ""]).await;
    assert_eq!(cluster.hold(1).await, "a");

    let following = cluster.sequence(5).await;

    assert_eq!(following, "bbbbb", "a holds a tunnel, b holds nothing between requests");
    cluster.finish().await;
}
