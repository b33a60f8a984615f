//! A client's connection: its requests, one after the other, and the tunnel that it may become.

use std::sync::Arc;

use super::switch::{Tunnel, TunnelSlot};
use super::{Client, Snapshot, handle};
use crate::http::{self, ServeError};
use crate::net::Stream;

/// Serves the requests of `stream`, each under the snapshot that `current` gives when it comes, until the connection
/// ends or becomes a tunnel.
///
/// # Errors
/// [`ServeError`] if it ended in another way than the protocol provides for.
pub async fn serve(
    client: Arc<Client>,
    stream: Stream,
    current: impl Fn() -> Arc<Snapshot>,
) -> Result<Option<Tunnel>, ServeError> {
    let tunnels = TunnelSlot::default();
    let served = http::serve(stream, client.limits, &client.drain, |request| {
        let (client, snapshot, tunnels) = (&client, current(), &tunnels);
        async move { handle::handle(client, &snapshot, tunnels, request).await }
    })
    .await;
    match tunnels.take() {
        // Its record has to end as a tunnel's as well if HTTP broke off behind the 101.
        Some(tunnel) => Ok(Some(tunnel)),
        None => served.map(|()| None),
    }
}
