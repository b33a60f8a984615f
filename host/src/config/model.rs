//! The configuration as used: every value parsed, every default filled in, every reference resolved.
//!
//! What an operator writes is in [`super::schema`]; [`super::resolve`] turns that into this.

mod retry;
mod sticky;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use super::signals::{Heartbeat, Signal};

use super::membership::{Counting, Discover};
pub use retry::Retry;
pub use sticky::{Affinity, Issue, SameSite, Sticky};

/// One complete, valid configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it came from.
    pub source: PathBuf,
    /// `[gateway]`
    pub gateway: Gateway,
    /// `[[listen]]`, in file order; at least one.
    pub listeners: Vec<Listener>,
    /// `[[route]]`, in file order.
    pub routes: Vec<Route>,
    /// `[router]`
    pub router: PluginUse,
    /// `[rewriter]`
    pub rewriter: PluginUse,
    /// `[cluster.NAME]` by name, and one for each route that names a server directly.
    pub clusters: Vec<Cluster>,
    /// By the places of the rewriter's list, if it was made from the `[[route]]` list: the cluster whose origins stand there.
    pub mapped: Vec<Option<String>>,
    /// `[plugin.NAME]`
    pub plugins: BTreeMap<String, Plugin>,
    /// `[heartbeat]`
    pub heartbeat: Option<Heartbeat>,
    /// `[admin]`
    pub admin: Option<Admin>,
    /// `[log]`
    pub log: Log,
    /// Things that work but deserve a word at start, e.g. `verify = "none"`: one sentence each.
    pub warnings: Vec<String>,
}

/// What holds for the whole gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Worker threads; default one per core.
    pub workers: usize,
    /// How long a drain waits before it cuts. Default 30 s.
    pub drain: Duration,
    /// Folder of compiled plugins; none switches the cache off. Default: the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Timeouts that routes and clusters start from.
    pub timeouts: Timeouts,
    /// What is told to endpoints about the client.
    pub forwarded: Forwarded,
    /// Name servers to ask instead of the system's; empty asks those.
    pub resolver: Vec<SocketAddr>,
}

/// Limits in time. Zero is refused everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timeouts {
    /// From choice to an open connection, TLS included. Default 5 s.
    pub connect: Duration,
    /// From the request sent to the head of the answer, and between two pieces of a body. Default 60 s.
    pub response: Duration,
    /// A tunnel without a byte either way. Default 1 h.
    pub tunnel_idle: Duration,
}

/// `X-Forwarded-*` and `Forwarded` towards endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Forwarded {
    /// Send `X-Forwarded-For/-Host/-Proto/-Port`. Default on.
    pub x_forwarded: bool,
    /// Send `Forwarded` (RFC 7239). Default on.
    pub forwarded: bool,
    /// Peers whose own forwarded headers are believed and extended; from all others they are dropped.
    pub trusted: Vec<IpNet>,
}

/// One listening socket.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Where to listen. Port 0 takes a free one.
    pub address: SocketAddr,
    /// TLS, or plain.
    pub tls: Option<ServerTls>,
    /// Limits for what comes in here.
    pub limits: Limits,
}

/// Limits of a listener.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Open client connections, tunnels included. Default 10,000.
    pub connections: usize,
    /// The same for one client address. Default: no limit of its own (usize::MAX).
    pub connections_per_client: usize,
    /// Bytes of a request head. Default 64 KiB, at least 8 KiB.
    pub head_bytes: usize,
    /// Fields in a request head. Default 100.
    pub head_fields: usize,
    /// From the first byte of a head (or the accept) to its end; covers the TLS handshake on its own. Default 10 s.
    pub head_timeout: Duration,
    /// A kept-alive connection without a request, and a client that takes nothing of its answer. Default 60 s.
    pub idle_timeout: Duration,
    /// Whether a client that has ended its direction still waits for its answer. Default false: it has left.
    pub half_close: bool,
}

/// TLS towards clients.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerTls {
    /// The certificate for every name that no other matches.
    pub default: CertificateFiles,
    /// More by server name.
    pub by_name: Vec<(Vec<String>, CertificateFiles)>,
    /// Lowest version: true allows TLS 1.2 (default), false asks for 1.3.
    pub allow_tls12: bool,
    /// CA file that client certificates must chain to, and whether one is required.
    pub client_ca: Option<(PathBuf, ClientCertificate)>,
}

/// Whether a client must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Checked if shown.
    Optional,
    /// No connection without one.
    Required,
}

/// A chain and its key, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// Leaf first.
    pub certificate: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// What a rule of the `[[route]]` list means to the host. How it matches is the router's business: see
/// [`PluginUse::config`].
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// For logs: the path or pattern as written.
    pub name: Arc<str>,
    /// Protocols that a client may switch to.
    pub upgrade: Upgrade,
    /// Whether the rewriter sees its responses.
    pub reverse: bool,
    /// Timeouts, those of the cluster or gateway filled in.
    pub timeouts: Timeouts,
    /// Edits of the request towards the endpoint.
    pub request_headers: HeaderEdits,
    /// Edits of the response towards the client.
    pub response_headers: HeaderEdits,
    /// Send the client's Host instead of the endpoint's. Default off, as Apache (ProxyPreserveHost).
    pub preserve_host: bool,
}

