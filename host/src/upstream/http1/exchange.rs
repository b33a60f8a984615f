//! From a request to the head of its response.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::{Method, Response, StatusCode};

use super::super::{
    Broken, ExchangeCause, ExchangeError, ExchangeObserver, PendingUpload, RequestHead, ResendableBody,
    ResponseContent, Unreadable,
};
use super::access::{ConnectionAccess, RemainingUpload};
use super::connection::{Connection, ReturnTo};
use super::decoder::BodyDecoder;
use super::download::Download;
use super::handshake::WebsocketKey;
use super::response::{self, BodyFraming, ResponseHead};
use super::upload::{Upload, UploadError};
use crate::http::RequestBodyError;
use crate::net::Duplex;

/// Where so much of a body came with its head, more of it is surely there, and no end.
const AHEAD: usize = 8 * 1024;

impl Connection {
    /// Sends a request and waits for the head of the response, each time for `within`: as long as the body makes
    /// progress, the endpoint is not expected to have responded. When the response has come to its end, the connection
    /// goes to `return_to`.
    ///
    /// # Errors
    /// [`ExchangeError`]. Where nothing was sent, `body` is whole again.
    pub(in super::super) async fn send(
        self,
        head: RequestHead<'_>,
        body: &mut ResendableBody,
        within: Duration,
        return_to: &Arc<impl ReturnTo + 'static>,
        observer: &mut dyn ExchangeObserver,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        let mut exchange = PendingExchange::new(self, head, body, within, observer);
        let head = poll_fn(|cx| exchange.poll_head(cx)).await?;
        Ok(exchange.into_response(head, return_to))
    }
}

/// A request that is under way.
struct PendingExchange<'a> {
    connection: Connection,
    upload: Upload,
    body: &'a mut ResendableBody,
    observer: &'a mut dyn ExchangeObserver,
    method: &'a Method,
    within: Duration,
    /// Bytes of the body that had gone out when the request was last looked at; none before the first time.
    seen: Option<u64>,
    /// The endpoint takes no more of the request. It may have said why.
    unwritten: Option<io::Error>,
    /// Bytes of heads that have come.
    received: usize,
    /// How much of what is unread has been searched for the end of a head.
    searched: usize,
    /// A 101 that came before all of the request had gone out.
    switched: Option<ResponseHead>,
    /// What a websocket's 101 has to be made from, if the client has not sent it.
    key: Option<WebsocketKey>,
}

impl<'a> PendingExchange<'a> {
    fn new(
        mut connection: Connection,
        head: RequestHead<'a>,
        body: &'a mut ResendableBody,
        within: Duration,
        observer: &'a mut dyn ExchangeObserver,
    ) -> Self {
        connection.timer.allow(head.first_wait(within));
        let key = WebsocketKey::needed_for(&head);
        let upload = Upload::new(&head, body, key.as_ref());
        Self {
            connection,
            upload,
            body,
            observer,
            method: head.method,
            within,
            seen: None,
            unwritten: None,
            received: 0,
            searched: 0,
            switched: None,
            key,
        }
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, ExchangeError>> {
        loop {
            if let Poll::Ready(failed) = self.poll_upload(cx) {
                return Poll::Ready(Err(failed));
            }
            if self.has_sent_all()
                && let Some(head) = self.switched.take()
            {
                return Poll::Ready(Ok(head));
            }
            // What comes behind a 101 is no HTTP.
            if self.switched.is_none()
                && let Poll::Ready(head) = self.poll_response(cx)
            {
                match head? {
                    // RFC 9110 §7.8: the new protocol begins behind the request, and that is not all there yet.
                    Some(head) if matches!(head.body, BodyFraming::Switched) && !self.has_sent_all() => {
                        self.upload.release();
                        self.switched = Some(head);
                    }
                    Some(head) => return Poll::Ready(Ok(head)),
                    None => {}
                }
                continue;
            }
            match self.poll_clock(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(late)) => return Poll::Ready(Err(late)),
                Poll::Ready(Ok(())) => {}
            }
        }
    }

    /// Whether nothing more of the request goes out.
    fn has_sent_all(&self) -> bool {
        self.upload.is_done() || self.unwritten.is_some()
    }

