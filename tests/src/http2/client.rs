//! An HTTP/2 client.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use http_body_util::{BodyExt, Full};
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Error;

use super::body::{ReceivedBody, send_data};
use super::{FrameLog, Http2Io, Tap};
use crate::{Answer, BoxedIo, Websocket, within};

/// One connection, for many requests at once. Clones share it; when the last of them and of the streams on it that are
/// tunnels is gone, it is cut.
#[derive(Clone, Debug)]
pub struct Http2 {
    sender: SendRequest<Bytes>,
    driving: Arc<Driving>,
    frames: FrameLog,
}

/// The task that moves a connection, and how it ended.
#[derive(Debug)]
pub(super) struct Driving {
    task: AbortHandle,
    ended: Arc<Mutex<Option<Result<(), h2::Error>>>>,
}

/// A request that is under way, both directions by hand.
#[derive(Debug)]
pub struct Http2Exchange {
    send: SendStream<Bytes>,
    response: ResponseFuture,
    interim: Vec<Response<()>>,
    receive: Option<RecvStream>,
    driving: Arc<Driving>,
}

impl Http2 {
    /// Speaks HTTP/2 on `io`.
    ///
    /// # Panics
    /// If that fails.
    pub async fn new(io: BoxedIo) -> Self {
        Self::with(&Builder::new(), io).await
    }

    /// The same, set up otherwise.
    ///
    /// # Panics
    /// If it fails.
    pub async fn with(builder: &Builder, io: BoxedIo) -> Self {
        let (tap, frames) = Tap::of_client(io);
        let (sender, connection) = within("a handshake", builder.handshake(tap)).await.unwrap();
        let ended = Arc::new(Mutex::new(None));
        let task = tokio::spawn({
            let ended = ended.clone();
            async move {
                let end = connection.await;
                *ended.lock().unwrap() = Some(end);
            }
        });
        Self { sender, driving: Arc::new(Driving { task: task.abort_handle(), ended }), frames }
    }

    /// What was on the wire.
    #[must_use]
    pub fn frames(&self) -> &FrameLog {
        &self.frames
    }

    /// Whether the connection is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.driving.ended.lock().unwrap().is_some()
    }

    /// Begins a request, whose body follows unless it `ends` with its head. `Host` becomes the `:authority`.
    ///
    /// # Errors
    /// If the connection takes no more requests.
    pub async fn try_begin(&mut self, request: Request<()>, ends: bool) -> Result<Http2Exchange, h2::Error> {
        within("room for a stream", poll_fn(|cx| self.sender.poll_ready(cx))).await?;
        let (response, send) = self.sender.send_request(in_http2(request), ends)?;
        Ok(Http2Exchange { send, response, interim: Vec::new(), receive: None, driving: self.driving.clone() })
    }

    /// Begins a request whose body follows.
    ///
    /// # Panics
    /// If the connection takes no more requests.
    pub async fn begin(&mut self, request: Request<()>) -> Http2Exchange {
        self.try_begin(request, false).await.expect("a stream")
    }

    /// Sends a request, and reads the response to its end.
    ///
    /// # Errors
    /// If the stream or the connection breaks off.
    pub async fn try_send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, h2::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let mut exchange = self.try_begin(Request::from_parts(parts, ()), body.is_empty()).await?;
        if !body.is_empty() {
            exchange.send_all(body);
        }
        exchange.answer().await
    }

    /// Sends a request, and reads the response to its end.
    ///
    /// # Panics
    /// If the stream or the connection breaks off.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// Extended CONNECT (RFC 8441) with what a handshake of HTTP/1.1 would say: its target, its `Host`, the protocol in
    /// its `Upgrade`, its other fields.
    ///
    /// # Errors
    /// What was answered instead of a 2xx; a stream that breaks off is a connection that does.
    pub async fn try_connect(&mut self, request: Request<()>) -> Result<(Response<()>, Http2Io), Error> {
        self.frames.settled().await;
        let protocol = request.headers().get(UPGRADE).map_or("websocket", |value| value.to_str().unwrap());
        let protocol = Protocol::from(protocol);
        let mut request = request;
        for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_KEY] {
            request.headers_mut().remove(name);
        }
        *request.method_mut() = Method::CONNECT;
        request.extensions_mut().insert(protocol);
        let io = |error: h2::Error| Error::Io(std::io::Error::other(error));
        let mut exchange = self.try_begin(request, false).await.map_err(io)?;
        let response = exchange.head().await.map_err(io)?;
        if response.status().is_success() {
            let receive = exchange.receive.take().unwrap();
            return Ok((response, Http2Io::of_client(exchange.send, receive, exchange.driving)));
        }
        let body = exchange.rest().await.map_err(io)?.body;
        Err(Error::Http(Box::new(response.map(|()| Some(body.to_vec())))))
    }

    /// Opens a websocket.
    ///
    /// # Errors
    /// [`Error::Http`] is what was answered instead.
    pub async fn try_websocket(&mut self, request: Request<()>) -> Result<Websocket, Error> {
        let (head, io) = self.try_connect(request).await?;
        Ok(Websocket::over(Box::new(io), head).await)
    }

    /// Opens a websocket on `path`, and reads the greeting of the origin at the other end.
    ///
    /// # Panics
    /// If that fails.
    pub async fn websocket(&mut self, path: &str) -> Websocket {
        match self.try_websocket(crate::upgrade_request(path)).await {
            Ok(websocket) => websocket.greeted().await,
            Err(error) => panic!("websocket on {path}: {error:?}"),
        }
    }
}

