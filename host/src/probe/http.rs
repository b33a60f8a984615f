//! A request, its status, and the beginning of its body.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request, header};
use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::result::{CheckFailure, ProbeResponse};
use crate::config::HttpCheck;
use crate::net::Stream;
use crate::upstream::HeadLimits;

/// Bytes of a body that are read; the rest is left where it is, and the connection with it.
const MOST_BODY: usize = 64 << 10;

/// Names the gateway in the logs of endpoints.
pub(super) const USER_AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"), " (probe)");

pub(super) fn request(
    check: &HttpCheck,
    base_path: &str,
    host: &HeaderValue,
) -> Result<Request<Empty<Bytes>>, ::http::Error> {
    Request::builder()
        .method(check.method.clone())
        .uri(format!("{base_path}{}", check.path))
        .header(header::HOST, host)
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close")
        .body(Empty::new())
}

/// Sends the request and reads the response. The connection ends with this.
pub(super) async fn exchange(
    stream: Stream,
    request: Request<Empty<Bytes>>,
    check: &HttpCheck,
    limits: HeadLimits,
    until: Instant,
    within: Duration,
    sink: &mut impl BodySink,
) -> Result<ResponseRead, CheckFailure> {
    // What clients would get is no failure here.
    let mut settings = http1::Builder::new();
    settings.max_buf_size(limits.bytes).max_headers(limits.fields);
    let handshake = settings.handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(CheckFailure::Broken)?;
    let exchange = async {
        let answer = tokio::time::timeout_at(until, sender.send_request(request)).await;
        let (head, body) =
            answer.map_err(|_elapsed| CheckFailure::TimedOut(within))?.map_err(CheckFailure::Broken)?.into_parts();
        if !check.expects(head.status.as_u16()) {
            return Err(CheckFailure::Status(head.status.as_u16()));
        }
        let is_late = read(body, until, CheckFailure::Broken, sink).await?;
        Ok(ResponseRead { headers: head.headers, is_late })
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        biased;
        result = &mut exchange => result,
        // The connection is through before its response has been read: it is in memory, all of it that is needed.
        _ended = &mut connection => exchange.await,
    }
}

/// Looks for the text that `check` wants in the beginning of a body.
pub(super) fn judge(
    check: &HttpCheck,
    response: ResponseRead,
    Beginning(body): Beginning,
    within: Duration,
) -> Result<ProbeResponse, CheckFailure> {
    match &check.body {
        Some(text) if memchr::memmem::find(&body, text.as_bytes()).is_some() => {}
        Some(_) if response.is_late => return Err(CheckFailure::TimedOut(within)),
        Some(_) => return Err(CheckFailure::Body),
        // A body that never ends, such as a stream of events, is no fault if it is not looked at.
        None => {}
    }
    Ok(ProbeResponse { headers: response.headers, body })
}

/// Reads a body until it ends, the sink has enough, or time is up; and says whether it was that.
pub(super) async fn read<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    until: Instant,
    broken: impl Fn(B::Error) -> CheckFailure,
    sink: &mut impl BodySink,
) -> Result<bool, CheckFailure> {
    loop {
        match tokio::time::timeout_at(until, body.frame()).await {
            Err(_elapsed) => return Ok(true),
            Ok(None) => return Ok(false),
            Ok(Some(frame)) => {
                let Ok(data) = frame.map_err(&broken)?.into_data() else { continue };
                if sink.take(&data)? == Appetite::Enough {
                    return Ok(false);
                }
            }
        }
    }
}

/// A response whose body has gone to a [`BodySink`].
pub(super) struct ResponseRead {
    pub(super) headers: HeaderMap,
    /// Time was up before the body was complete.
    pub(super) is_late: bool,
}

/// What takes a body, piece by piece.
pub(super) trait BodySink: Send {
    /// Takes a piece, and says whether it wants more.
    ///
    /// # Errors
    /// If the whole of it cannot be good any more.
    fn take(&mut self, piece: &[u8]) -> Result<Appetite, CheckFailure>;
}

/// Whether a sink wants more of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appetite {
    More,
    Enough,
}

/// The beginning of a body.
#[derive(Debug, Default)]
pub(super) struct Beginning(pub(super) Vec<u8>);

impl BodySink for Beginning {
    fn take(&mut self, piece: &[u8]) -> Result<Appetite, CheckFailure> {
        let room = piece.len().min(MOST_BODY.saturating_sub(self.0.len()));
        self.0.extend_from_slice(piece.get(..room).unwrap_or_default());
        Ok(if self.0.len() < MOST_BODY { Appetite::More } else { Appetite::Enough })
    }
}
