//! A client, the gateway's path, and an endpoint, on one thread.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use serde_json::{Value, json};
use tidegate::cluster::{Cluster, Member, Numbers, Registry};
use tidegate::config::EndpointState;
use tidegate::http::{ClientLimits, Forwarding, HttpVersions, Peer, Pseudonym};
use tidegate::lifecycle::{ConnectionGuard, Drain};
use tidegate::net::{Socket, Stream, UpgradeProtocol};
use tidegate::plugin::{Artifact, PluginFile, PluginLimits, RouterPlace, Runtime as Plugins, shipped};
use tidegate::policy::{Balancer, Endpoint, Rewriter, Router, Scheme};
use tidegate::proxy::{
    Client, Destination, HeaderEdits, ListenerKey, Observers, ResponseDecider, RouteRules, RulesByListener, Snapshot,
    Timeouts, TlsPorts, Upgrades, serve,
};
use tidegate::telemetry::{AccessLog, AccessTarget, LineFormat, Metrics};
use tidegate::upstream::{Address, EndpointProtocol, HeadLimits, PoolLimits, Upstream, UpstreamSettings};
use tidegate_parts::Turns;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::native;

/// Endpoints that the balancer chooses among; all are the same listener.
const ENDPOINTS: u32 = 16;

/// Longer than any measurement.
const LONG: Duration = Duration::from_secs(3600);

const GET: &[u8] = b"GET /a/path HTTP/1.1\r\nHost: front.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n";
const UPGRADE: &[u8] = b"GET /a/path HTTP/1.1\r\nHost: front.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Who decides.
#[derive(Clone, Copy)]
pub(crate) enum Deciders {
    Wasm,
    Native,
}

impl Deciders {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Native => "native",
        }
    }
}

/// Everything, ready to be asked.
pub(crate) struct Stage {
    runtime: Runtime,
    gateway: SocketAddr,
}

impl Stage {
    pub(crate) fn set(deciders: Deciders) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let gateway = runtime.block_on(async {
            let endpoint = endpoint().await;
            gateway(Arc::new(snapshot(deciders, endpoint))).await
        });
        Self { runtime, gateway }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        self.runtime.block_on(connect(self.gateway))
    }

    pub(crate) fn get(&self, client: &mut TcpStream) {
        self.runtime.block_on(async {
            client.write_all(GET).await.unwrap();
            head(client).await.unwrap();
        });
    }

    pub(crate) fn tunnel(&self) {
        self.runtime.block_on(async {
            let mut client = connect(self.gateway).await;
            client.write_all(UPGRADE).await.unwrap();
            head(&mut client).await.unwrap();
            client.shutdown().await.unwrap();
            assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0);
        });
    }
}

async fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads up to the end of a head; nothing follows one here. None at the end of the connection.
async fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(head)
}

async fn endpoint() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                while let Some(head) = head(&mut stream).await {
                    let switches = head.windows(9).any(|window| window.eq_ignore_ascii_case(b"websocket"));
                    stream.write_all(if switches { SWITCH } else { ANSWER }).await.unwrap();
                }
            });
        }
    });
    address
}

async fn gateway(snapshot: Arc<Snapshot>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let observers = Observers {
        metrics: Metrics::new(NonZeroUsize::MIN),
        access: AccessLog::open(&AccessTarget::Off, LineFormat::Json).unwrap(),
    };
    let limits = ClientLimits {
        head_bytes: 64 << 10,
        head_fields: 100,
        head_timeout: LONG,
        idle_timeout: LONG,
        body_timeout: LONG,
        linger: LONG,
        linger_bytes: 1 << 20,
        half_close: false,
        versions: HttpVersions::Any,
        streams: 100,
    };
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let snapshot = snapshot.clone();
            let client = Arc::new(Client {
                peer,
                local: address,
                listener: ListenerKey { order: 0, address },
                forwarded: Peer::new(Some(peer.ip()), address.port(), false),
                scheme: Scheme::Http,
                sni: None,
                tls: None,
                shown: None,
                facts: None,
                drain: Drain::new(NonZeroUsize::MIN),
                observers: observers.clone(),
                limits,
                guard: ConnectionGuard::holding(()),
            });
            tokio::spawn(async move {
                let stream = Stream::Plain(Socket::Tcp(stream));
                if let Some(tunnel) = serve(client, stream, || snapshot.clone()).await.unwrap() {
                    tunnel.await;
                }
            });
        }
    });
    address
}

