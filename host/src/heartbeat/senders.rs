//! Which endpoints a sender of heartbeats stands for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use crate::cluster::{Cluster, Heartbeat};
use crate::config::{self, Config, EndpointAddress};
use crate::telemetry::Metrics;

/// Endpoints by address, of one generation, in clusters that want heartbeats.
#[derive(Debug, Default)]
pub struct HeartbeatSenders {
    /// Number of the generation; none before the first.
    generation: Option<u64>,
    allowed: Option<config::HeartbeatConfig>,
    endpoints: HashMap<IpAddr, Vec<HeartbeatSender>>,
}

/// An endpoint that heartbeats may come from.
#[derive(Debug)]
struct HeartbeatSender {
    port: u16,
    /// Weak: between two heartbeats, a generation may go.
    cluster: Weak<Cluster>,
    id: usize,
}

impl HeartbeatSenders {
    /// Those of generation `generation`, which serves `config` with the clusters that `cluster` gives by name.
    pub fn new<'a>(generation: u64, config: &Config, cluster: impl Fn(&str) -> Option<&'a Arc<Cluster>>) -> Self {
        let mut endpoints: HashMap<IpAddr, Vec<HeartbeatSender>> = HashMap::new();
        for configured in &config.clusters {
            let Some(cluster) = cluster(&configured.name).filter(|cluster| cluster.signals().want_heartbeats()) else {
                continue;
            };
            for (id, endpoint) in configured.endpoints.iter().enumerate() {
                let EndpointAddress::Tcp(host, port) = &endpoint.address else { continue };
                let Ok(ip) = host.parse::<IpAddr>() else { continue };
                let sender = HeartbeatSender { port: *port, cluster: Arc::downgrade(cluster), id };
                endpoints.entry(ip.to_canonical()).or_default().push(sender);
            }
        }
        Self { generation: Some(generation), allowed: config.heartbeat.clone(), endpoints }
    }

    /// Whether they are those of generation `generation`.
    #[must_use]
    pub fn are_of(&self, generation: u64) -> bool {
        self.generation == Some(generation)
    }

    /// Passes the load in `datagram` on to the endpoints at `sender`. False if it is none of an endpoint's.
    pub(super) fn report(&self, sender: IpAddr, datagram: &[u8], metrics: &Metrics) -> bool {
        let Some(endpoints) = self.endpoints.get(&sender) else { return false };
        if !self.allowed.as_ref().is_some_and(|heartbeat| heartbeat.allows(sender)) {
            return false;
        }
        let Some(heartbeat) = Heartbeat::read(datagram) else { return false };
        let mut taken = 0;
        for endpoint in endpoints.iter().filter(|one| heartbeat.port.is_none_or(|port| port == one.port)) {
            let Some(cluster) = endpoint.cluster.upgrade() else { continue };
            let Some(member) = cluster.members().get(endpoint.id) else { continue };
            let reports = cluster.signals().read_heartbeat(&heartbeat);
            taken += cluster.signals().take(&reports, &member.live, member.live.now(), metrics);
        }
        taken > 0
    }
}
