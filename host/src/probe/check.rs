//! One probe, of whatever kind.

use std::time::Duration;

use ::http::HeaderMap;
use tokio::time::Instant;

use super::{http, websocket};
use crate::config::{Check, show_duration};
use crate::upstream::{ConnectFault, Upstream};

/// What an endpoint answered to a probe that it passed.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    /// Its first 64 KiB; nothing where it is the answer to an upgrade.
    pub(super) body: Vec<u8>,
}

/// Why a probe failed: one line for an operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(ConnectFault),
    /// Connected, but not through in time.
    #[error("not answered within {}", show_duration(*.0))]
    TimedOut(Duration),
    /// It broke off, or spoke something else.
    #[error("broke off: {0}")]
    Broken(hyper::Error),
    /// Not one of the statuses that are good.
    #[error("answered {0}")]
    Status(u16),
    /// The text was not there.
    #[error("the answer is without the expected text")]
    Body,
    /// The base path and the path make no request target.
    #[error("its path makes no request target: {0}")]
    Target(::http::Error),
    /// No upgrade, or a connection that broke after it.
    #[error("no websocket: {0}")]
    Websocket(Box<tokio_tungstenite::tungstenite::Error>),
    /// It went away instead of answering a ping.
    #[error("no pong")]
    NoPong,
}

/// Probes once, for as long as `within`. There is an answer to HTTP and websocket probes.
pub(super) async fn check(check: &Check, upstream: &Upstream, within: Duration) -> Result<Option<Answer>, Failure> {
    let until = Instant::now() + within;
    let connecting = async {
        match check {
            Check::Tcp => upstream.dial_transport(within).await,
            Check::Tls | Check::Http(_) | Check::Websocket(_) => upstream.dial(within).await,
        }
    };
    let stream = connecting.await.map_err(|error| Failure::Connect(error.fault))?;
    let late = |_elapsed| Failure::TimedOut(within);
    match check {
        Check::Tcp | Check::Tls => Ok(None),
        Check::Http(check) => {
            let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
            let request = http::request(check, upstream.base_path(), host).map_err(Failure::Target)?;
            http::exchange(stream, request, check, upstream.head_limits(), until, within).await.map(Some)
        }
        Check::Websocket(check) => {
            let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
            let request = websocket::request(check, upstream.base_path(), host).map_err(Failure::Target)?;
            let opening = tokio::time::timeout_at(until, websocket::open(stream, request));
            let (mut socket, headers) = opening.await.map_err(late)??;
            tokio::time::timeout_at(until, websocket::ping(&mut socket)).await.map_err(late)??;
            websocket::close(socket, until).await;
            Ok(Some(Answer { headers, body: Vec::new() }))
        }
    }
}
