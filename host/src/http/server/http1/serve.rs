//! One client connection, from its first byte to its last request.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use bytes::Bytes;
use http_body::Body as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep};

use super::incoming::{Incoming, expects_continue};
use super::preface;
use super::request_line;
use super::response::{GuardedBody, ResponseGuard};
use super::state::{ClientPresence, ConnectionState, Overdue};
use super::stream::GuardedStream;
use super::trailers;
use super::upgrade::Http1Upgrade;
use crate::http::message::{
    ClientUpgrade, Refused, RequestBody, ResponseBody, ServerRequest, UpgradeNeed, UpgradeRequest, Violation, offered,
};
use crate::http::server::error::ServeError;
use crate::http::server::http2::Multiplexed;
use crate::http::server::limits::{ClientLimits, HttpVersions};
use crate::http::server::served::Served;
use crate::lifecycle::Drain;
use crate::net::Stream;

/// How long a connection that was accepted just before a drain may take to send its first byte.
const GRACE: Duration = Duration::from_millis(100);

/// How far a drain has come for one connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DrainStage {
    No,
    /// It may still send its first request, until then.
    Soon(Instant),
    /// It ends with the request that it is at.
    Asked,
}

/// Serves the requests of `stream` with `handler` until the client leaves, upgrades, is too slow, or the gateway
/// drains; or not at all, if the client speaks HTTP/2.
///
/// A request that is not served is given to `handler` as well, once and as the last one: it has the sentence for it,
/// and the line in the log.
///
/// # Errors
/// [`ServeError`] if it ended in another way than the protocol provides for.
pub async fn serve<H, F>(stream: Stream, limits: ClientLimits, drain: &Drain, handler: H) -> Result<Served, ServeError>
where
    H: Fn(ServerRequest) -> F,
    F: Future<Output = Response<ResponseBody>>,
{
    if limits.versions.begin_with_http2(&stream) {
        return Ok(Served::Multiplexed(Multiplexed::new(stream, Bytes::new())));
    }
    let state = ConnectionState::new(limits);
    let service = service_fn(|request| respond(&state, &handler, request));
    let io = TokioIo::new(GuardedStream::new(stream, state.clone()));
    let mut builder = http1::Builder::new();
    builder
        // Whether a client that has ended its direction has left is decided here: see `GuardedStream`.
        .half_close(true)
        .max_buf_size(limits.longest_head())
        .max_headers(limits.head_fields)
        // hyper's own timer is armed for each request; ours is one for the connection, and lazy.
        .header_read_timeout(None);
    let mut connection = builder.serve_connection(io, service).with_upgrades();
    let mut draining = pin!(drain.started());
    let mut timer = pin!(tokio::time::sleep(limits.head_timeout));
    let mut ending = DrainStage::No;
    loop {
        let ended = poll_fn(|cx| {
            if ending == DrainStage::No && draining.as_mut().poll(cx).is_ready() {
                let until = Instant::now() + GRACE;
                ending = DrainStage::Soon(until);
                if timer.deadline() > until {
                    timer.as_mut().reset(until);
                }
            }
            if let DrainStage::Soon(until) = ending
                && (state.is_touched() || Instant::now() >= until)
            {
                ending = DrainStage::Asked;
                if !state.is_touched() || state.is_between_requests() {
                    state.expect_no_more();
                }
                Pin::new(&mut connection).graceful_shutdown();
            }
            if let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
                let crowded = state.is_crowded().then_some(ServeError::Crowded);
                return Poll::Ready(
                    result.map_err(|error| ServeError::Http(error.into())).and(crowded.map_or(Ok(()), Err)),
                );
            }
            // Polled first: a response that is there at once goes out to every client.
            match state.presence() {
                ClientPresence::There => {}
                ClientPresence::Silent | ClientPresence::Gone => return Poll::Ready(Err(ServeError::Left)),
            }
            poll_clock(cx, timer.as_mut(), &state)
        })
        .await;
        let Err(ServeError::Http(error)) = ended else { return ended.map(|()| Served::Ended) };
        let Some(parts) = connection.into_parts().filter(|_| is_parse_error(&*error)) else {
            return Err(ServeError::Http(error));
        };
        let may_turn = state.is_first() && limits.versions.may_turn_to_http2(parts.io.inner().stream());
        if may_turn && preface::begins(&parts.read_buf) {
            let (stream, rest) = parts.io.into_inner().into_parts();
            let ahead = [&parts.read_buf[..], &rest].concat().into();
            return Ok(Served::Multiplexed(Multiplexed::new(stream, ahead)));
        }
        let is_preface = preface::begins(&parts.read_buf);
        let violation = if is_preface { Violation::Http2 } else { why(&parts.read_buf, &limits) };
        if !state.reject_head(violation, &parts.read_buf) {
            // Something was on its way, and hyper has said a bare 400 behind it.
            let request = Err(Refused::new(violation, &parts.read_buf));
            let refused = ServerRequest { version: Version::HTTP_11, request, upgrade: None, interim: None };
            drop(Box::pin(handler(refused)).await);
            return Err(ServeError::Http(error));
        }
        connection = builder.serve_connection(parts.io, parts.service).with_upgrades();
    }
}

