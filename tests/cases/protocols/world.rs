//! A gateway with an endpoint of every kind behind it, and clients of every kind.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tidegate::gateway::Stopped;
use tidegate_tests::{BoxedIo, Ca, Gateway, Http2, Origin, OriginSetup, Raw, eventually, within};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use super::table::{Client, Endpoint, Pair};
use crate::running::guest;

/// Listeners, one plain and one with TLS; the rest is written for each endpoint.
const FRONT: &str = r#"
[log]
access = "access.log"
format = "json"
[[listen]]
address = "127.0.0.1:0"
[[listen]]
address = "127.0.0.1:0"
tls = { certificate = "cert.pem", key = "cert-key.pem" }
[plugin.mine]
file = "mine.wat"
"#;

/// How long a drain may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// All that the cells of a situation share.
pub(super) struct World {
    pub(super) gateway: Gateway,
    ca: Ca,
    endpoints: Vec<Ends>,
    reports: Arc<Mutex<HashMap<String, Report>>>,
    barrier: Barrier,
    stopping: Mutex<Option<JoinHandle<Stopped>>>,
}

/// Endpoints of one kind.
pub(super) struct Ends {
    /// Takes requests, and echoes websocket messages. Refuses websockets on `/refused`.
    pub(super) messages: Origin,
    /// Its tunnels do what the client says; see [`obey`].
    pub(super) bytes: Origin,
    /// HTTP/2 without websockets, or HTTP/1.1 that refuses each.
    pub(super) unannounced: Origin,
}

/// What came to an endpoint through a tunnel after the order, up to its end.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) bytes: Vec<u8>,
    /// With FIN, close_notify or END_STREAM, not broken off.
    pub(super) is_whole: bool,
}

/// How a client's TCP connection ends when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TcpEnd {
    Finish,
    Reset,
}

impl World {
    /// Starts all of it, for so many cells.
    pub(super) async fn start(cells: usize) -> Arc<Self> {
        let ca = Ca::new();
        let reports = Arc::<Mutex<HashMap<String, Report>>>::default();
        let mut endpoints = Vec::new();
        let mut text = FRONT.to_owned();
        for endpoint in Endpoint::ALL {
            let ends = Ends::start(*endpoint, &ca, &reports).await;
            for (suffix, origin) in ends.all() {
                text.push_str(&cluster(*endpoint, suffix, origin));
            }
            endpoints.push(ends);
        }
        let setup = Gateway::configure(&text).file("mine.wat", guest("first")).tls(&ca, &["localhost"]);
        let gateway = setup.start().await;
        Arc::new(Self { gateway, ca, endpoints, reports, barrier: Barrier::new(cells), stopping: Mutex::default() })
    }

    /// The endpoints that a cell is about.
    pub(super) fn ends(&self, pair: Pair) -> &Ends {
        let at = Endpoint::ALL.iter().position(|endpoint| *endpoint == pair.endpoint).unwrap();
        &self.endpoints[at]
    }

    /// Target that leads to the `suffix` endpoint of a cell, and whose access lines are that cell's: no two cells have the
    /// same.
    pub(super) fn target(pair: Pair, suffix: &str, path: &str) -> String {
        format!("/{}{suffix}{path}?cell={}", pair.endpoint.name(), pair.name())
    }

