//! Every default, with its reason.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::membership::Counting;
use super::model::{CipherOrder, ClusterProtocol, ListenerProtocol};
use crate::net::{Underscores, UpgradeProtocol};

/// One worker per core that this process may use: each worker is one busy thread.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Compiled plugins are kept between starts, where the platform keeps such things; nowhere if it names no such folder.
pub(crate) fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(folder.join("tidegate"))
}

/// A balancer that goes by a queue needs it as it is now; it costs an endpoint as much as a scrape does.
pub(crate) const SIGNAL_INTERVAL: Duration = Duration::from_secs(1);
/// Ten times what an inference server with a histogram for everything exposes.
pub(crate) const SIGNAL_LIMIT: u64 = 4 << 20;

/// As long as common orchestrators wait between asking and killing.
pub(crate) const DRAIN: Duration = Duration::from_secs(30);
/// What a drain leaves for the closing handshake of the last websocket: the time that a tunnel waits for it.
pub(crate) const CLOSING: Duration = Duration::from_secs(2);
/// Websockets that a drain closes each second, if it is not said otherwise: about as many new clients as one core takes,
/// with a handshake of TLS each.
pub(crate) const CLOSED_PER_SECOND: u64 = 1000;
/// A lost SYN is sent again after 1 and 3 s: two chances, then another endpoint.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Apache's `Timeout` and nginx's `proxy_read_timeout`.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// As for connections: who waits for a page waits for this first, and a server that says who somebody is looks it up in a
/// session or a token.
pub(crate) const AUTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Quiet websockets are normal; an hour still clears away what no side will ever close.
pub(crate) const TUNNEL_IDLE: Duration = Duration::from_secs(3600);

/// Below a second, pings would be most of what goes through a tunnel, and a client on a slow line would not answer in time.
pub(crate) const LEAST_TUNNEL_PING: Duration = Duration::from_secs(1);

/// Forwarded headers are on: an endpoint that does not see its clients is a surprise.
pub(crate) const FORWARDED: bool = true;
/// nginx's: servers that take `_` for `-` would believe what a stranger says under another spelling.
pub(crate) const UNDERSCORES: Underscores = Underscores::Drop;

/// Says nothing of what is behind it to who is not let in. Apache has none.
pub(crate) const REALM: &str = "Restricted";

/// With an endpoint connection each, 20,000 descriptors: a common limit.
pub(crate) const CONNECTIONS: usize = 10_000;
/// No limit of its own: clients behind one address translator look like one.
pub(crate) const CONNECTIONS_PER_CLIENT: usize = usize::MAX;
/// Room for large cookies and tokens; Apache allows 8 KiB a line, nginx 32 KiB in all.
pub(crate) const HEAD: u64 = 64 << 10;
/// What Apache allows a single line; below it, common clients fail.
pub(crate) const LEAST_HEAD: u64 = 8 << 10;
/// Apache's `LimitRequestFields`.
pub(crate) const HEAD_FIELDS: usize = 100;
/// Mozilla's advice: none of the ciphers is weak, and a phone without AES in hardware knows what is fast for it.
pub(crate) const CIPHER_ORDER: CipherOrder = CipherOrder::Client;
/// Longer than any honest client needs, short enough against slow ones.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Most clients give up an idle connection within a minute.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Apache's `RequestReadTimeout body=20`.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// Apache's `SECONDS_TO_LINGER`: an honest client has seen its response by then.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// More than most connections have under way: what a client had sent before it could see its response.
pub(crate) const LINGER_BYTES: u64 = 1 << 20;

/// Browsers speak HTTP/2 only where ALPN offers it, and those that do not know it are served as before.
pub(crate) const LISTENER_PROTOCOL: ListenerProtocol = ListenerProtocol::Negotiated;
/// nginx's, HAProxy's and Apache's, and the least that RFC 9113 §6.5.2 recommends.
pub(crate) const STREAMS: usize = 100;
/// Streams of one HTTP/2 connection: with the windows, buffers and heads of each, some 250 MiB at the worst.
pub const MOST_STREAMS: u64 = 1000;
/// Apache's and nginx's: what every endpoint speaks.
pub(crate) const CLUSTER_PROTOCOL: ClusterProtocol = ClusterProtocol::Http1;

/// Sends a busy websocket's next client elsewhere: the balancer this gateway is made for.
pub(crate) const BALANCER: &str = "bybusyness";
/// Reads the `[[route]]` list.
pub(crate) const ROUTER: &str = "prefix";
/// Apache's ProxyPassReverse for every route.
pub(crate) const REWRITER: &str = "reverse";
/// Plain HTTP/1.1 upgrades in the wild are websockets; all else must be asked for.
pub(crate) const UPGRADE: UpgradeProtocol = UpgradeProtocol::Websocket;
/// A load factor of 1.0, in hundredths.
pub(crate) const WEIGHT: u32 = 100;
/// Enough to never reconnect under steady load, few enough to not hold an endpoint's descriptors.
pub(crate) const POOL_SIZE: usize = 64;
/// Below the keep-alive time of common servers (60 s and more), so that requests do not race their close.
pub(crate) const POOL_IDLE: Duration = Duration::from_secs(30);

