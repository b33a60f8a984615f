//! One probe, of whatever kind.

use std::time::Duration;

use tokio::time::Instant;

use super::result::{CheckFailure, ProbeResponse};
use super::{http, websocket};
use crate::config::Check;
use crate::upstream::Upstream;

/// Probes once, for as long as `within`. HTTP and websocket probes that pass have a response.
pub(super) async fn check(
    check: &Check,
    upstream: &Upstream,
    within: Duration,
) -> Result<Option<ProbeResponse>, CheckFailure> {
    let until = Instant::now() + within;
    let connecting = async {
        match check {
            Check::Tcp => upstream.dial_transport(within).await,
            Check::Tls | Check::Http(_) | Check::Websocket(_) => upstream.dial(within).await,
        }
    };
    let stream = connecting.await.map_err(|error| CheckFailure::Connect(error.fault))?;
    let late = |_elapsed| CheckFailure::TimedOut(within);
    match check {
        Check::Tcp | Check::Tls => Ok(None),
        Check::Http(check) => {
            let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
            let request = http::request(check, upstream.base_path(), host).map_err(CheckFailure::Target)?;
            http::exchange(stream, request, check, upstream.head_limits(), until, within).await.map(Some)
        }
        Check::Websocket(check) => {
            let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
            let request = websocket::request(check, upstream.base_path(), host).map_err(CheckFailure::Target)?;
            let opening = tokio::time::timeout_at(until, websocket::open(stream, request));
            let (mut socket, headers) = opening.await.map_err(late)??;
            tokio::time::timeout_at(until, websocket::ping(&mut socket)).await.map_err(late)??;
            websocket::close(socket, until).await;
            Ok(Some(ProbeResponse { headers, body: Vec::new() }))
        }
    }
}