/// Protocols that may be switched to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Every protocol.
    Any,
    /// These, lower case; empty refuses all.
    Only(Vec<String>),
}

/// Operator's edits of a head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderEdits {
    /// Replace or add.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Drop.
    pub remove: Vec<HeaderName>,
}

/// Which plugin fills a role, and with what configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginUse {
    /// Name: shipped, or of a `[plugin.NAME]`.
    pub plugin: String,
    /// Its configuration; for `prefix` and `reverse` made from the `[[route]]` list.
    pub config: serde_json::Value,
}

/// A group of endpoints and how one is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// As configured; for a direct route the origin, e.g. `ws://10.0.0.1:8080`.
    pub name: String,
    /// Who chooses.
    pub balancer: PluginUse,
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// Timeouts, those of the gateway filled in.
    pub timeouts: Timeouts,
    /// TLS towards its endpoints, used by `https` and `wss`.
    pub tls: ClientTls,
    /// Idle connections kept per worker and endpoint. Default 64.
    pub pool_size: usize,
    /// How long one is kept. Default 30 s.
    pub pool_idle: Duration,
    /// Whether a client's requests go to the endpoint that they name. Default none.
    pub sticky: Option<Sticky>,
    /// What the balancer's hash is made from. Default none.
    pub affinity: Option<Affinity>,
    /// When a request is sent again.
    pub retry: Retry,
    /// Statuses, 400 to 599, that pause the endpoint once they are delivered (Apache's failonstatus). Default none.
    pub fail_on: Vec<u16>,
    /// What its endpoints report about themselves, by name; at most [`super::MOST_SIGNALS`].
    pub signals: Vec<Signal>,
    /// How long a report counts. Default 10 s.
    pub signal_expiry: Duration,
    /// Whose requests and tunnels make an endpoint busy. Default: those of this cluster.
    pub count: Counting,
}

/// A member of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// As configured, normalised: scheme and host lower case, default port removed, no trailing slash of an empty path.
    pub url: String,
    /// Where to connect.
    pub address: EndpointAddress,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// `host[:port]` for the Host header and, without the port, for TLS; port left out when it is the default.
    pub authority: String,
    /// Path that every request gets in front; empty, or starts with `/` and does not end with one.
    pub base_path: String,
    /// Load factor in hundredths, 1 to 10,000: 100 = 1.0.
    pub weight: u32,
    /// Apache's lbset, 0 to 99: lower first.
    pub group: u32,
    /// Sticky route.
    pub route: Option<String>,
    /// Sticky route that stands in when this endpoint cannot take work.
    pub redirect: Option<String>,
    /// Admin state.
    pub state: EndpointState,
    /// Operator's labels.
    pub labels: Vec<(String, String)>,
    /// In-flight limit; none is no limit.
    pub max_connections: Option<u32>,
    /// Whether its host is a name that stands for several endpoints.
    pub discover: Discover,
    /// URL of the endpoint whose name has this address; none if it is configured itself.
    pub found_by: Option<String>,
}

/// Where an endpoint listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EndpointAddress {
    /// Host (name or address, without brackets) and port.
    Tcp(String, u16),
    /// Path of a unix socket.
    Unix(PathBuf),
}

/// What the operator says of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointState {
    /// Takes work.
    Ready,
    /// Takes no new work; what it has goes on.
    Drain,
    /// Takes no work.
    Maint,
    /// Takes work while another of its group cannot (Apache's hot spare).
    Spare,
    /// Takes work when no other of its group can (Apache's hot standby).
    Standby,
}

impl EndpointState {
    /// As written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maint => "maint",
            Self::Spare => "spare",
            Self::Standby => "standby",
        }
    }
}

/// TLS towards endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// Roots to trust instead of the platform's.
    pub ca: Option<PathBuf>,
    /// Whether the certificate is checked at all. Default full.
    pub verify: Verify,
    /// Name to ask for and check instead of the URL's.
    pub server_name: Option<String>,
    /// Certificate to show.
    pub identity: Option<CertificateFiles>,
}

/// How an endpoint's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Chain, name and dates.
    Full,
    /// Not at all.
    None,
}

/// One plugin file and what it may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// Component, core module or `.wat`.
    pub file: PathBuf,
    /// Handed to `configure` when the role that uses it says nothing else.
    pub config: serde_json::Value,
    /// Longest time for one call. Default 20 ms.
    pub deadline: Duration,
    /// Linear memory of one instance in bytes. Default 64 MiB.
    pub memory: usize,
    /// Capabilities that are granted; all by default.
    pub allow: Allow,
}

/// Capabilities granted to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// All that the contract has.
    All,
    /// These interfaces only: `log`, `request`, `columns`, `counters`, `clock`, `table`.
    Only(Vec<String>),
}

/// The admin listener.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Loopback unless a token is set.
    pub address: SocketAddr,
    /// File with the token that callers must send as `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// File that keeps runtime changes over restarts; none forgets them.
    pub persist: Option<PathBuf>,
}

/// Where the log and the access log go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A `tracing` filter, e.g. `info` or `tidegate::proxy=debug`. Default `info`.
    pub level: String,
    /// Text or JSON lines. Default text.
    pub format: LogFormat,
    /// The access log. Default stdout.
    pub access: AccessLog,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Where access lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}