/// Whether hyper could not read a head.
fn is_parse_error(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
}

/// What hyper found wrong with `head`, which its parser is asked once more.
fn why(head: &[u8], limits: &ClientLimits) -> Violation {
    if let Err(violation) = request_line::check(head) {
        return violation;
    }
    let mut fields = vec![httparse::EMPTY_HEADER; limits.head_fields];
    match httparse::Request::new(&mut fields).parse(head) {
        Err(httparse::Error::TooManyHeaders) => Violation::ManyFields,
        Err(httparse::Error::NewLine) => Violation::LineEnd,
        Err(_other) => Violation::Field,
        // Not whole: its target was escaped, and has grown beyond the limit.
        Ok(httparse::Status::Partial) => Violation::LongHead,
        Ok(httparse::Status::Complete(_)) => Violation::LongTarget,
    }
}

/// Ready when the client has been too slow. The timer is only moved when it rings or would ring too late.
fn poll_clock(
    cx: &mut Context<'_>,
    mut timer: Pin<&mut Sleep>,
    state: &ConnectionState,
) -> Poll<Result<(), ServeError>> {
    let limits = state.limits();
    loop {
        let due = state.due();
        if let Some((due, _)) = due
            && due < timer.deadline()
        {
            timer.as_mut().reset(due);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let now = Instant::now();
        match due {
            Some((due, what)) if due <= now => match what {
                Overdue::Idle | Overdue::Closing => return Poll::Ready(Ok(())),
                Overdue::Reader => {
                    state.give_up();
                    return Poll::Ready(Err(ServeError::SlowReader(limits.idle_timeout)));
                }
                Overdue::Head => return Poll::Ready(Err(ServeError::SlowHead(limits.head_timeout))),
                // Its next poll fails, and the handler responds.
                Overdue::Body => state.stall(),
                Overdue::Look => {
                    state.set_stuck();
                    // The guard looks when hyper is polled.
                    cx.waker().wake_by_ref();
                }
            },
            Some((due, _)) => timer.as_mut().reset(due),
            None => timer.as_mut().reset(now + limits.idle_timeout),
        }
    }
}

async fn respond<H, F>(
    state: &Arc<ConnectionState>,
    handler: &H,
    mut request: Request<hyper::body::Incoming>,
) -> Result<Response<GuardedBody>, Infallible>
where
    H: Fn(ServerRequest) -> F,
    F: Future<Output = Response<ResponseBody>>,
{
    let (number, begun) = state.begin(!request.body().is_end_stream(), is_last(&request));
    let guard = ResponseGuard(state.clone());
    let upgrade = upgrade_in(&mut request);
    let request = begun.and_then(|query| {
        if state.limits().versions == HttpVersions::Http2 {
            return Err(unspoken(&request));
        }
        if let Some(query) = query {
            request.extensions_mut().insert(query);
        }
        let expected = expects_continue(&request)?;
        Ok(request.map(|body| match body.is_end_stream() {
            true => RequestBody::Empty,
            false => RequestBody::Http1(Incoming::new(body, state, number, expected)),
        }))
    });
    let mut response = handler(ServerRequest { version: Version::HTTP_11, request, upgrade, interim: None }).await;
    if state.begin_response() {
        // RFC 9110 §10.1.1, RFC 9112 §9.6: a client that is not listened to any more should see that.
        say_close(response.headers_mut());
    }
    if response.body().size_hint().exact().is_none() {
        trailers::declare(response.headers_mut());
    }
    Ok(response.map(|body| GuardedBody::new(body, guard)))
}

/// What a request in HTTP/1.1 is where that is not spoken: its client is told so in the words that it understands.
#[cold]
fn unspoken<B>(request: &Request<B>) -> Refused {
    let target = request.uri().to_string();
    Refused::new(Violation::Http1, format!("{} {target}", request.method()).as_bytes())
}

fn upgrade_in(request: &mut Request<hyper::body::Incoming>) -> Option<UpgradeRequest> {
    let connection = request.extensions_mut().remove::<OnUpgrade>()?;
    let offer = offered(request, !request.body().is_end_stream())?;
    Some(UpgradeRequest {
        offer,
        client: ClientUpgrade::Http1(Http1Upgrade::new(connection)),
        need: UpgradeNeed::Optional,
    })
}

fn say_close(headers: &mut HeaderMap) {
    let close = HeaderValue::from_static("close");
    if !headers.get_all(header::CONNECTION).iter().any(|option| option == close) {
        headers.append(header::CONNECTION, close);
    }
}

/// Whether a client sends nothing behind `request`, as it says itself (RFC 9112 §9.3).
fn is_last<B>(request: &Request<B>) -> bool {
    match request.headers().get(header::CONNECTION) {
        Some(options) => options.as_bytes().eq_ignore_ascii_case(b"close"),
        None => request.version() == Version::HTTP_10,
    }
}
