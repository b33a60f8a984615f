//! From a request to the head of its response.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{Response, StatusCode};
use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use h2::ext::Protocol;
use http_body::Body as _;

use super::super::timer::LazyTimer;
use super::super::unreadable::Unreadable;
use super::super::{
    ExchangeCause, ExchangeError, ExchangeObserver, PendingUpload, RequestHead, ResendableBody, ResponseContent,
    Unsendable,
};
use super::connection::{Http2Connection, StreamClaim, StreamCount};
use super::download::{Http2Download, Patience, RestOfUpload};
use super::fault::StreamFault;
use super::request::encode;
use super::response::{HeadBudget, check_response, settle_length, stated_length};
use super::upgrade;
use super::upload::{Http2Upload, Http2UploadError};
use crate::http::{Http2Body, RequestBodyError, Wire};

impl Http2Connection {
    /// Sends a request and waits for the head of the response, each time for `within`: as long as the body makes
    /// progress, the endpoint is not expected to have responded.
    ///
    /// # Errors
    /// [`ExchangeError`]. Where nothing was sent, or nothing that the endpoint acts on, `body` is whole again.
    pub(in super::super) async fn send(
        self,
        head: RequestHead<'_>,
        body: &mut ResendableBody,
        within: Duration,
        observer: &mut dyn ExchangeObserver,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        let mut stream = PendingStream::begin(self, head, body, within, observer)?;
        let response = poll_fn(|cx| stream.poll_response(cx)).await?;
        Ok(stream.into_response(response))
    }
}

/// A request that is under way.
struct PendingStream<'a> {
    response: ResponseFuture,
    upload: Http2Upload,
    claim: Option<StreamClaim>,
    streams: Arc<StreamCount>,
    wire: Arc<Wire>,
    budget: HeadBudget,
    head: RequestHead<'a>,
    /// What it asks to switch to.
    protocol: Option<Protocol>,
    body: &'a mut ResendableBody,
    observer: &'a mut dyn ExchangeObserver,
    timer: LazyTimer,
    within: Duration,
    /// Bytes of the body that had gone out when the request was last looked at; none before the first time.
    seen: Option<u64>,
}

/// A response, and what of its body came with the head.
struct BegunResponse {
    head: Response<()>,
    recv: RecvStream,
    first: Option<Bytes>,
}

