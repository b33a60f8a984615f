//! A cluster under a balancer, and what is asked of it.

use tidegate_tests::{Gateway, Origin, Websocket, eventually};

/// A gateway before one origin for each of `members`, which are what an endpoint says besides its URL.
pub(super) struct Balanced {
    pub(super) gateway: Gateway,
    pub(super) origins: Vec<Origin>,
    held: Vec<Websocket>,
}

impl Balanced {
    pub(super) async fn new(members: &[&str]) -> Self {
        Self::by("balancer = \"bybusyness\"", members).await
    }

    /// The same with other lines in its cluster.
    pub(super) async fn by(lines: &str, members: &[&str]) -> Self {
        let mut origins = Vec::new();
        let mut endpoints = String::new();
        for (name, member) in ["a", "b", "c", "d"].iter().zip(members) {
            let origin = Origin::named(name).start().await;
            endpoints.push_str(&format!("{{ url = \"ws://{}\"{member} }},", origin.address()));
            origins.push(origin);
        }
        let text =
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n{lines}\nendpoints = [{endpoints}]\n";
        let gateway = Gateway::configure(text).put("lines", lines).put("endpoints", endpoints).start().await;
        Self { gateway, origins, held: Vec::new() }
    }

    /// Opens a websocket, keeps it, and says at whom.
    pub(super) async fn open(&mut self) -> String {
        let websocket = self.gateway.websocket("/").await;
        let endpoint = websocket.endpoint().to_owned();
        self.held.push(websocket);
        endpoint
    }

    pub(super) async fn hold(&mut self, count: usize) -> String {
        let mut found = String::new();
        for _ in 0..count {
            found += &self.open().await;
        }
        found
    }

    /// Closes one websocket at `name`, and waits until that is counted.
    pub(super) async fn close(&mut self, name: &str) {
        let at = self.held.iter().position(|held| held.endpoint() == name).unwrap();
        self.held.remove(at).close().await;
        self.settled().await;
    }

    /// Sends one request after the other, each after the one before has been counted.
    pub(super) async fn sequence(&mut self, count: usize) -> String {
        let mut found = String::new();
        for _ in 0..count {
            found += self.gateway.get("/").await.header("x-endpoint");
            self.settled().await;
        }
        found
    }

    /// Waits until nothing is counted as busy but what is held here.
    pub(super) async fn settled(&self) {
        let held = u32::try_from(self.held.len()).unwrap();
        eventually("all but the held to be given back", || self.busy().iter().sum::<u32>() == held).await;
    }

    pub(super) fn busy(&self) -> Vec<u32> {
        self.origins.iter().map(|origin| self.gateway.in_flight(origin)).collect()
    }

    /// Closes everything, and checks that every count returns to nothing.
    pub(super) async fn finish(mut self) {
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
