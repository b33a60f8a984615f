//! A client's connection: its requests, one after the other, and the tunnel that it may become.

use std::sync::Arc;

use super::switch::{Switch, Tunnel};
use super::{Client, Snapshot, handle};
use crate::http::{self, Limits, ServeError};
use crate::net::Stream;

/// Answers the requests of `stream`, each under the snapshot that `current` gives when it comes, until the connection
/// ends or becomes a tunnel.
///
/// # Errors
/// [`ServeError`] if it ended in another way than the protocol provides for.
pub async fn serve(
    client: Arc<Client>,
    stream: Stream,
    limits: Limits,
    current: impl Fn() -> Arc<Snapshot>,
) -> Result<Option<Tunnel>, ServeError> {
    let switch = Switch::new(limits);
    let served = http::serve(stream, limits, &client.drain, |request| {
        let (client, snapshot, switch) = (&client, current(), &switch);
        async move { handle::handle(client, &snapshot, switch, request).await }
    })
    .await;
    match switch.take() {
        // Its record is told as well if HTTP broke off behind the 101.
        Some(tunnel) => Ok(Some(tunnel)),
        None => served.map(|()| None),
    }
}
