//! From a request to the head of its answer.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::{Method, Response};

use super::super::RequestBody;
use super::super::Unreadable;
use super::super::{Broken, SendError};
use super::coding::Coding;
use super::connection::{Connection, Home};
use super::download::{Content, Download, Unsent};
use super::link::{Link, Rest};
use super::request::RequestHead;
use super::response::{self, Head, Marked};
use super::upload::{Upload, UploadError};
use crate::http::RequestBodyError;

/// Where so much of a body came with its head, more of it is surely there, and no end.
const AHEAD: usize = 8 * 1024;

impl Connection {
    /// Sends a request and waits for the head of the answer, each time for `within`: as long as the body makes progress,
    /// the endpoint is not expected to have answered. When the answer has come to its end, the connection goes to `home`.
    ///
    /// # Errors
    /// [`SendError`], which says whether the request may be sent again.
    pub async fn send(
        self,
        head: RequestHead<'_>,
        body: RequestBody,
        within: Duration,
        home: &Arc<impl Home + 'static>,
    ) -> Result<Response<Content>, SendError> {
        let mut exchange = Exchange::new(self, head, body, within);
        let head = poll_fn(|cx| exchange.poll_head(cx)).await?;
        Ok(exchange.answer(head, home))
    }
}

/// A request that is under way.
#[derive(Debug)]
struct Exchange<'a> {
    connection: Connection,
    upload: Upload,
    method: &'a Method,
    within: Duration,
    /// Bytes of the body that had gone out when patience was last asked for.
    seen: u64,
    /// The endpoint takes no more of the request. It may have said why.
    unwritten: Option<io::Error>,
    /// Bytes of heads that have come.
    received: usize,
    /// How much of what is unread has been searched for the end of a head.
    searched: usize,
    /// A 101 that came before all of the request had gone out.
    switched: Option<Head>,
}

/// How long an endpoint may take to ask for a body. Then it is sent all the same: many never ask (RFC 9110 §10.1.1), and a
/// second is what curl gives them.
const UNASKED: Duration = Duration::from_secs(1);

