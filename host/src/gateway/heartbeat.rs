//! Hearing Apache's mod_heartbeat: a socket, a task, and which endpoints a sender stands for.
//!
//! Anybody can send datagrams. One that is too long, is no heartbeat, or comes from an address that is no endpoint's
//! costs a read, a look and a count; nothing is kept of it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::Shared;
use super::generation::Generation;
use crate::cluster::{Cluster, Heartbeat, Source};
use crate::config::{self, EndpointAddress};
use crate::net;
use crate::telemetry::limited;

/// Pause after a read that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// The socket. Bound from the beginning; it hears from [`Self::start`] until the gateway drains.
#[derive(Debug)]
pub(super) struct Monitor {
    address: SocketAddr,
    /// Taken at the start.
    socket: Mutex<Option<std::net::UdpSocket>>,
}

/// The address of `[heartbeat]` cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("heartbeat: cannot listen on {address}: {source}{}", hint(source))]
pub struct MonitorError {
    /// Which.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    source: io::Error,
}

impl MonitorError {
    pub(super) fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process listens there: `ss -lunp` shows which",
        io::ErrorKind::PermissionDenied => "; choose a port above 1023",
        io::ErrorKind::AddrNotAvailable => "; no interface of this machine has that address",
        _ => "",
    }
}

impl Monitor {
    pub(super) fn bind(config: &config::Heartbeat) -> Result<Self, MonitorError> {
        let failed = |source| MonitorError { address: config.listen, source };
        let socket = net::bind_datagrams(config.listen).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { address, socket: Mutex::new(Some(socket)) })
    }

    /// Where it hears; the port is the real one.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hears, on the first worker. The second time does nothing.
    pub(super) fn start(&self, shared: &Arc<Shared>) {
        let Some(socket) = self.socket.lock().take() else { return };
        let (address, shared) = (self.address, shared.clone());
        // A stop that comes before the worker has begun waits for it, too.
        let on_its_way = shared.base.drain.hold();
        shared.clone().base.workers.run_on(0, move || {
            let drain = shared.base.drain.clone();
            drain.spawn(async move {
                tracing::info!(%address, "hearing heartbeats");
                if let Err(error) = hear(socket, &shared).await {
                    tracing::error!(%address, %error, "cannot hear heartbeats");
                }
            });
            drop(on_its_way);
        });
    }
}

async fn hear(socket: std::net::UdpSocket, shared: &Shared) -> io::Result<()> {
    let socket = UdpSocket::from_std(socket)?;
    let drain = &shared.base.drain;
    let mut senders = Senders::default();
    // One byte more than a heartbeat may have, so that a longer datagram is seen to be one.
    let mut buffer = [0; Heartbeat::LONGEST + 1];
    loop {
        let received = tokio::select! {
            biased;
            () = drain.started() => return Ok(()),
            received = socket.recv_from(&mut buffer) => received,
        };
        match received {
            Ok((length, sender)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                senders.refresh(&shared.current.load());
                if !senders.heard(sender.ip().to_canonical(), datagram, shared) {
                    tracing::debug!(%sender, "no heartbeat of an endpoint, ignored");
                    Source::Heartbeat.count_ignored(&shared.base.observers.metrics);
                }
            }
            Err(error) => {
                limited!(warn, of: (), %error, "a heartbeat could not be read");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Endpoints by address, of one generation, in clusters that want heartbeats.
#[derive(Default)]
struct Senders {
    /// Weak, as is all that is known of it: between two heartbeats, a generation may go.
    of: Weak<Generation>,
    allowed: Option<config::Heartbeat>,
    endpoints: HashMap<IpAddr, Vec<Endpoint>>,
}

struct Endpoint {
    port: u16,
    cluster: Weak<Cluster>,
    id: usize,
}

impl Senders {
    /// Makes it that of `generation`, if it is not.
    fn refresh(&mut self, generation: &Arc<Generation>) {
        if std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(generation)) {
            return;
        }
        self.of = Arc::downgrade(generation);
        self.allowed = generation.config.heartbeat.clone();
        self.endpoints.clear();
        for cluster in &generation.config.clusters {
            let Some(kept) = generation.clusters.get(&cluster.name) else { continue };
            if !kept.cluster.signals().want_heartbeats() {
                continue;
            }
            for (id, endpoint) in cluster.endpoints.iter().enumerate() {
                let EndpointAddress::Tcp(host, port) = &endpoint.address else { continue };
                let Ok(ip) = host.parse::<IpAddr>() else { continue };
                let cluster = Arc::downgrade(&kept.cluster);
                let of = self.endpoints.entry(ip.to_canonical()).or_default();
                of.push(Endpoint { port: *port, cluster, id });
            }
        }
    }

    /// Takes a datagram. False if it is none of an endpoint's.
    fn heard(&self, sender: IpAddr, datagram: &[u8], shared: &Shared) -> bool {
        let Some(endpoints) = self.endpoints.get(&sender) else { return false };
        if !self.allowed.as_ref().is_some_and(|heartbeat| heartbeat.allows(sender)) {
            return false;
        }
        let Some(heartbeat) = Heartbeat::read(datagram) else { return false };
        let now = Instant::now();
        let mut taken = 0;
        for endpoint in endpoints.iter().filter(|one| heartbeat.port.is_none_or(|port| port == one.port)) {
            let Some(cluster) = endpoint.cluster.upgrade() else { continue };
            let Some(member) = cluster.members().get(endpoint.id) else { continue };
            let reports = cluster.signals().read_heartbeat(&heartbeat);
            taken += cluster.signals().take(&reports, &member.live, now, &shared.base.observers.metrics);
        }
        taken > 0
    }
}
