//! The configuration as used: every value parsed, every default filled in, every reference resolved.
//!
//! What an operator writes is in [`super::schema`]; [`super::resolve`] turns that into this.

mod access;
mod cluster;
mod endpoint;
mod error_pages;
mod health;
mod listener;
mod place;
mod protocol;
mod retry;
mod sticky;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use super::signals::HeartbeatConfig;
use crate::net::{FieldEdit, Underscores, UpgradeProtocol};
pub use access::{AccessConfig, BasicAuthConfig, ForwardAuthConfig};
pub use cluster::{ClientTls, ClusterConfig, Verify};
pub use endpoint::{EndpointAddress, EndpointConfig, EndpointState};
pub use error_pages::{ErrorPageConfig, ErrorPagesConfig};
pub use health::{Check, GrpcCheck, HealthConfig, HttpCheck, OutlierConfig, PauseConfig, WebsocketCheck};
pub use listener::{
    CertificateFiles, CipherOrder, ClientCertificate, LimitsConfig, ListenerConfig, NamedTls, ServerTls,
};
pub use place::{ConfigPlace, FoundValue};
pub use protocol::{ClusterProtocol, ListenerProtocol};
pub use retry::RetryConfig;
pub use sticky::{Affinity, Issue, SameSite, StickyConfig};

/// One complete, valid configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it came from.
    pub source: PathBuf,
    /// `[gateway]`
    pub gateway: GatewayConfig,
    /// `[[listen]]`, in file order; at least one.
    pub listeners: Vec<ListenerConfig>,
    /// `[[route]]`, in file order.
    pub routes: Vec<RouteConfig>,
    /// `[router]`
    pub router: PluginUse,
    /// `[rewriter]`
    pub rewriter: PluginUse,
    /// `reverse` behind that, where it is another; none where it is `reverse` itself.
    pub reverse: Option<PluginUse>,
    /// `[cluster.NAME]` by name, and one for each route that names a server directly.
    pub clusters: Vec<ClusterConfig>,
    /// By the places of the rewriter's list, if it was made from the `[[route]]` list: the cluster whose origins stand
    /// there.
    pub mapped: Vec<Option<String>>,
    /// `[plugin.NAME]`
    pub plugins: BTreeMap<String, PluginConfig>,
    /// `[heartbeat]`
    pub heartbeat: Option<HeartbeatConfig>,
    /// `[admin]`
    pub admin: Option<AdminConfig>,
    /// `[log]`
    pub log: LogConfig,
    /// Things that work but deserve a warning at start, e.g. `verify = "none"`: one sentence each.
    pub warnings: Vec<String>,
}

/// What holds for the whole gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayConfig {
    /// Worker threads; default one per core.
    pub workers: usize,
    /// How long a drain waits before it cuts. Default 30 s.
    pub drain: Duration,
    /// Over how much of that websockets are closed; zero closes all at once. None goes by how many there are.
    pub drain_spread: Option<Duration>,
    /// Folder of compiled plugins; none switches the cache off. Default: the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Timeouts that routes and clusters start from.
    pub timeouts: TimeoutsConfig,
    /// What endpoints learn about the client.
    pub forwarded: ForwardedConfig,
    /// What responses of its own show where no route is known, and what routes start from.
    pub error_pages: ErrorPagesConfig,
    /// Name servers to ask instead of the system's; empty asks those.
    pub resolver: Vec<SocketAddr>,
}

/// Limits in time. Zero is refused everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeoutsConfig {
    /// From choice to an open connection, TLS included. Default 5 s.
    pub connect: Duration,
    /// From the request sent to the head of the response, and between two pieces of a body. Default 60 s.
    pub response: Duration,
    /// A tunnel without a byte either way. Default 1 h.
    pub tunnel_idle: Duration,
    /// A websocket without a byte either way, until both sides are pinged; shorter than `tunnel_idle`. None, the default,
    /// pings nobody.
    pub tunnel_ping: Option<Duration>,
}

/// `X-Forwarded-*` and `Forwarded` towards endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardedConfig {
    /// Send `X-Forwarded-For/-Host/-Proto/-Port`. Default on.
    pub x_forwarded: bool,
    /// Send `Forwarded` (RFC 7239). Default on.
    pub forwarded: bool,
    /// Peers whose own forwarded headers are believed and extended; from all others they are dropped.
    pub trusted: Vec<IpNet>,
    /// What becomes of request headers whose names have an underscore. Default drop.
    pub underscores: Underscores,
}

