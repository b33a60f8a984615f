//! `[cluster.NAME]`

use std::path::PathBuf;
use std::time::Duration;

use super::super::membership::Counting;
use super::super::pin::Pin;
use super::super::signals::SignalConfig;
use super::{
    Affinity, CertificateFiles, ClusterProtocol, EndpointConfig, HealthConfig, OutlierConfig, PauseConfig, PluginUse,
    RetryConfig, StickyConfig, TimeoutsConfig,
};

/// A group of endpoints and how one is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfig {
    /// As configured; for a direct route the origin, e.g. `ws://10.0.0.1:8080`.
    pub name: String,
    /// The plugin that chooses.
    pub balancer: PluginUse,
    /// At least one.
    pub endpoints: Vec<EndpointConfig>,
    /// Timeouts, those of the gateway filled in.
    pub timeouts: TimeoutsConfig,
    /// What its endpoints are spoken to in. Default HTTP/1.1.
    pub protocol: ClusterProtocol,
    /// TLS towards its endpoints, used by `https` and `wss`.
    pub tls: ClientTls,
    /// Idle connections kept per worker and endpoint. Default 64.
    pub pool_size: usize,
    /// How long one is kept. Default 30 s.
    pub pool_idle: Duration,
    /// Bytes of a response's head, interim responses included. Default 400 KiB.
    pub head_bytes: usize,
    /// Fields of a response's head. Default 1000, at most [`MOST_ANSWER_FIELDS`](crate::config::MOST_ANSWER_FIELDS).
    pub head_fields: usize,
    /// How long an endpoint is left alone after a failure.
    pub pause: PauseConfig,
    /// Whether endpoints are tried all the same when every one that could take work is down. Default on.
    pub force_recovery: bool,
    /// How long an endpoint that has come or come back gets less than its share. Default: none.
    pub slow_start: Option<Duration>,
    /// How long a request waits for an endpoint that can take it. Default: none.
    pub wait: Option<Duration>,
    /// Whether endpoints are ejected for bad responses. Default: not.
    pub outlier: Option<OutlierConfig>,
    /// Probes. Default: none.
    pub health: Option<HealthConfig>,
    /// Whether a client's requests go to the endpoint that they name. Default none.
    pub sticky: Option<StickyConfig>,
    /// What the balancer's hash is made from. Default none.
    pub affinity: Option<Affinity>,
    /// When a request is sent again.
    pub retry: RetryConfig,
    /// Statuses, 400 to 599, that pause the endpoint once they are delivered (Apache's failonstatus). Default none.
    pub fail_on: Vec<u16>,
    /// What its endpoints report about themselves, by name; at most [`MOST_SIGNALS`](crate::config::MOST_SIGNALS).
    pub signals: Vec<SignalConfig>,
    /// How long a report counts. Default 10 s.
    pub signal_expiry: Duration,
    /// Whose requests and tunnels make an endpoint busy. Default: those of this cluster.
    pub count: Counting,
}

/// TLS towards endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// Roots to trust instead of the platform's, and certificates of endpoints themselves.
    pub ca: Option<PathBuf>,
    /// How the certificate is checked. Default full.
    pub verify: Verify,
    /// Public keys of which the endpoint must have one, whatever `verify` says. Default: any.
    pub pins: Vec<Pin>,
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
    /// Not at all, but for its key if there are pins.
    None,
}
