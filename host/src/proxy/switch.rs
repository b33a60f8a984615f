//! From a response of 101 to a tunnel.

use std::pin::Pin;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, header};
use parking_lot::Mutex;

use super::in_flight::InFlight;
use super::snapshot::Timeouts;
use crate::http::{self, ClientUpgrade};
use crate::net::{Duplex, UpgradeProtocol};
use crate::telemetry::Counter;
use crate::tunnel::{End, FrameBoundaries, Opaque, Relay, Side, TunnelLimits};

/// A tunnel, to its end. It holds its lease (while it is in flight), the client's guard and a drain watch, and no
/// plugin.
pub type Tunnel = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes the tunnels that requests of one connection lead to. Each is to be run once the server has written its 101.
pub(super) trait TunnelSink: Sync {
    /// Takes one.
    fn accept(&self, tunnel: Tunnel);
}

/// Holds the tunnel that a connection becomes: in HTTP/1.1 there is one at the most, and it is run in the connection's
/// task.
#[derive(Default)]
pub(super) struct TunnelSlot(Mutex<Option<Tunnel>>);

impl TunnelSlot {
    /// The tunnel, if a request has led to one.
    pub(super) fn take(&self) -> Option<Tunnel> {
        self.0.lock().take()
    }
}

impl TunnelSink for TunnelSlot {
    fn accept(&self, tunnel: Tunnel) {
        *self.0.lock() = Some(tunnel);
    }
}

/// What a tunnel is relayed as.
enum TunnelKind {
    /// Bytes of a protocol that is not known.
    Opaque,
    /// Frames.
    Websocket,
    /// Frames, with pings after so long without a byte.
    PingedWebsocket(Duration),
}

/// The tunnel between a client that switches to `protocol` and an endpoint that has.
pub(super) fn tunnel(
    client: ClientUpgrade,
    endpoint: Side,
    protocol: &UpgradeProtocol,
    timeouts: &Timeouts,
    mut in_flight: InFlight,
) -> Tunnel {
    in_flight.begin_tunnel(protocol);
    let kind = match timeouts.tunnel_ping {
        _ if *protocol != UpgradeProtocol::Websocket => TunnelKind::Opaque,
        None => TunnelKind::Websocket,
        Some(every) => TunnelKind::PingedWebsocket(every),
    };
    let limits = TunnelLimits { idle: timeouts.tunnel_idle };
    // A block, not a function: the arguments of one would be held twice for as long as the tunnel lasts.
    Box::pin(async move {
        let Some((stream, early)) = client.into_duplex().await else {
            in_flight.end_tunnel(End::ClientGone);
            return;
        };
        let connection = in_flight.client().clone();
        let client = Side { stream, early };
        let (end, client) = match kind {
            TunnelKind::Opaque => {
                let mut relay = Relay::<Opaque>::new(client, endpoint, limits);
                (relay.run(&connection.drain, &mut in_flight).await, relay.into_client())
            }
            TunnelKind::Websocket => {
                let mut relay = Relay::<FrameBoundaries>::new(client, endpoint, limits);
                (relay.run(&connection.drain, &mut in_flight).await, relay.into_client())
            }
            TunnelKind::PingedWebsocket(every) => {
                // Boxed: it is larger than the others, whose tunnels would have its size too.
                let mut relay = Box::new(Relay::pinging(client, endpoint, limits, every));
                (relay.run(&connection.drain, &mut in_flight).await, relay.into_client())
            }
        };
        in_flight.end_tunnel(end);
        if end == End::EndpointGone
            && let Duplex::Socket(client) = client
        {
            // The client may be in the middle of sending, and has not read the endpoint's last words: its connection ends
            // in stages, and is not reset.
            client.socket().end_when_dropped();
            drop(in_flight);
            let lingered = connection.drain.unless_cut(Box::pin(http::linger(client, &connection.limits))).await;
            if let Some(Err(http::ServeError::Crowded)) = lingered {
                connection.observers.metrics.increment(Counter::ConnectionCrowded);
            }
        }
    })
}

/// Writes the fields that the client's 101 carries about the switch.
pub(super) fn write_switch_headers(headers: &mut HeaderMap, protocol: &UpgradeProtocol) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(value) = HeaderValue::from_str(protocol.as_str()) {
        headers.insert(header::UPGRADE, value);
    }
}