/// What a rule of the `[[route]]` list means to the host. How it matches is the router's business: see
/// [`PluginUse::config`].
#[derive(Clone, Debug, PartialEq)]
pub struct RouteConfig {
    /// For logs: the path or pattern as written.
    pub name: Arc<str>,
    /// Protocols that a client may switch to.
    pub upgrade: UpgradeConfig,
    /// Who decides on its requests behind the router, in this order, and on its responses in the other.
    pub plugins: Vec<PluginUse>,
    /// Whether its responses are mapped back by `reverse`.
    pub reverse: bool,
    /// Timeouts, those of the cluster or gateway filled in.
    pub timeouts: TimeoutsConfig,
    /// Edits of the request towards the endpoint.
    pub request_headers: HeaderEditsConfig,
    /// Edits of the response towards the client.
    pub response_headers: HeaderEditsConfig,
    /// Send the client's Host instead of the endpoint's. Default off, as Apache (ProxyPreserveHost).
    pub preserve_host: bool,
    /// Who may use it.
    pub access: AccessConfig,
    /// What responses of the gateway's own show, those of the gateway behind its own.
    pub error_pages: ErrorPagesConfig,
}

/// Protocols that may be switched to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpgradeConfig {
    /// Every protocol.
    Any,
    /// These; empty refuses all.
    Only(Vec<UpgradeProtocol>),
}

/// Operator's edits of a head, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderEditsConfig {
    /// Drop.
    pub remove: Vec<HeaderName>,
    /// Replace or add, each time with the same value.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// What else there is to do.
    pub more: Vec<FieldEdit>,
}

impl HeaderEditsConfig {
    /// Whether what they come to depends on the exchange.
    #[must_use]
    pub(super) fn has_variables(&self) -> bool {
        self.more.iter().any(|edit| edit.value.constant().is_none())
    }
}

/// Which plugin fills a role, and with what configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginUse {
    /// Name: shipped, or of a `[plugin.NAME]`.
    pub plugin: String,
    /// Its configuration; for `prefix` and `reverse` made from the `[[route]]` list.
    pub config: serde_json::Value,
    /// Where that is written.
    pub place: ConfigPlace,
}

/// One plugin file and what it may do.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginConfig {
    /// Component, core module or `.wat`.
    pub file: PathBuf,
    /// Handed to `configure` when the role that uses it says nothing else.
    pub config: serde_json::Value,
    /// Where that is written.
    pub place: ConfigPlace,
    /// Longest time for one call. Default 20 ms.
    pub deadline: Duration,
    /// What one instance may hold, in bytes. Default 64 MiB, at most [`MOST_PLUGIN_MEMORY`](super::MOST_PLUGIN_MEMORY).
    pub memory: usize,
    /// Capabilities that are granted; all by default.
    pub allow: Allow,
    /// File of keys and values that it may look up. Default: none.
    pub table: Option<PathBuf>,
    /// Files whose content its configuration gets under these keys. Default: none.
    pub secrets: BTreeMap<String, PathBuf>,
}

/// Interfaces of the contract that an operator may grant to a plugin or withhold from it.
pub const CAPABILITIES: [&str; 12] =
    ["log", "request", "columns", "counters", "limit", "clock", "chance", "metrics", "edits", "notes", "table", "body"];

/// Capabilities granted to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Allow {
    /// All that the contract has.
    All,
    /// These of [`CAPABILITIES`] only.
    Only(Vec<String>),
}

/// The admin listener.
#[derive(Clone, Debug, PartialEq)]
pub struct AdminConfig {
    /// Loopback unless a token is set.
    pub address: SocketAddr,
    /// File with the token that callers must send as `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// File that keeps runtime changes over restarts; none forgets them.
    pub persist: Option<PathBuf>,
}

/// Where the log and the access log go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A `tracing` filter, e.g. `info` or `tidegate::proxy=debug`. Default `info`.
    pub level: String,
    /// Text or JSON lines. Default text.
    pub format: LogFormat,
    /// The access log. Default stdout.
    pub access: AccessLogConfig,
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
pub enum AccessLogConfig {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// Appended to a file.
    File(PathBuf),
}