impl Http2Exchange {
    /// Number of the stream.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.send.stream_id().as_u32()
    }

    /// Sends a piece of the body, as the other side's windows let it.
    ///
    /// # Panics
    /// If the stream is gone.
    pub async fn write(&mut self, piece: impl Into<Bytes>) {
        within("a piece to go out", send_data(piece.into(), &mut self.send)).await.expect("a piece goes out");
    }

    /// Ends the body.
    ///
    /// # Panics
    /// If the stream is gone.
    pub fn finish(&mut self) {
        self.send.send_data(Bytes::new(), true).expect("an end goes out");
    }

    /// Ends the body with trailers.
    ///
    /// # Panics
    /// If the stream is gone.
    pub fn finish_with(&mut self, trailers: HeaderMap) {
        self.send.send_trailers(trailers).expect("trailers go out");
    }

    /// Sends RST_STREAM.
    pub fn reset(&mut self, reason: Reason) {
        self.send.send_reset(reason);
    }

    /// The head of the response, once what comes before it is there; see [`Self::interim`].
    ///
    /// # Errors
    /// If the stream breaks off.
    pub async fn head(&mut self) -> Result<Response<()>, h2::Error> {
        let Self { response, interim, .. } = self;
        let mut response = pin!(response);
        let head = poll_fn(|cx| {
            while let Poll::Ready(Some(Ok(early))) = response.poll_informational(cx) {
                interim.push(early);
            }
            response.as_mut().poll(cx)
        });
        let (parts, receive) = within("the head of a response", head).await?.into_parts();
        self.receive = Some(receive);
        Ok(Response::from_parts(parts, ()))
    }

    /// Interim responses so far, without waiting.
    #[must_use]
    pub fn interim(&self) -> &[Response<()>] {
        &self.interim
    }

    /// Waits for the next interim response.
    ///
    /// # Panics
    /// If none comes.
    pub async fn next_interim(&mut self) -> Response<()> {
        let next = poll_fn(|cx| self.response.poll_informational(cx));
        within("an interim response", next).await.expect("an interim response").expect("an interim response")
    }

    /// The next piece of the response's body; none at its end.
    ///
    /// # Errors
    /// If the stream breaks off.
    ///
    /// # Panics
    /// Before [`Self::head`].
    pub async fn data(&mut self) -> Result<Option<Bytes>, h2::Error> {
        let receive = self.receive.as_mut().expect("the head comes first");
        let Some(data) = within("a piece", receive.data()).await.transpose()? else { return Ok(None) };
        receive.flow_control().release_capacity(data.len())?;
        Ok(Some(data))
    }

    /// Exactly so many bytes of the response's body, or all that are left.
    ///
    /// # Errors
    /// If the stream breaks off.
    pub async fn read(&mut self, count: usize) -> Result<Vec<u8>, h2::Error> {
        let mut all = Vec::new();
        while all.len() < count {
            let Some(data) = self.data().await? else { break };
            all.extend_from_slice(&data);
        }
        Ok(all)
    }

    /// The trailers of the response, after its body.
    ///
    /// # Errors
    /// If the stream breaks off.
    ///
    /// # Panics
    /// Before [`Self::head`].
    pub async fn trailers(&mut self) -> Result<HeaderMap, h2::Error> {
        let receive = self.receive.as_mut().expect("the head comes first");
        Ok(within("trailers", receive.trailers()).await?.unwrap_or_default())
    }

    /// The rest of the response, under status 200 if its head was read already.
    ///
    /// # Errors
    /// If the stream breaks off.
    pub async fn rest(mut self) -> Result<Answer, h2::Error> {
        let receive = self.receive.take().expect("the head comes first");
        let body = within("a body", ReceivedBody::new(receive).collect()).await?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        let (status, headers) = (StatusCode::OK, HeaderMap::new());
        Ok(Answer { status, headers, body: body.to_bytes(), trailers, interim: self.interim })
    }

    /// The response to its end.
    ///
    /// # Errors
    /// If the stream breaks off.
    pub async fn answer(mut self) -> Result<Answer, h2::Error> {
        let (head, ()) = self.head().await?.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, ..self.rest().await? })
    }

    /// Sends a whole body. The library keeps what the windows do not let out yet: the response may come before its end.
    fn send_all(&mut self, body: Bytes) {
        let _refused = self.send.send_data(body, true);
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request as HTTP/2 has it: `Host` is the `:authority`, and there is a `:scheme`.
fn in_http2(request: Request<()>) -> Request<()> {
    let (mut parts, ()) = request.into_parts();
    let host = parts.headers.remove(HOST);
    let mut uri = parts.uri.into_parts();
    if uri.authority.is_none()
        && let Some(host) = host
    {
        uri.authority = Some(Authority::from_maybe_shared(Bytes::copy_from_slice(host.as_bytes())).unwrap());
    }
    let scheme = uri.scheme.as_ref().map_or("http", Scheme::as_str);
    uri.scheme = Some(if matches!(scheme, "https" | "wss") { Scheme::HTTPS } else { Scheme::HTTP });
    uri.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    parts.uri = Uri::from_parts(uri).unwrap();
    parts.version = Version::HTTP_2;
    Request::from_parts(parts, ())
}
