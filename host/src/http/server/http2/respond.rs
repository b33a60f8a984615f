//! A response on its way out on a stream.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::{Response, StatusCode, header};
use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use tokio::time::{Instant, Sleep};

use super::date;
use super::responder::Responder;
use crate::http::http2::{poll_room, strip_for_http2};
use crate::http::message::ResponseBody;

/// Sends `response` to its client; `is_head_only` if that asked for no more. `patience` is the time in which the client
/// has to take something.
pub(super) async fn respond(
    responder: &Responder,
    response: Response<ResponseBody>,
    is_head_only: bool,
    patience: Duration,
) {
    let (mut parts, body) = response.into_parts();
    strip_for_http2(&mut parts.headers);
    if !parts.headers.contains_key(header::DATE)
        && let Some(date) = date::now()
    {
        parts.headers.insert(header::DATE, date);
    }
    let has_none = is_head_only || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let follows = !has_none && !body.is_end_stream();
    if follows
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
        && let Some(length) = body.size_hint().exact()
    {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let is_passed_on = body.is_observed();
    let mut is_complete = !follows;
    let Some(stream) = responder.begin(Response::from_parts(parts, ()), follows) else { return };
    if follows {
        let pending = Bytes::new();
        let (blocked, broken) = (None, None);
        let mut outgoing = OutgoingBody { responder, stream, body, pending, blocked, broken, is_complete: false };
        let mut timer = pin!(None);
        poll_fn(|cx| outgoing.poll(cx, timer.as_mut(), patience)).await;
        responder.finish();
        is_complete = outgoing.is_complete;
    }
    if is_passed_on && is_complete {
        responder.served();
    }
}

/// A body on its way. No more of it is held than one piece: the next is asked for when all of this has gone into the
/// client's window.
struct OutgoingBody<'a> {
    responder: &'a Responder,
    stream: SendStream<Bytes>,
    body: ResponseBody,
    pending: Bytes,
    /// The client takes nothing, since then.
    blocked: Option<Instant>,
    /// All of it has gone into the client's window.
    is_complete: bool,
    /// It has broken; inside, since which of the connection's flushes.
    broken: Option<Option<u64>>,
}

impl OutgoingBody<'_> {
    /// Ready at its end, whichever that is.
    fn poll(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Option<Sleep>>, patience: Duration) -> Poll<()> {
        if self.stream.poll_reset(cx).is_ready() {
            return Poll::Ready(());
        }
        if self.broken.is_some() {
            return self.poll_break(cx);
        }
        loop {
            if self.pending.is_empty() {
                match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => self.pending = data,
                        Err(frame) => {
                            let mut trailers = frame.into_trailers().unwrap_or_default();
                            strip_for_http2(&mut trailers);
                            return self.end(|stream| stream.send_trailers(trailers));
                        }
                    },
                    Some(Err(_reported)) => {
                        self.broken = Some(None);
                        return self.poll_break(cx);
                    }
                    None => return self.end(|stream| stream.send_data(Bytes::new(), true)),
                }
                if self.pending.is_empty() {
                    if self.body.is_end_stream() {
                        return self.end(|stream| stream.send_data(Bytes::new(), true));
                    }
                    continue;
                }
            }
            let Poll::Ready(room) = poll_room(&mut self.stream, cx, self.pending.len()) else {
                return self.poll_clock(cx, timer, patience);
            };
            let Some(Ok(room)) = room else { return Poll::Ready(()) };
            self.blocked = None;
            let piece = self.pending.split_to(room.min(self.pending.len()));
            let is_last = self.pending.is_empty() && self.body.is_end_stream();
            if is_last {
                return self.end(|stream| stream.send_data(piece, true));
            }
            if self.stream.send_data(piece, false).is_err() {
                return Poll::Ready(());
            }
        }
    }

    /// Never the end of the stream: the client has to see that something is missing. What was there of the response goes
    /// first; a reset would take it away that still waits in the library. A client that takes nothing is left by the
    /// clock of its connection.
    fn poll_break(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.responder.poll_flushed(cx, self.broken.get_or_insert_default()));
        self.stream.send_reset(Reason::INTERNAL_ERROR);
        Poll::Ready(())
    }

    /// Ready if the client has taken nothing for too long. The timer is set when something is waited for, and read when
    /// it rings.
    fn poll_clock(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Option<Sleep>>, patience: Duration) -> Poll<()> {
        let due = *self.blocked.get_or_insert_with(Instant::now) + patience;
        if timer.is_none() {
            timer.set(Some(tokio::time::sleep_until(due)));
        }
        while let Some(mut sleep) = timer.as_mut().as_pin_mut() {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if due <= Instant::now() {
                break;
            }
            sleep.reset(due);
        }
        self.body.client_stalled();
        self.stream.send_reset(Reason::CANCEL);
        Poll::Ready(())
    }

    fn end(&mut self, send: impl FnOnce(&mut SendStream<Bytes>) -> Result<(), h2::Error>) -> Poll<()> {
        match send(&mut self.stream) {
            Ok(()) => self.is_complete = true,
            Err(error) => tracing::debug!(%error, "end of a response not sent"),
        }
        Poll::Ready(())
    }
}
