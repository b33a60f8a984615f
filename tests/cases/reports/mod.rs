//! Load that endpoints report, from the wire to the choice of a balancer that goes by it.

mod asked;
mod hostile;
mod sources;
mod upgrades;

use std::net::SocketAddr;
use std::sync::Mutex;

use serde_json::{Value, json};
use tidegate_tests::guests::wat;
use tidegate_tests::{Gateway, Origin, Raw, eventually};
use tokio::net::{TcpStream, UdpSocket};

/// A gateway that chooses whoever reports most of `free`, among origins that report as the test says.
struct Reporting {
    gateway: Gateway,
    origins: Vec<Origin>,
    admin: SocketAddr,
}

impl Reporting {
    /// `free` comes from `source`; `more` is written below.
    async fn new(origins: Vec<Origin>, source: &str, more: &str) -> Self {
        let endpoints: Vec<_> = origins.iter().map(|origin| format!("http://{}", origin.address())).collect();
        let text = format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [plugin.most]\nfile = {:?}\n[cluster.pool]\nbalancer = \"most\"\nendpoints = {endpoints:?}\n\
             signals = {{ free = {source} }}\n{more}",
            wat("most")
        );
        let gateway = Gateway::configure(&text).start().await;
        gateway.inner().start_admin();
        let admin = gateway.inner().admin_address().unwrap();
        Self { gateway, origins, admin }
    }

    /// Who answers now.
    async fn chosen(&self) -> String {
        self.gateway.get("/").await.header("x-endpoint").to_owned()
    }

    /// What the admin API shows of the signal of an endpoint.
    async fn shown(&self, endpoint: usize) -> Value {
        let (status, clusters) = call(self.admin, "GET", "/api/v1/clusters", "").await;
        assert_eq!(status, 200);
        clusters[0]["endpoints"][endpoint]["signals"]["free"].clone()
    }

    /// Posts a value of an endpoint; returns status and answer.
    async fn push(&self, endpoint: usize, signal: &str, value: f64) -> (u16, Value) {
        let endpoint = format!("http://{}", self.origins[endpoint].address());
        let body = json!({ "endpoint": endpoint, "signals": { signal: value } }).to_string();
        call(self.admin, "POST", "/api/v1/clusters/pool/signals", &body).await
    }

    fn reports(&self, source: &str) -> f64 {
        self.gateway.metric(&format!("tidegate_reports_total{{source=\"{source}\"}}"))
    }

    fn ignored(&self, source: &str) -> f64 {
        self.gateway.metric(&format!("tidegate_reports_ignored_total{{source=\"{source}\"}}"))
    }

    /// Sends a datagram to where heartbeats are heard, from `from`.
    async fn beat(&self, from: &str, datagram: &[u8]) {
        let to = self.gateway.inner().heartbeat_address().unwrap();
        let socket = UdpSocket::bind((from, 0)).await.unwrap();
        socket.send_to(datagram, to).await.unwrap();
    }

    /// Waits until so many heartbeats have been ignored.
    async fn ignored_beats(&self, count: f64) {
        eventually("heartbeats to be ignored", || self.ignored("heartbeat") == count).await;
    }
}

/// Origins that answer as usual.
async fn origins(names: &[&str]) -> Vec<Origin> {
    let mut origins = Vec::new();
    for name in names {
        origins.push(Origin::named(name).start().await);
    }
    origins
}

/// An origin that says `report` in the ORCA header, whatever it is when it answers.
async fn reporting(name: &str, report: &'static Mutex<&'static str>) -> Origin {
    let value = || (*report.lock().unwrap()).to_owned();
    Origin::named(name).saying_in("endpoint-load-metrics", value).start().await
}

/// A call of the admin API.
async fn call(admin: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut raw = Raw::new(Box::new(TcpStream::connect(admin).await.unwrap()));
    let kind = "Content-Type: application/json";
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {admin}\r\n{kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    raw.write(format!("{head}{body}").as_bytes()).await;
    let answer = raw.read_answer().await.expect("an answer");
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
}
