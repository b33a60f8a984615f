//! The same requests over HTTP/2.

use std::borrow::Cow;
use std::time::Duration;

use ::http::header::{self, HeaderMap, HeaderValue};
use ::http::{Method, StatusCode};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::http::{BodySink, ResponseRead, USER_AGENT, read};
use super::result::CheckFailure;
use super::websocket;
use crate::config::{HttpCheck, WebsocketCheck};
use crate::http::{Fields, Offer};
use crate::net::Duplex;
use crate::upstream::{Broken, ExchangeCause, ExchangeError, LoneRequest, RequestHead, ResponseContent};

/// Sends the request of `check` and reads the response. The connection ends with this.
pub(super) async fn exchange(
    request: LoneRequest,
    check: &HttpCheck,
    base_path: &str,
    host: &HeaderValue,
    until: Instant,
    within: Duration,
    sink: &mut impl BodySink,
) -> Result<ResponseRead, CheckFailure> {
    let target = format!("{base_path}{}", check.path);
    let mut fields = Fields::default();
    for (name, value) in [(header::USER_AGENT, USER_AGENT), (header::ACCEPT, "*/*")] {
        fields.push(Cow::Owned(name), Cow::Owned(HeaderValue::from_static(value)));
    }
    let (method, fields) = (&check.method, &fields);
    let head = RequestHead { method, target: &target, authority: host, fields, offer: None, expects_continue: false };
    let sending = tokio::time::timeout_at(until, request.send(head, within));
    let response =
        sending.await.map_err(|_elapsed| CheckFailure::TimedOut(within))?.map_err(|error| failure(error, within))?;
    let (head, content) = response.into_parts();
    if !check.expects(head.status.as_u16()) {
        return Err(CheckFailure::Status(head.status.as_u16()));
    }
    let is_late = match content {
        ResponseContent::Whole(bytes, _) => {
            sink.take(&bytes)?;
            false
        }
        ResponseContent::Stream(stream) => {
            read(stream, until, |broken| CheckFailure::Exchange(ExchangeCause::Broken(broken)), sink).await?
        }
        ResponseContent::Duplex(..) => return Err(CheckFailure::Status(head.status.as_u16())),
    };
    Ok(ResponseRead { headers: head.headers, is_late })
}

/// The websocket, and the fields of the response that it was opened with (RFC 8441).
pub(super) async fn open(
    request: LoneRequest,
    check: &WebsocketCheck,
    base_path: &str,
    host: &HeaderValue,
    within: Duration,
) -> Result<(WebSocketStream<Duplex>, HeaderMap), CheckFailure> {
    let target = format!("{base_path}{}", check.path);
    let offer = Offer::of(["websocket"]);
    let mut fields = Fields::default();
    fields.push(Cow::Owned(header::SEC_WEBSOCKET_VERSION), Cow::Owned(HeaderValue::from_static("13")));
    let (method, fields, offer) = (&Method::GET, &fields, offer.as_ref());
    let head = RequestHead { method, target: &target, authority: host, fields, offer, expects_continue: false };
    let response = request.send(head, within).await.map_err(|error| failure(error, within))?;
    let (head, content) = response.into_parts();
    match content {
        ResponseContent::Duplex(duplex, _) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
            let limits = Some(websocket::limits());
            Ok((WebSocketStream::from_raw_socket(*duplex, Role::Client, limits).await, head.headers))
        }
        _ => Err(CheckFailure::Status(head.status.as_u16())),
    }
}

pub(super) fn failure(error: ExchangeError, within: Duration) -> CheckFailure {
    match error.cause {
        ExchangeCause::TimedOut(_) => CheckFailure::TimedOut(within),
        cause @ ExchangeCause::Broken(Broken::Reset(_)) => CheckFailure::Reset(cause),
        cause => CheckFailure::Exchange(cause),
    }
}
