//! How a cluster finds out which of its endpoints can take work, and what it does about those that cannot.

use std::ops::RangeInclusive;
use std::time::Duration;

use ::http::{HeaderValue, Method};

use super::super::defaults;

/// `pause = { first, longest }`: how long an endpoint is left alone after a failure; each one in a row doubles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseConfig {
    /// After the first failure. Default 1 s.
    pub first: Duration,
    /// At the most; not shorter than `first`. Default 60 s.
    pub longest: Duration,
}

impl Default for PauseConfig {
    fn default() -> Self {
        Self { first: defaults::PAUSE_FIRST, longest: defaults::PAUSE_LONGEST }
    }
}

/// `outlier = { … }`: an endpoint whose work goes badly is left out for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierConfig {
    /// Failures in a row that eject, from 1. Default 5.
    pub consecutive: u32,
    /// Share of failures within the window that ejects, above 0 and up to 1. Default 0.5.
    pub rate: f64,
    /// What `rate` looks at. Default 10 s.
    pub window: Duration,
    /// Requests within the window before `rate` says anything, from 1. Default 20.
    pub minimum: u32,
    /// First time out; doubles with each. Default 10 s.
    pub ejection: Duration,
    /// Longest time out. Default 5 min.
    pub longest: Duration,
    /// Share of the cluster that may be out at once, above 0 and up to 1, rounded down. Default 0.5.
    pub share: f64,
}

/// `health = { … }`: probes.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthConfig {
    /// What is asked.
    pub check: Check,
    /// From one probe of an endpoint to its next, at least 100 ms. Default 5 s.
    pub interval: Duration,
    /// For one probe, from the connect to its last byte. Default 2 s.
    pub timeout: Duration,
    /// Good results in a row until an unhealthy endpoint is healthy, from 1. Default 2.
    pub rise: u32,
    /// Bad results in a row until a healthy endpoint is unhealthy, from 1. Default 3.
    pub fall: u32,
}

/// What a probe does, and what it expects.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// A connection opens.
    Tcp,
    /// And a TLS handshake completes, with the cluster's own settings.
    Tls,
    /// The response to a request is as expected.
    Http(HttpCheck),
    /// An upgrade, a ping and its pong.
    Websocket(WebsocketCheck),
    /// A call of gRPC's health service (`grpc.health.v1.Health/Check`), which says that it serves.
    Grpc(GrpcCheck),
}

/// `probe = "http"`
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCheck {
    /// GET, HEAD or OPTIONS. Default GET.
    pub method: Method,
    /// Path and query; the endpoint's base path comes before it.
    pub path: String,
    /// Host; none is the endpoint's own.
    pub host: Option<HeaderValue>,
    /// Statuses that are good; at least one. Default 200 to 399.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// Text that the body must have within its first 64 KiB.
    pub body: Option<String>,
}

/// `probe = "websocket"`
#[derive(Clone, Debug, PartialEq)]
pub struct WebsocketCheck {
    /// Path and query; the endpoint's base path comes before it.
    pub path: String,
    /// Host; none is the endpoint's own.
    pub host: Option<HeaderValue>,
}

/// `probe = "grpc"`
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcCheck {
    /// The service that is asked about; empty for the server as a whole. Up to 1024 bytes.
    pub service: String,
    /// Host; none is the endpoint's own.
    pub host: Option<HeaderValue>,
}

impl HttpCheck {
    /// Whether a status is good.
    #[must_use]
    pub fn expects(&self, status: u16) -> bool {
        self.statuses.iter().any(|range| range.contains(&status))
    }
}
