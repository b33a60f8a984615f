//! From a request to the head of its answer.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{Method, Response};

use super::super::RequestBody;
use super::coding::Coding;
use super::connection::{Connection, Home};
use super::download::{Content, Download, Unsent};
use super::error::{Broken, SendError};
use super::link::{Link, Rest};
use super::request::RequestHead;
use super::response::{self, Head, Marked};
use super::upload::{Upload, UploadError};

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
}

impl<'a> Exchange<'a> {
    fn new(mut connection: Connection, head: RequestHead<'a>, body: RequestBody, within: Duration) -> Self {
        connection.clock.allow(within);
        let upload = Upload::new(head, body);
        Self { connection, upload, method: head.method, within, seen: 0, unwritten: None, received: 0, searched: 0 }
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, SendError>> {
        if !self.upload.is_done() && self.unwritten.is_none() {
            match self.upload.poll(cx, &mut self.connection.stream) {
                Poll::Pending | Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(UploadError::Body(error))) => return Poll::Ready(Err(SendError::ClientGone(error))),
                Poll::Ready(Err(UploadError::Io(error))) => match self.upload.unsent() {
                    Some(body) => return Poll::Ready(Err(SendError::NotSent(body, Broken::Io(error)))),
                    None => self.unwritten = Some(error),
                },
            }
        }
        loop {
            match self.connection.poll_fill(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => {
                    let broken = self.unwritten.take().map_or(Broken::Closed, Broken::Io);
                    return Poll::Ready(Err(SendError::Broken(broken)));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(SendError::Broken(Broken::Io(error)))),
                Poll::Ready(Ok(fresh)) => self.received += fresh,
            }
            let unread = &mut self.connection.unread;
            if response::may_end(unread, self.searched) {
                match response::read(unread, self.method) {
                    Ok(Some(head)) => return Poll::Ready(Ok(head)),
                    Ok(None) => {}
                    Err(broken) => return Poll::Ready(Err(SendError::Broken(broken))),
                }
            }
            self.searched = unread.len();
            // Interim answers count: an endpoint that sends nothing else would never be through.
            if self.received > response::LONGEST_HEAD {
                return Poll::Ready(Err(SendError::Broken(Broken::LongHead)));
            }
        }
        self.poll_clock(cx).map(Err)
    }

    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<SendError> {
        while self.connection.clock.poll(cx).is_ready() {
            match self.upload.progress() {
                Some(progress) if progress.has_passed(&mut self.seen) => self.connection.clock.allow(self.within),
                _ if self.unwritten.is_none() && self.upload.is_starved() => {
                    return Poll::Ready(SendError::ClientStalled);
                }
                _ => return Poll::Ready(SendError::TimedOut),
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
        // Most bodies are small and came with their heads. What is wrong with them is told behind the head.
        let first = coding.take(&mut connection.unread);
        let persists = head.persists && unwritten.is_none() && !matches!(coding, Coding::UntilClose);
        let home = persists.then(|| Arc::clone(home) as Arc<dyn Home>);
        let sent = upload.is_done() || unwritten.is_some();
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
