//! From an answer of 101 to a tunnel.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;

use super::Client;
use super::record::Record;
use crate::http::{self, Body, Offer, reply, switched_to};
use crate::tunnel::{End, Limits, Protocol, Relay, Side};

/// How long hyper may take to hand the client's stream over after the 101. It needs one write; this is for a client that
/// vanishes in between.
const HAND_OVER: Duration = Duration::from_secs(10);

/// Both ends of a tunnel to be: the client's as hyper promises it.
pub(super) struct Switch {
    pub(super) client: OnUpgrade,
    pub(super) endpoint: Side,
    pub(super) idle: Duration,
}

/// The fields that the client's 101 carries about the switch.
pub(super) fn announce(headers: &mut HeaderMap, protocol: &str) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(value) = HeaderValue::from_str(protocol) {
        headers.insert(header::UPGRADE, value);
    }
}

/// The protocol that a 101 switches to.
///
/// # Errors
/// The 502 for the client, if the endpoint switched to something that nobody asked for.
pub(super) fn check(headers: &HeaderMap, offer: Option<&Offer>, endpoint: &str) -> Result<String, Box<Response<Body>>> {
    switched_to(headers, offer).map_err(|wrong| {
        tracing::warn!(endpoint, wrong, "switch refused");
        Box::new(reply::sentence(StatusCode::BAD_GATEWAY, "the endpoint switched to a protocol nobody asked for"))
    })
}

/// Starts the tunnel. It holds its lease (in `record`), the client's permit and a drain watch, and no plugin.
pub(super) fn start(client: &Arc<Client>, switch: Switch, protocol: &str, mut record: Record) {
    record.switched(protocol);
    let kind = if protocol == "websocket" { Protocol::Websocket } else { Protocol::Opaque };
    let client = client.clone();
    let drain = client.drain.clone();
    drain.spawn(async move {
        let Some(relay) = join(switch, kind).await else {
            record.ended(End::ClientGone);
            return;
        };
        let end = relay.run(&client.drain, &mut record).await;
        record.ended(end);
    });
}

/// Takes the client's stream out of hyper, with what it had read too far.
async fn join(switch: Switch, kind: Protocol) -> Option<Relay> {
    let Switch { client, endpoint, idle } = switch;
    let client = match tokio::time::timeout(HAND_OVER, client).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => {
            tracing::debug!(%error, "switch broke off");
            return None;
        }
        Err(_elapsed) => return None,
    };
    let (stream, early) = http::take_back(client).ok()?;
    Some(Relay::new(Side { stream, early }, endpoint, kind, Limits { idle }))
}