    /// A connection that speaks what the client speaks.
    pub(super) async fn connect(&self, client: Client, end: TcpEnd) -> BoxedIo {
        let address = self.gateway.inner().addresses()[usize::from(client.is_tls())];
        let stream = within("a connection", TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        if end == TcpEnd::Reset {
            stream.set_zero_linger().unwrap();
        }
        if !client.is_tls() {
            return Box::new(stream);
        }
        let version = if client.is_http2() { "h2" } else { "http/1.1" };
        let (io, chosen) = self.ca.connect(&[version], "localhost", stream).await.unwrap();
        assert_eq!(chosen.as_deref(), Some(version), "chosen by ALPN");
        io
    }

    /// The same in HTTP/2.
    pub(super) async fn http2(&self, client: Client) -> Http2 {
        Http2::new(self.connect(client, TcpEnd::Finish).await).await
    }

    /// Waits for what an endpoint reports under `order`.
    pub(super) async fn report(&self, order: &str) -> Report {
        let mut report = None;
        eventually(&format!("a report of {order}"), || {
            report = self.reports.lock().unwrap().get(order).cloned();
            report.is_some()
        })
        .await;
        report.unwrap()
    }

    /// Waits until every cell is here, has one of them do `change`, and lets them go on after it.
    pub(super) async fn together(&self, change: impl Future<Output = ()>) {
        if within("all other cells", self.barrier.wait()).await.is_leader() {
            change.await;
        }
        within("the change", self.barrier.wait()).await;
    }

    /// Has the gateway stop, as SIGTERM does.
    pub(super) async fn stop(&self) {
        *self.stopping.lock().unwrap() = Some(tokio::spawn(self.gateway.stop(PATIENCE)));
        eventually("the drain to begin", || self.gateway.inner().drain().has_started()).await;
    }

    /// Waits until it has stopped.
    pub(super) async fn stopped(&self) -> Stopped {
        let stopping = self.stopping.lock().unwrap().take().unwrap();
        stopping.await.unwrap()
    }

    /// Waits for the access line of a request.
    pub(super) async fn line(&self, target: &str) -> Value {
        let file = self.gateway.folder().join("access.log");
        let mut found = None;
        eventually(&format!("an access line of {target}"), || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            // The last line may be half written.
            let (whole, _begun) = text.rsplit_once('\n').unwrap_or_default();
            let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            found = lines.rev().find(|line| line["path"] == target);
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// Waits for the access line of a request, and compares it.
    pub(super) async fn has_line(&self, target: &str, expected: Value) {
        let line = self.line(target).await;
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(line[name], *value, "{name} of {line}");
        }
    }

    /// Waits until no endpoint is held.
    pub(super) async fn holds_nothing(&self) {
        for ends in &self.endpoints {
            for (suffix, origin) in ends.all() {
                let what = format!("{}{suffix} to be given back", origin.name());
                eventually(&what, || self.gateway.in_flight(origin) == 0).await;
            }
        }
        eventually("every tunnel to be counted as ended", || self.gateway.metric("tidegate_tunnels_open") == 0.0).await;
    }
}

impl Ends {
    async fn start(endpoint: Endpoint, ca: &Ca, reports: &Arc<Mutex<HashMap<String, Report>>>) -> Self {
        let speaking = |setup: OriginSetup| match endpoint {
            Endpoint::Http1 | Endpoint::Http1Tls => setup,
            Endpoint::Http2 | Endpoint::Http2Tls => setup.http2(),
            Endpoint::Auto => setup.http2().http1_too(),
        };
        let secured = |setup: OriginSetup| if endpoint.is_tls() { setup.tls(&ca.issue(&["localhost"])) } else { setup };
        let refusal = |text: &'static str| {
            let body = http_body_util::Full::from(text);
            Some(hyper::Response::builder().status(403).header("x-reason", "test").body(body).unwrap())
        };
        let name = endpoint.name();

        let messages = secured(speaking(Origin::named(name)));
        let messages = messages.answering(move |seen| seen.target.contains("/refused").then(|| refusal("no"))?);
        let reports = reports.clone();
        let bytes = secured(speaking(Origin::named(name).abrupt()));
        let bytes = bytes.saying_in("sec-websocket-extensions", || "permessage-deflate".to_owned());
        let bytes = bytes.tunnelling(move |raw| obey(raw, reports.clone()));
        let unannounced = match endpoint {
            Endpoint::Http1 | Endpoint::Http1Tls => {
                secured(Origin::named(name).answering(move |_| refusal("none here")))
            }
            Endpoint::Http2 | Endpoint::Http2Tls => secured(Origin::named(name).http2_without_connect()),
            Endpoint::Auto => secured(Origin::named(name).http2_without_connect().http1_too()),
        };
        Self { messages: messages.start().await, bytes: bytes.start().await, unannounced: unannounced.start().await }
    }

    fn all(&self) -> [(&'static str, &Origin); 3] {
        [("", &self.messages), ("-bytes", &self.bytes), ("-unannounced", &self.unannounced)]
    }
}

/// A route and a cluster for one origin.
fn cluster(endpoint: Endpoint, suffix: &str, origin: &Origin) -> String {
    let protocol = match endpoint {
        Endpoint::Http1 | Endpoint::Http1Tls => "h1",
        Endpoint::Http2 | Endpoint::Http2Tls => "h2",
        Endpoint::Auto => "auto",
    };
    let (scheme, host, tls) = match endpoint.is_tls() {
        true => ("https", "localhost", "tls = { ca = \"ca.pem\" }\n"),
        false => ("http", "127.0.0.1", ""),
    };
    let (name, port) = (endpoint.name(), origin.address().port());
    format!(
        "[[route]]\npath = \"/{name}{suffix}\"\nto = \"balancer://{name}{suffix}\"\n\
         [cluster.{name}{suffix}]\nbalancer = \"mine\"\nprotocol = \"{protocol}\"\n\
         endpoints = [\"{scheme}://{host}:{port}\"]\n{tls}"
    )
}

/// What an endpoint does behind a switch: what the first message says. A message is one word of 32 bytes; see [`order`].
///
/// ```text
/// echo     sends back what comes; at its end, ends
/// count    reads to the end; then says how much that was, and ends
/// finish   ends its direction at once; then reads to the end
/// leave    breaks off
/// ```
async fn obey(mut raw: Raw, reports: Arc<Mutex<HashMap<String, Report>>>) {
    let order = raw.read(ORDER).await;
    let order = String::from_utf8_lossy(order.get(6..).unwrap_or_default()).trim().to_owned();
    let word = order.split(' ').next().unwrap_or_default();
    if word == "leave" {
        return;
    }
    if word == "finish" {
        raw.finish().await;
    }
    let mut bytes = Vec::new();
    let is_whole = loop {
        let Ok(piece) = raw.try_read_some().await else { break false };
        if piece.is_empty() {
            break true;
        }
        if word == "echo" {
            raw.write(&piece).await;
        }
        bytes.extend(piece);
    };
    let count = bytes.len();
    reports.lock().unwrap().insert(order.clone(), Report { bytes, is_whole });
    if word == "count" {
        raw.write(format!("{count} bytes").as_bytes()).await;
    }
    if is_whole && word != "finish" {
        raw.finish().await;
    }
}

/// Length of an order, as a frame.
const ORDER: usize = 6 + 64;

/// An order as a masked text frame of websockets (RFC 6455 §5.2), its mask zero.
pub(super) fn order(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 64, 0, 0, 0, 0];
    frame.extend(format!("{text:<64}").bytes());
    assert_eq!(frame.len(), ORDER, "an order is short: {text}");
    frame
}
