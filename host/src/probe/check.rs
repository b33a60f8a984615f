//! One probe, of whatever kind.

use std::time::Duration;

use tokio::time::Instant;

use super::http::{Beginning, BodySink, ResponseRead};
use super::result::{CheckFailure, ProbeResponse};
use super::{grpc, http, http2, websocket};
use crate::config::{Check, HttpCheck};
use crate::upstream::{ConnectError, LoneConnection, Upstream};

/// Probes once, for as long as `within`. HTTP and websocket probes that pass have a response.
pub(super) async fn check(
    check: &Check,
    upstream: &Upstream,
    within: Duration,
) -> Result<Option<ProbeResponse>, CheckFailure> {
    let until = Instant::now() + within;
    let unreachable = |error: ConnectError| CheckFailure::Connect(error.fault);
    match check {
        Check::Tcp => upstream.dial_transport(within).await.map(|_open| None).map_err(unreachable),
        Check::Tls => upstream.dial(within).await.map(|_open| None).map_err(unreachable),
        Check::Http(check) => {
            let mut beginning = Beginning::default();
            let response = exchange(check, upstream, until, within, &mut beginning).await?;
            http::judge(check, response, beginning, within).map(Some)
        }
        Check::Grpc(check) => {
            let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
            match upstream.dial_apart(false, within).await.map_err(unreachable)? {
                LoneConnection::Http1(_) => Err(CheckFailure::NoHttp2),
                LoneConnection::Http2(lone) => {
                    grpc::call(*lone, check, upstream.base_path(), host, until, within).await.map(Some)
                }
            }
        }
        Check::Websocket(check) => {
            let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
            let opening = async {
                match upstream.dial_apart(true, within).await.map_err(unreachable)? {
                    LoneConnection::Http1(stream) => {
                        let request =
                            websocket::request(check, upstream.base_path(), host).map_err(CheckFailure::Target)?;
                        websocket::open(stream, request).await
                    }
                    LoneConnection::Http2(lone) => http2::open(*lone, check, upstream.base_path(), host, within).await,
                }
            };
            let late = |_elapsed| CheckFailure::TimedOut(within);
            let (mut socket, headers) = tokio::time::timeout_at(until, opening).await.map_err(late)??;
            tokio::time::timeout_at(until, websocket::ping(&mut socket)).await.map_err(late)??;
            websocket::close(socket, until).await;
            Ok(Some(ProbeResponse { headers, body: Vec::new() }))
        }
    }
}

/// One request on a connection of its own. The body goes to `sink`.
pub(super) async fn exchange(
    check: &HttpCheck,
    upstream: &Upstream,
    until: Instant,
    within: Duration,
    sink: &mut impl BodySink,
) -> Result<ResponseRead, CheckFailure> {
    let host = check.host.as_ref().unwrap_or_else(|| upstream.authority());
    let unreachable = |error: ConnectError| CheckFailure::Connect(error.fault);
    match upstream.dial_apart(false, within).await.map_err(unreachable)? {
        LoneConnection::Http1(stream) => {
            let request = http::request(check, upstream.base_path(), host).map_err(CheckFailure::Target)?;
            http::exchange(stream, request, check, upstream.head_limits(), until, within, sink).await
        }
        LoneConnection::Http2(lone) => {
            http2::exchange(*lone, check, upstream.base_path(), host, until, within, sink).await
        }
    }
}