impl<'a> PendingStream<'a> {
    fn begin(
        connection: Http2Connection,
        head: RequestHead<'a>,
        body: &'a mut ResendableBody,
        within: Duration,
        observer: &'a mut dyn ExchangeObserver,
    ) -> Result<Self, ExchangeError> {
        let Http2Connection { mut sender, streams, wire, scheme, limits, claim } = connection;
        let protocol = upgrade::protocol(&head, body);
        let request = encode(&head, body, &scheme, protocol.clone()).map_err(ExchangeError::unsendable)?;
        let ends_at_once = protocol.is_none() && body.is_end_stream();
        let length = body.size_hint().exact().filter(|_| !ends_at_once && protocol.is_none());
        let (response, send) = sender.send_request(request, ends_at_once).map_err(|error| {
            // Nothing has begun: it is closing, broken, or out of numbers for streams.
            match StreamFault::of(error, &streams) {
                StreamFault::Broken(broken) => ExchangeError::before_sending(broken),
                StreamFault::Http1Required => ExchangeError::unsendable(Unsendable::Http1Required),
                StreamFault::Refused | StreamFault::Malformed(_) => ExchangeError::refused(),
            }
        })?;
        // What comes behind the head of an extended CONNECT is the tunnel's.
        let upload = Http2Upload::new(send, ends_at_once || protocol.is_some(), head.expects_continue, length);
        Ok(Self {
            response,
            upload,
            claim,
            streams,
            wire,
            budget: HeadBudget::new(limits),
            head,
            protocol,
            body,
            observer,
            timer: LazyTimer::new(head.first_wait(within)),
            within,
            seen: None,
        })
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Result<BegunResponse, ExchangeError>> {
        loop {
            if !self.upload.is_done()
                && let Poll::Ready(Err(Http2UploadError::Body(error))) = self.upload.poll(cx, self.body)
            {
                return Poll::Ready(Err(ExchangeError::of_body(error)));
            }
            match self.poll_interim(cx) {
                Ok(false) => {}
                Ok(true) => continue,
                Err(error) => return Poll::Ready(Err(error)),
            }
            match Pin::new(&mut self.response).poll(cx) {
                Poll::Ready(Ok(response)) => return Poll::Ready(self.take_response(cx, response)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.failed(error))),
                Poll::Pending => {}
            }
            match self.poll_clock(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(late)) => return Poll::Ready(Err(late)),
                Poll::Ready(Ok(())) => {}
            }
        }
    }

    /// Hands interim responses on that have come. Whether the endpoint has asked for a body that was held.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Result<bool, ExchangeError> {
        let mut released = false;
        while let Poll::Ready(Some(interim)) = self.response.poll_informational(cx) {
            let interim = interim.map_err(|error| self.failed(error))?;
            self.budget.take(interim.headers()).map_err(ExchangeError::unreadable)?;
            match interim.status() {
                StatusCode::CONTINUE => {
                    released |= self.upload.release();
                    self.timer.allow(self.within);
                }
                StatusCode::SWITCHING_PROTOCOLS => return Err(ExchangeError::unreadable(Unreadable::Switch)),
                status => {
                    check_response(interim.headers()).map_err(ExchangeError::unreadable)?;
                    self.observer.interim(status, interim.headers());
                }
            }
        }
        Ok(released)
    }

    /// Checks the head of a response, and takes what of its body is there.
    fn take_response(
        &mut self,
        cx: &mut Context<'_>,
        response: Response<RecvStream>,
    ) -> Result<BegunResponse, ExchangeError> {
        let (mut parts, mut recv) = response.into_parts();
        self.budget.take(&parts.headers).map_err(ExchangeError::unreadable)?;
        check_response(&parts.headers).map_err(ExchangeError::unreadable)?;
        settle_length(&mut parts.headers, parts.status);
        parts.version = ::http::Version::HTTP_11;
        let is_tunnel = self.protocol.is_some() && parts.status.is_success();
        let mut first = None;
        // Most bodies are small and came with their heads.
        if !is_tunnel && let Poll::Ready(Some(data)) = recv.poll_data(cx) {
            let data = data.map_err(|error| self.failed(error))?;
            recv.flow_control().release_capacity(data.len()).map_err(|error| self.failed(error))?;
            first = (!data.is_empty()).then_some(data);
        }
        Ok(BegunResponse { head: Response::from_parts(parts, ()), recv, first })
    }

    /// What it means that the stream has come to nothing.
    fn failed(&mut self, error: h2::Error) -> ExchangeError {
        match StreamFault::of(error, &self.streams) {
            StreamFault::Refused if self.upload.give_up(self.body) => ExchangeError::refused(),
            StreamFault::Http1Required if self.upload.give_up(self.body) => {
                ExchangeError::unsendable(Unsendable::Http1Required)
            }
            fault => fault.into_error(),
        }
    }

    /// Ready with what it means that client or endpoint has been waited for long enough.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ExchangeError>> {
        // At the first time that clock has just been set.
        if let Some(progress) = self.body.progress()
            && progress.has_moved(&mut self.seen)
        {
            self.timer.allow(self.within);
        }
        if self.timer.poll(cx).is_ready() {
            if self.upload.release() {
                self.timer.allow(self.within);
                return Poll::Ready(Ok(()));
            }
            return Poll::Ready(Err(if !self.upload.is_done() && self.upload.is_starved() {
                ExchangeError::of_body(RequestBodyError::Stalled)
            } else {
                self.streams.doubt();
                ExchangeError::of_endpoint(ExchangeCause::TimedOut(self.within))
            }));
        }
        Poll::Pending
    }

    /// The response, its body as far as it is there.
    fn into_response(self, response: BegunResponse) -> Response<ResponseContent> {
        let Self { upload, claim, streams, wire, head, protocol, body, timer, within, .. } = self;
        let BegunResponse { head: mut response, recv, first } = response;
        if let Some(protocol) = protocol {
            if response.status().is_success() {
                upgrade::switch(&mut response, &protocol, head.fields);
                let tunnel = upgrade::tunnel((upload.into_stream(), recv), wire, claim);
                return response.map(|()| ResponseContent::Duplex(tunnel, Bytes::new()));
            }
            upgrade::refuse(response.headers_mut());
        }
        let is_whole = recv.is_end_stream();
        // A body that was not asked for is not sent (RFC 9110 §10.1.1).
        let rest = (!upload.is_done() && !upload.is_held()).then(|| RestOfUpload::new(upload, body.take_rest()));
        if is_whole {
            let whole = first.unwrap_or_default();
            let pending = rest.map(|rest| {
                // The response has ended; the stream has not, for the endpoint may still want all of the request.
                PendingUpload::new(move || rest.finish_in_background(within, (recv, claim)))
            });
            return response.map(|()| ResponseContent::Whole(whole, pending));
        }
        let length = stated_length(response.headers(), head.method, response.status());
        let rest = rest.map(RestOfUpload::start);
        let patience = Patience::new(timer, within);
        let body = Http2Body::new(recv, &wire);
        let download = Http2Download::new(body, first, length, rest, patience, (claim, streams));
        response.map(|()| ResponseContent::Stream(Box::pin(download)))
    }
}