    /// Sends what there is of the request. Ready if that leads nowhere.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<ExchangeError> {
        if self.has_sent_all() {
            return Poll::Pending;
        }
        let Poll::Ready(Err(error)) = self.upload.poll(cx, &mut self.connection.stream, self.body) else {
            return Poll::Pending;
        };
        match error {
            UploadError::Body(error) => Poll::Ready(ExchangeError::of_body(error)),
            UploadError::Io(error) if self.upload.give_up(self.body) => {
                Poll::Ready(ExchangeError::before_sending(Broken::Io(error)))
            }
            UploadError::Io(error) => {
                self.unwritten = Some(error);
                Poll::Pending
            }
        }
    }

    /// Reads until the head of the response is there; none if the endpoint has asked for the body first.
    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<ResponseHead>, ExchangeError>> {
        loop {
            match ready!(self.connection.poll_fill(cx)) {
                Ok(fresh @ 1..) => self.received += fresh,
                ended => return Poll::Ready(Err(ExchangeError::broken(self.broken(ended.err())))),
            }
            let Connection { unread, limits, .. } = &mut self.connection;
            let mut continues = false;
            if response::may_end(unread, self.searched) {
                let mut interim = |status, fields: &_| match status {
                    StatusCode::CONTINUE => continues = true,
                    status => self.observer.interim(status, fields),
                };
                match response::read(unread, self.method, *limits, &mut interim) {
                    Ok(Some(mut head)) => {
                        if let (Some(key), BodyFraming::Switched) = (&self.key, &head.body) {
                            key.check(head.response.headers_mut()).map_err(ExchangeError::unreadable)?;
                        }
                        return Poll::Ready(self.look_ahead(cx, &head).map(|()| Some(head)));
                    }
                    Ok(None) => {}
                    Err(unreadable) => return Poll::Ready(Err(ExchangeError::unreadable(unreadable))),
                }
            }
            self.searched = unread.len();
            // Interim responses count: an endpoint that sends nothing else would never be through.
            if self.received > limits.bytes {
                return Poll::Ready(Err(ExchangeError::unreadable(Unreadable::LongHead(limits.bytes))));
            }
            if continues && self.upload.release() {
                self.connection.timer.allow(self.within);
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// What it means that nothing more comes, because of this error if there was one.
    fn broken(&mut self, error: Option<io::Error>) -> Broken {
        if self.received > 0 {
            return Broken::CutHead;
        }
        error.or(self.unwritten.take()).map_or(Broken::Closed, Broken::Io)
    }

    /// Looks at a body as far as it is there: as long as nothing of the response has gone out, the client can still be
    /// told what is wrong with it.
    fn look_ahead(&mut self, cx: &mut Context<'_>, head: &ResponseHead) -> Result<(), ExchangeError> {
        let BodyFraming::Coded(decoder) = &head.body else { return Ok(()) };
        let connection = &mut self.connection;
        if decoder.is_whole_in(&connection.unread).map_err(ExchangeError::unreadable)?
            || connection.unread.len() > AHEAD
        {
            return Ok(());
        }
        // A second packet may have come, or the end. Costs no system call if neither has.
        match connection.poll_fill(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(1..)) => {
                decoder.is_whole_in(&connection.unread).map(drop).map_err(ExchangeError::unreadable)
            }
            Poll::Ready(Ok(0) | Err(_)) if connection.unread.is_empty() => Err(ExchangeError::broken(decoder.cut())),
            // What came goes on, and is cut off there: it may be of use (RFC 9112 §8).
            Poll::Ready(Ok(0) | Err(_)) => Ok(()),
        }
    }

    /// Ready with what it means that client or endpoint has been waited for long enough.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ExchangeError>> {
        // At the first time that clock has just been set.
        if let Some(progress) = self.body.progress()
            && progress.has_moved(&mut self.seen)
        {
            self.connection.timer.allow(self.within);
        }
        if self.connection.timer.poll(cx).is_ready() {
            if self.upload.release() {
                self.connection.timer.allow(self.within);
                return Poll::Ready(Ok(()));
            }
            return Poll::Ready(Err(if self.unwritten.is_none() && self.upload.is_starved() {
                ExchangeError::of_body(RequestBodyError::Stalled)
            } else {
                ExchangeError::of_endpoint(ExchangeCause::TimedOut(self.within))
            }));
        }
        Poll::Pending
    }

    /// The response, its body as far as it is there.
    fn into_response(self, head: ResponseHead, return_to: &Arc<impl ReturnTo + 'static>) -> Response<ResponseContent> {
        let Self { mut connection, upload, body, within, unwritten, .. } = self;
        let mut decoder = match head.body {
            BodyFraming::Switched => {
                let Connection { stream, unread, .. } = connection;
                return head.response.map(|()| ResponseContent::Duplex(Box::new(Duplex::Socket(stream)), unread));
            }
            BodyFraming::Empty => BodyDecoder::Length(0),
            BodyFraming::Coded(decoder) => decoder,
        };
        // Most bodies are small and came with their heads.
        let first = decoder.take(&mut connection.unread);
        // A body that is not wanted is sent no further (RFC 9110 §10.1.1, RFC 9112 §9.5).
        let refused = upload.is_held() || (!head.persists && !head.response.status().is_success());
        let is_unsent = !upload.is_done() && (refused || unwritten.is_some());
        let persists = head.persists && !is_unsent && !matches!(decoder, BodyDecoder::UntilClose);
        let return_to = persists.then(|| Arc::clone(return_to) as Arc<dyn ReturnTo>);
        let sent = upload.is_done() || is_unsent;
        if let Ok(piece) = &first
            && decoder.is_done()
        {
            let whole = piece.clone().unwrap_or_default();
            let pending = if sent {
                if let Some(return_to) = return_to.filter(|_| connection.is_free()) {
                    return_to.put_back(connection);
                }
                None
            } else {
                let rest = RemainingUpload::start(connection, upload, body.take_rest());
                Some(PendingUpload::new(move || rest.finish_in_background(within, return_to)))
            };
            return head.response.map(|()| ResponseContent::Whole(whole, pending));
        }
        let access = if sent {
            ConnectionAccess::Own(connection)
        } else {
            ConnectionAccess::Shared(RemainingUpload::start(connection, upload, body.take_rest()))
        };
        let download = Download::new(access, decoder, first, within, return_to);
        head.response.map(|()| ResponseContent::Stream(Box::pin(download)))
    }
}