impl<'a> Exchange<'a> {
    fn new(mut connection: Connection, head: RequestHead<'a>, body: RequestBody, within: Duration) -> Self {
        connection.timer.allow(if head.expects { within.min(UNASKED) } else { within });
        let upload = Upload::new(head, body);
        Self {
            connection,
            upload,
            method: head.method,
            within,
            seen: 0,
            unwritten: None,
            received: 0,
            searched: 0,
            switched: None,
        }
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, SendError>> {
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
                && let Poll::Ready(head) = self.poll_answer(cx)
            {
                match head? {
                    // RFC 9110 §7.8: the new protocol begins behind the request, and that is not all there yet.
                    Some(head) if matches!(head.body, Marked::Switched) && !self.has_sent_all() => {
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
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<SendError> {
        if self.has_sent_all() {
            return Poll::Pending;
        }
        let Poll::Ready(Err(error)) = self.upload.poll(cx, &mut self.connection.stream) else { return Poll::Pending };
        match error {
            UploadError::Body(RequestBodyError::Stalled) => Poll::Ready(SendError::ClientStalled),
            UploadError::Body(error) => Poll::Ready(SendError::ClientGone(error)),
            UploadError::Io(error) => match self.upload.unsent() {
                Some(body) => Poll::Ready(SendError::NotSent(body, error)),
                None => {
                    self.unwritten = Some(error);
                    Poll::Pending
                }
            },
        }
    }

    /// Reads until the head of the answer is there; none if the endpoint has asked for the body first.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Head>, SendError>> {
        loop {
            match ready!(self.connection.poll_fill(cx)) {
                Ok(fresh @ 1..) => self.received += fresh,
                ended => return Poll::Ready(Err(SendError::Broken(self.broken(ended.err())))),
            }
            let Connection { unread, limits, .. } = &mut self.connection;
            let mut continues = false;
            if response::may_end(unread, self.searched) {
                match response::read(unread, self.method, *limits, &mut continues) {
                    Ok(Some(head)) => return Poll::Ready(self.look_ahead(cx, &head).map(|()| Some(head))),
                    Ok(None) => {}
                    Err(unreadable) => return Poll::Ready(Err(SendError::Unreadable(unreadable))),
                }
            }
            self.searched = unread.len();
            // Interim answers count: an endpoint that sends nothing else would never be through.
            if self.received > limits.bytes {
                return Poll::Ready(Err(SendError::Unreadable(Unreadable::LongHead(limits.bytes))));
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

    /// Looks at a body as far as it is there: as long as nothing of the answer has gone out, what is wrong with it can still be
    /// told.
    fn look_ahead(&mut self, cx: &mut Context<'_>, head: &Head) -> Result<(), SendError> {
        let Marked::Coded(coding) = &head.body else { return Ok(()) };
        let connection = &mut self.connection;
        if coding.is_whole_in(&connection.unread).map_err(SendError::Unreadable)? || connection.unread.len() > AHEAD {
            return Ok(());
        }
        // A second packet may have come, or the end. Costs no system call if neither has.
        match connection.poll_fill(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(1..)) => coding.is_whole_in(&connection.unread).map(drop).map_err(SendError::Unreadable),
            Poll::Ready(Ok(0) | Err(_)) if connection.unread.is_empty() => Err(SendError::Broken(coding.cut())),
            // What came goes on, and is cut off there: it may be of use (RFC 9112 §8).
            Poll::Ready(Ok(0) | Err(_)) => Ok(()),
        }
    }

    /// Ready with what it means that somebody has been waited for long enough.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        while self.connection.timer.poll(cx).is_ready() {
            if self.upload.release() {
                self.connection.timer.allow(self.within);
                return Poll::Ready(Ok(()));
            }
            match self.upload.progress() {
                Some(progress) if progress.has_passed(&mut self.seen) => self.connection.timer.allow(self.within),
                _ if self.unwritten.is_none() && self.upload.is_starved() => {
                    return Poll::Ready(Err(SendError::ClientStalled));
                }
                _ => return Poll::Ready(Err(SendError::TimedOut)),
            }
        }
        Poll::Pending
    }

    /// The answer, its body as far as it is there.
    fn answer(self, head: Head, home: &Arc<impl Home + 'static>) -> Response<Content> {
        let Self { mut connection, upload, within, unwritten, .. } = self;
        let mut coding = match head.body {
            Marked::Switched => {
                let Connection { stream, unread, .. } = connection;
                return head.response.map(|()| Content::Switched(Box::new(stream), unread));
            }
            Marked::Empty => Coding::Length(0),
            Marked::Coded(coding) => coding,
        };
        // Most bodies are small and came with their heads.
        let first = coding.take(&mut connection.unread);
        // A body that is not wanted is sent no further (RFC 9110 §10.1.1, RFC 9112 §9.5).
        let refused = upload.is_held() || (!head.persists && !head.response.status().is_success());
        let is_unsent = !upload.is_done() && (refused || unwritten.is_some());
        let persists = head.persists && !is_unsent && !matches!(coding, Coding::UntilClose);
        let home = persists.then(|| Arc::clone(home) as Arc<dyn Home>);
        let sent = upload.is_done() || is_unsent;
        if let Ok(piece) = &first
            && coding.is_done()
        {
            let whole = piece.clone().unwrap_or_default();
            let unsent = if sent {
                if let Some(home) = home.filter(|_| connection.is_free()) {
                    home.keep(connection);
                }
                None
            } else {
                Some(Unsent { rest: Rest::send(connection, upload), patience: within, home })
            };
            return head.response.map(|()| Content::Whole(whole, unsent));
        }
        let link = if sent { Link::Own(connection) } else { Link::Shared(Rest::send(connection, upload)) };
        let download = Download::new(link, coding, first, within, home);
        head.response.map(|()| Content::Stream(Box::new(download)))
    }
}
