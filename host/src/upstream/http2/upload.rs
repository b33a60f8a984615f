//! A request's body on its way out, as far as the endpoint's windows are open.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use h2::SendStream;
use http_body::{Body as _, Frame};

use super::super::ResendableBody;
use crate::http::{RequestBodyError, poll_room};

/// Bytes that are asked for at a time of what a window has: what the library holds for one stream.
const PIECE: usize = 64 * 1024;

/// Pieces that are smaller go out together with what is there behind them. Each frame costs who receives it, whatever is
/// in it: servers close connections for many that are small and that nobody has read yet, with all that others have on them.
const SMALL: usize = 1024;

/// A first piece up to which a body is whole again after it went out, whatever is kept of it elsewhere: that of most
/// requests which post something.
const KEPT: usize = 16 * 1024;

/// Sends one body. It is lent for each step.
#[derive(Debug)]
pub(super) struct Http2Upload {
    send: SendStream<Bytes>,
    /// Taken from the body, and not sent.
    data: Bytes,
    /// Taken from the body, to be sent behind `data`.
    trailers: Option<Box<HeaderMap>>,
    /// Nothing comes behind `data`.
    is_last: bool,
    /// The end of the stream is out, or never will be.
    is_done: bool,
    /// The body is not polled before the endpoint has asked for it.
    held: bool,
    /// Something of the body is out.
    begun: bool,
    /// All that was taken from the body; empty if that was more than one piece, or a large one.
    kept: Bytes,
    /// It is the client that is waited for.
    starved: bool,
    /// Bytes that the head says are to come.
    left: Option<u64>,
}

/// Why a body did not get out.
#[derive(Debug)]
pub(super) enum Http2UploadError {
    /// It failed.
    Body(RequestBodyError),
    /// The endpoint takes no more of it; the response says why.
    Closed,
}

impl Http2Upload {
    /// `is_done` if the stream ended with its head.
    pub(super) fn new(send: SendStream<Bytes>, is_done: bool, held: bool, left: Option<u64>) -> Self {
        Self {
            send,
            data: Bytes::new(),
            trailers: None,
            is_last: false,
            is_done,
            held,
            begun: false,
            kept: Bytes::new(),
            starved: false,
            left,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Whether it is the client that is waited for.
    pub(super) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Whether the body waits for the endpoint to ask for it.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// The endpoint has asked for the body, or has been waited for long enough: whether that changes anything.
    pub(super) fn release(&mut self) -> bool {
        std::mem::take(&mut self.held)
    }

    /// Makes `body` whole again, if that can be: whether it is.
    pub(super) fn give_up(&mut self, body: &mut ResendableBody) -> bool {
        if !self.begun {
            body.put_back(std::mem::take(&mut self.data));
            if let Some(trailers) = self.trailers.take() {
                body.put_back_trailers(trailers);
            }
            return true;
        }
        if body.can_resend() {
            body.rewind();
            return true;
        }
        let kept = std::mem::take(&mut self.kept);
        if kept.is_empty() {
            return false;
        }
        body.put_back(kept);
        if let Some(trailers) = self.trailers.take() {
            body.put_back_trailers(trailers);
        }
        true
    }

    /// The endpoint acts on the request: it will not be given up.
    pub(super) fn forget(&mut self) {
        self.kept = Bytes::new();
    }

    /// The stream, for a tunnel.
    pub(super) fn into_stream(self) -> SendStream<Bytes> {
        self.send
    }

    /// Sends until the end of the stream is out, no window is open, or the client has sent no more.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut ResendableBody,
    ) -> Poll<Result<(), Http2UploadError>> {
        self.starved = false;
        while !self.is_done {
            if !self.data.is_empty() {
                ready!(self.poll_send(cx))?;
                continue;
            }
            if let Some(trailers) = self.trailers.take() {
                self.begun = true;
                self.is_done = true;
                self.forget();
                self.send.send_trailers(*trailers).map_err(|_closed| Http2UploadError::Closed)?;
                continue;
            }
            if self.is_last {
                self.send(Bytes::new(), true)?;
                continue;
            }
            // An endpoint may refuse the body while nothing of it is there.
            if self.send.poll_reset(cx).is_ready() {
                self.is_done = true;
                return Poll::Ready(Err(Http2UploadError::Closed));
            }
            if self.held {
                return Poll::Pending;
            }
            let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
                self.starved = true;
                return Poll::Pending;
            };
            self.take(frame, body.is_end_stream())?;
            if !self.data.is_empty() && self.data.len() < SMALL {
                self.gather(cx, body)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what is there of a body behind a small piece.
    fn gather(&mut self, cx: &mut Context<'_>, body: &mut ResendableBody) -> Result<(), Http2UploadError> {
        let mut all = BytesMut::new();
        while self.data.len() + all.len() < SMALL
            && !self.is_last
            && self.trailers.is_none()
            && let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx)
        {
            all.extend_from_slice(&std::mem::take(&mut self.data));
            self.take(frame, body.is_end_stream())?;
        }
        if !all.is_empty() {
            all.extend_from_slice(&self.data);
            self.data = all.freeze();
        }
        Ok(())
    }

    /// Takes what came of the body in; whether `is_last`.
    fn take(
        &mut self,
        frame: Option<Result<Frame<Bytes>, RequestBodyError>>,
        is_last: bool,
    ) -> Result<(), Http2UploadError> {
        match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.put(data, is_last),
                Err(frame) => {
                    self.trailers = Some(Box::new(frame.into_trailers().unwrap_or_default()));
                    self.check_end()
                }
            },
            Some(Err(error)) => Err(Http2UploadError::Body(error)),
            None => {
                self.is_last = true;
                self.check_end()
            }
        }
    }

    /// Takes a piece of the body in.
    fn put(&mut self, data: Bytes, is_last: bool) -> Result<(), Http2UploadError> {
        if let Some(left) = &mut self.left {
            let rest = left.checked_sub(data.len() as u64);
            *left = rest.ok_or(Http2UploadError::Body(RequestBodyError::WrongLength))?;
        }
        if is_last {
            self.check_end()?;
        }
        if self.begun {
            self.forget();
        }
        (self.data, self.is_last) = (data, is_last);
        Ok(())
    }

    fn check_end(&self) -> Result<(), Http2UploadError> {
        match self.left {
            Some(1..) => Err(Http2UploadError::Body(RequestBodyError::WrongLength)),
            Some(0) | None => Ok(()),
        }
    }

    /// Sends what the windows of stream and connection have room for.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Http2UploadError>> {
        let Some(Ok(room)) = ready!(poll_room(&mut self.send, cx, self.data.len().min(PIECE))) else {
            self.is_done = true;
            return Poll::Ready(Err(Http2UploadError::Closed));
        };
        if !self.begun && self.data.len() <= KEPT {
            self.kept = self.data.clone();
        }
        let piece = self.data.split_to(room.min(self.data.len()));
        let is_end = self.is_last && self.data.is_empty();
        Poll::Ready(self.send(piece, is_end))
    }

    fn send(&mut self, piece: Bytes, is_end: bool) -> Result<(), Http2UploadError> {
        self.begun |= !piece.is_empty();
        self.is_done |= is_end;
        self.send.send_data(piece, is_end).map_err(|_closed| {
            self.is_done = true;
            Http2UploadError::Closed
        })
    }
}
