//! From an answer of 101 to a tunnel.

use std::pin::Pin;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, header};
use parking_lot::Mutex;

use super::in_flight::InFlight;
use crate::http::{self, ClientUpgrade};
use crate::net::{Duplex, UpgradeProtocol};
use crate::telemetry::Counter;
use crate::tunnel::{End, Limits, Relay, Side};

/// What a client's connection becomes behind a 101, to its end. It holds its lease (while it is in flight), the
/// client's permit and a drain watch, and no plugin. To be run once HTTP is through.
pub type Tunnel = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a request leaves the tunnel that its connection becomes. One for each connection.
pub(super) struct Switch {
    tunnel: Mutex<Option<Tunnel>>,
    /// What the client may take, also when its tunnel has ended.
    limits: http::Limits,
}

impl Switch {
    pub(super) fn new(limits: http::Limits) -> Self {
        Self { tunnel: Mutex::default(), limits }
    }

    /// The tunnel, if a request has left one.
    pub(super) fn take(&self) -> Option<Tunnel> {
        self.tunnel.lock().take()
    }

    /// Leaves a tunnel to `protocol` behind.
    pub(super) fn to(
        &self,
        client: ClientUpgrade,
        endpoint: Side,
        protocol: &UpgradeProtocol,
        idle: Duration,
        mut in_flight: InFlight,
    ) {
        in_flight.begin_tunnel(protocol.as_str());
        let protocol = protocol.clone();
        let limits = self.limits;
        // A block, not a function: the arguments of one would be held twice for as long as the tunnel lasts.
        let tunnel = Box::pin(async move {
            let Some((stream, early)) = client.into_duplex().await else {
                in_flight.end_tunnel(End::ClientGone);
                return;
            };
            let connection = in_flight.client().clone();
            let client = Side { stream, early };
            let mut relay = Relay::new(client, endpoint, &protocol, Limits { idle });
            let end = relay.run(&connection.drain, &mut in_flight).await;
            in_flight.end_tunnel(end);
            if end == End::EndpointGone
                && let Duplex::Socket(client) = relay.into_client()
            {
                // The client may be in the middle of sending, and has not read the endpoint's last words.
                drop(in_flight);
                let lingered = connection.drain.unless_cut(Box::pin(http::linger(client, &limits))).await;
                if let Some(Err(http::ServeError::Crowded)) = lingered {
                    connection.observers.metrics.increment(Counter::ConnectionCrowded);
                }
            }
        });
        *self.tunnel.lock() = Some(tunnel);
    }
}

/// The fields that the client's 101 carries about the switch.
pub(super) fn announce(headers: &mut HeaderMap, protocol: &UpgradeProtocol) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(value) = HeaderValue::from_str(protocol.as_str()) {
        headers.insert(header::UPGRADE, value);
    }
}