fn snapshot(deciders: Deciders, endpoint: SocketAddr) -> Snapshot {
    let routes = json!({ "routes": [{ "path": "/", "action": { "forward": { "cluster": "bench", "path": "/" } } }] });
    let back = json!({ "routes": [{ "path": "/", "to_path": "/", "origins": [format!("http://{endpoint}")] }] });
    let clusters = ["bench".to_owned()];
    let endpoints: Vec<_> =
        (0..ENDPOINTS).map(|number| Endpoint::named(format!("http://{endpoint}/{number}"))).collect();
    let registry = Registry::default();
    let lives: Vec<_> = endpoints.iter().map(|endpoint| registry.live("bench", &endpoint.name)).collect();
    let reverse = load("reverse").rewriter(&back, NonZeroUsize::MIN).unwrap();
    let (router, balancer, rewriter): (Box<dyn Router>, Box<dyn Balancer>, Box<dyn Rewriter>) = match deciders {
        Deciders::Wasm => (
            load("prefix").router(&routes, &clusters, 1, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap(),
            load("bybusyness").balancer(&Value::Null, &endpoints, Arc::new(Numbers::new(lives.clone())), None).unwrap(),
            reverse,
        ),
        Deciders::Native => (
            Box::new(native::Prefix(
                tidegate_prefix::rules::Rules::new(serde_json::from_value(routes).unwrap(), &clusters).unwrap(),
            )),
            Box::new(native::ByBusyness(Turns::new((0..ENDPOINTS).map(|_| 100)))),
            Box::new(native::Reverse(reverse.interest().to_vec())),
        ),
    };
    let member = |live| Member {
        live,
        group: 0,
        state: EndpointState::Ready,
        max_connections: None,
        shared: None,
        failure_policy: tidegate::cluster::FailurePolicy::default(),
    };
    let cluster = Cluster::new("bench".into(), lives.into_iter().map(member).collect(), balancer);
    let upstream = |member: &Endpoint| Upstream::new(settings(&member.name, endpoint), NonZeroUsize::MIN);
    let timeouts = Timeouts { connect: LONG, response: LONG, tunnel_idle: LONG, tunnel_ping: None };
    let rules = RouteRules {
        name: "/".into(),
        upgrades: Upgrades::Only(vec![UpgradeProtocol::Websocket]),
        plugins: Vec::new(),
        reverse: true,
        timeouts: Some(timeouts),
        request_headers: HeaderEdits::default(),
        withheld_trailers: None,
        response_headers: HeaderEdits::default(),
        preserve_host: false,
        access: None,
        error_pages: None,
    };
    Snapshot {
        generation: 1,
        router: router.into(),
        sight: None,
        rewriter: None,
        reverse: ResponseDecider::new(rewriter.into()),
        destinations: vec![Destination {
            cluster: Arc::new(cluster),
            upstreams: endpoints.iter().map(upstream).collect(),
            balancer: "bybusyness".into(),
            timeouts,
        }],
        routes: vec![rules.clone()],
        defaults: rules,
        forwarding: Forwarding { x_forwarded: true, forwarded: true, ..Forwarding::default() },
        certificate_rules: RulesByListener::new(),
        tls_ports: TlsPorts::new(),
        error_pages: None,
        keeps_notes: false,
        pseudonym: Pseudonym::random(),
    }
}

fn load(name: &str) -> Arc<Artifact> {
    let limits = PluginLimits::default();
    let spec = PluginFile { name, origin: "shipped", bytes: shipped(name).unwrap(), limits: &limits, table: None };
    Plugins::new(None).unwrap().load(&spec).unwrap()
}

fn settings(url: &str, address: SocketAddr) -> UpstreamSettings {
    UpstreamSettings {
        url: url.into(),
        known_as: url.into(),
        address: Address::Socket(address),
        tls: None,
        authority: HeaderValue::from_str(&address.to_string()).unwrap(),
        base_path: String::new(),
        pool: PoolLimits { size: 64, idle: LONG },
        head: HeadLimits { bytes: 64 << 10, fields: 100 },
        protocol: EndpointProtocol::Http1,
        metrics: tidegate::telemetry::Metrics::new(NonZeroUsize::MIN),
    }
}
