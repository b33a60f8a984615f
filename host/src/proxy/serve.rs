//! A client's connection: its requests, one after the other or beside each other, and the tunnels that it may carry.

use std::sync::Arc;

use super::switch::{Tunnel, TunnelSlot};
use super::{Client, Snapshot, handle};
use crate::http::{self, Multiplexed, ServeError, Served, StreamOffer};
use crate::net::{Stream, UpgradeProtocol};
use crate::telemetry::{Counter, Gauge};

/// Serves the requests of `stream`, each under the snapshot that `current` gives when it comes, until the connection
/// ends or becomes a tunnel.
///
/// # Errors
/// [`ServeError`] if it ended in another way than the protocol provides for.
pub async fn serve(
    client: Arc<Client>,
    stream: Stream,
    current: impl Fn() -> Arc<Snapshot> + Send + Sync,
) -> Result<Option<Tunnel>, ServeError> {
    let tunnels = TunnelSlot::default();
    let served = http::serve(stream, client.limits, &client.drain, |request| {
        let (client, snapshot, tunnels) = (&client, current(), &tunnels);
        async move { handle::handle(client, &snapshot, tunnels, request).await }
    })
    .await;
    match (tunnels.take(), served) {
        // Its record has to end as a tunnel's as well if HTTP broke off behind the 101.
        (Some(tunnel), _) => Ok(Some(tunnel)),
        // Boxed: it is larger than what serves requests one after the other, and most connections are not of this kind.
        (None, Ok(Served::Multiplexed(connection))) => {
            Box::pin(serve_streams(&client, connection, current)).await.map(|()| None)
        }
        (None, served) => served.map(|_ended| None),
    }
}

/// Serves requests that do not wait for each other. Each is in a task of its own, as is the tunnel that it may become.
async fn serve_streams(
    client: &Arc<Client>,
    connection: Multiplexed,
    current: impl Fn() -> Arc<Snapshot>,
) -> Result<(), ServeError> {
    let metrics = &client.observers.metrics;
    metrics.increment(Counter::Http2Connection);
    let _open = metrics.hold(Gauge::Http2ConnectionsOpen);
    let offer = StreamOffer { websocket: current().may_switch_to(&UpgradeProtocol::Websocket) };
    let serve = connection.serve(offer, client.limits, &client.drain, metrics, |request| {
        let (client, snapshot) = (client.clone(), current());
        // Boxed: a spawned future is moved several times, and this one has some 10 KiB. It is gone before its response is
        // sent, and before a tunnel begins.
        Box::pin(async move {
            let tunnels = TunnelSlot::default();
            let response = handle::handle(&client, &snapshot, &tunnels, request).await;
            (response, tunnels.take())
        })
    });
    serve.await
}