/// Room for any honest response; hyper's limit.
pub(crate) const ANSWER_HEAD: u64 = 400 << 10;
/// What common servers send at the most by default.
pub(crate) const LEAST_ANSWER_HEAD: u64 = 8 << 10;
/// More than any honest response has. Apache counts no fields of responses.
pub(crate) const ANSWER_FIELDS: usize = 1000;
/// The map that they are kept in holds some 24,000, and ends the request that has more.
pub const MOST_ANSWER_FIELDS: usize = 10_000;

/// Short enough that a restart is hardly noticed.
pub(crate) const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// Apache's flat 60 s (`retry`) is its users' complaint; here it is only reached after six failures.
pub(crate) const PAUSE_LONGEST: Duration = Duration::from_secs(60);
/// With `fall` 3, a dead endpoint is known within 15 s; with 1,000 endpoints, 200 probes a second.
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Longer than one lost packet takes to be sent again.
pub(crate) const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// One good response may be luck.
pub(crate) const PROBE_RISE: u32 = 2;
/// A single lost probe, or two, are no reason to move all clients.
pub(crate) const PROBE_FALL: u32 = 3;
/// Apache's: what a browser would be content with.
pub(crate) const PROBE_EXPECT: std::ops::RangeInclusive<u16> = 200..=399;
/// Envoy's; more than one bad page.
pub(crate) const OUTLIER_CONSECUTIVE: u32 = 5;
/// Half of all failing is no accident.
pub(crate) const OUTLIER_RATE: f64 = 0.5;
/// Envoy's interval.
pub(crate) const OUTLIER_WINDOW: Duration = Duration::from_secs(10);
/// Below it, half is a handful.
pub(crate) const OUTLIER_MINIMUM: u32 = 20;
/// Time for a restart.
pub(crate) const EJECTION: Duration = Duration::from_secs(10);
/// Envoy's `max_ejection_time`.
pub(crate) const EJECTION_LONGEST: Duration = Duration::from_secs(300);
/// The others can carry about twice their load, hardly more.
pub(crate) const OUTLIER_SHARE: f64 = 0.5;
/// Apache's separator between a session id and its route.
pub(crate) const STICKY_SEPARATOR: char = '.';
/// A lost session is less than a lost request (Apache's `nofailover=Off`).
pub(crate) const STICKY_FAILOVER: bool = true;
/// The session belongs to the whole site.
pub(crate) const COOKIE_PATH: &str = "/";
/// No script needs to know which endpoint it talks to.
pub(crate) const COOKIE_HTTP_ONLY: bool = true;

/// What most forms and API calls fit into, and little beside what a connection takes anyway.
pub(crate) const RETRY_BODY: u64 = 64 << 10;
/// Kept in memory for each request on its way.
pub(crate) const MOST_RETRY_BODY: u64 = 16 << 20;
/// Finagle's and linkerd's share: enough for an endpoint that fails, too little to pull the others down.
pub(crate) const RETRY_BUDGET: f64 = 0.2;

/// A client that ends its direction has nearly always gone, and its endpoint should not work in vain (as nginx).
pub(crate) const HALF_CLOSE: bool = false;

/// Apache's `LBM_HEARTBEAT_MAX_LASTSEEN`: what was said ten heartbeats ago says nothing about now.
pub(crate) const SIGNAL_EXPIRY: Duration = Duration::from_secs(10);
/// As Apache: what another cluster sends to the same server is not this one's to weigh.
pub(crate) const COUNT: Counting = Counting::Cluster;

/// A decision takes microseconds; 20 ms is a plugin that hangs, or a garbage collector at work.
pub(crate) const PLUGIN_DEADLINE: Duration = Duration::from_millis(20);
/// A worker that does nothing else for longer misses the probes and timeouts of everybody it serves.
pub(crate) const LONG_PLUGIN_DEADLINE: Duration = Duration::from_secs(1);
/// Fits the runtimes of garbage-collected languages.
pub(crate) const PLUGIN_MEMORY: u64 = 64 << 20;
/// Bytes that one instance of a plugin may be given. One of its instructions can fill or copy all of them, and no clock
/// is looked at meanwhile: a GiB takes about a second.
pub const MOST_PLUGIN_MEMORY: u64 = 1 << 30;
/// One page of linear memory: nothing runs in less.
pub(crate) const LEAST_PLUGIN_MEMORY: u64 = 64 << 10;

/// Lifecycle and what an operator must act on.
pub(crate) const LOG_LEVEL: &str = "info";
/// Of `https` where no other port is written (RFC 9110 §4.2.2).
pub(crate) const HTTPS_PORT: u16 = 443;
/// The usual answer to "it has moved for now", and Apache's.
pub(crate) const REDIRECT_STATUS: u16 = 302;
