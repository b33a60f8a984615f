//! Clusters and their endpoints: what is shown of them, and what they report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterView {
    /// As configured.
    pub name: String,
    /// Its balancer; none if the cluster is no longer configured.
    pub balancer: Option<String>,
    /// What its endpoints are spoken to in: `h1`, `h2`, or `auto`; none if the cluster is no longer configured.
    pub protocol: Option<&'static str>,
    /// In the order of the configuration, removed ones last.
    pub endpoints: Vec<EndpointView>,
}

/// One endpoint of one cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointView {
    /// As configured, normalised; an address of a name has that address here.
    pub url: String,
    /// URL of the endpoint by whose name it was found; none if it is configured itself.
    pub found_by: Option<String>,
    /// `ready`, `drain`, `maint`, `spare`, `standby`; or `removed`: no longer configured, but it holds tunnels.
    pub state: &'static str,
    /// What it is spoken to in, `h1` or `h2`; none while it has yet to choose (`auto`), and if removed.
    pub protocol: Option<&'static str>,
    /// `healthy`, `suspect`, `paused`, `ejected` or `unhealthy`.
    pub health: &'static str,
    /// Since when it is that, RFC 3339.
    pub health_since: String,
    /// Why; none if it is healthy.
    pub health_reason: Option<String>,
    /// Load factor, 1.0 is normal; none if removed.
    pub weight: Option<f64>,
    /// Lower groups first; none if removed.
    pub group: Option<u32>,
    /// Requests and tunnels that it holds now, over all generations.
    pub in_flight: u32,
    /// Times it was chosen.
    pub picks: u64,
    /// Towards it.
    pub bytes_sent: u64,
    /// From it.
    pub bytes_received: u64,
    /// Failed connects and broken exchanges.
    pub failures: u64,
    /// Times it was left out for bad responses.
    pub ejections: u64,
    /// Probes that it passed.
    pub probes_passed: u64,
    /// Probes that it failed.
    pub probes_failed: u64,
    /// Smoothed time from choice to first byte in microseconds; none before the first.
    pub latency_us: Option<f64>,
    /// What it reports about itself, by the name of the signal; not there if its cluster has none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub signals: BTreeMap<String, SignalView>,
}

/// A number that an endpoint reports about itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalView {
    /// The last that was reported; none if nothing was.
    pub value: Option<f64>,
    /// How long ago that was, in milliseconds.
    pub age_ms: Option<u64>,
    /// Whether it counts still.
    pub fresh: bool,
}

/// What an endpoint, or a program that knows it, reports about the endpoint.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// URL of the endpoint, as [`ClusterView`] shows it.
    pub endpoint: String,
    /// Its numbers, by the name of the signal.
    pub signals: BTreeMap<String, f64>,
}
