//! A request on its way out: its head, then its body as it comes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::{Buf as _, Bytes};
use http_body::Body as _;
use tokio::io::AsyncWrite as _;

use super::super::{RequestHead, ResendableBody};
use super::handshake::WebsocketKey;
use super::request::{RequestFraming, encode, push_field};
use crate::http::RequestBodyError;
use crate::net::Stream;

/// Bytes that one TLS record carries at the most (RFC 8446 §5.1).
const TLS_RECORD: usize = 1 << 14;

/// Bytes of a body that are waited for before it is written, as long as more are there: a client may send a byte in
/// each chunk, and a packet for each of them would be its endpoint's work.
const GATHERED: usize = 4 * 1024;

/// Turns that a task gives to others at the most, one for each piece, until it writes what it has gathered.
const TURNS: u8 = 64;

/// Writes one request. Its body is lent for each step.
#[derive(Debug)]
pub(super) struct Upload {
    /// Lines that are to be written: the head, sizes of chunks.
    lines: Vec<u8>,
    /// How much of them has been.
    written: usize,
    /// Data of the body that comes after them: one piece as it came, or several together.
    data: Bytes,
    /// Several small pieces, as long as more may come to them.
    gathered: Vec<u8>,
    /// Turns that may yet be given for more of them.
    turns: u8,
    /// A piece has come since the last turn.
    fresh: bool,
    /// What is there is framed, and being written: nothing comes to it.
    sealed: bool,
    /// What ends the data: nothing, or the line end of a chunk, and that of the body.
    tail: &'static [u8],
    /// What the body ended with. Boxed: it is rare.
    trailers: Option<Box<HeaderMap>>,
    framing: RequestFraming,
    stage: UploadStage,
    /// Whether anything of it has gone out.
    begun: bool,
    /// Everything there is has gone out, and the client has sent no more.
    starved: bool,
    /// The body is not polled before the endpoint has asked for it.
    held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UploadStage {
    /// The body may have more.
    Open,
    /// It has ended with trailers; what is there has to be written, and then they.
    Trailers,
    /// It has ended; what is there has to be written.
    Ended,
    /// Everything is out.
    Done,
}

/// Why a request did not get out.
#[derive(Debug)]
pub(super) enum UploadError {
    /// Its body failed.
    Body(RequestBodyError),
    /// The endpoint takes nothing any more.
    Io(io::Error),
}

impl Upload {
    pub(super) fn new(head: &RequestHead<'_>, body: &ResendableBody, key: Option<&WebsocketKey>) -> Self {
        let framing = RequestFraming::of(body);
        let stage = if framing == RequestFraming::Empty { UploadStage::Ended } else { UploadStage::Open };
        Self {
            lines: encode(head, framing, key),
            written: 0,
            data: Bytes::new(),
            gathered: Vec::new(),
            turns: TURNS,
            fresh: false,
            sealed: false,
            tail: b"",
            trailers: None,
            framing,
            stage,
            begun: false,
            starved: false,
            held: head.expects_continue,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.stage == UploadStage::Done
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

    /// Makes `body` whole again, if nothing of the request has gone out: whether that is so.
    pub(super) fn give_up(&mut self, body: &mut ResendableBody) -> bool {
        if !self.begun {
            body.put_back(std::mem::take(&mut self.data));
            if let Some(trailers) = self.trailers.take() {
                body.put_back_trailers(trailers);
            }
        }
        !self.begun
    }

    /// Writes until everything is out, the endpoint takes no more, or the client has sent no more.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        body: &mut ResendableBody,
    ) -> Poll<Result<(), UploadError>> {
        self.starved = false;
        loop {
            // The beginning of a body goes out with the head, if it is there: the head alone first would be one packet
            // more.
            let waits = ready!(self.poll_gather(cx, body))?;
            self.seal();
            ready!(self.poll_write(cx, stream)).map_err(UploadError::Io)?;
            self.sealed = self.stage != UploadStage::Open;
            match self.stage {
                UploadStage::Open if !waits => continue,
                UploadStage::Trailers => {
                    self.end_with_trailers();
                    continue;
                }
                _ => {}
            }
            ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(UploadError::Io)?;
            if waits {
                self.starved = !self.held;
                return Poll::Pending;
            }
            self.stage = UploadStage::Done;
            return Poll::Ready(Ok(()));
        }
    }

    /// Takes what is there of the body, small pieces together. Whether the client has sent no more. Pending for a turn
    /// behind a small piece: whoever reads from the client in this task, or in this thread, may have the next one.
    fn poll_gather(&mut self, cx: &mut Context<'_>, body: &mut ResendableBody) -> Poll<Result<bool, UploadError>> {
        while !self.sealed && self.stage == UploadStage::Open && self.data.len() + self.gathered.len() < GATHERED {
            if self.held {
                return Poll::Ready(Ok(true));
            }
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.put(data, body.is_end_stream())?,
                    Err(frame) => self.put_trailers(frame.into_trailers().unwrap_or_default())?,
                },
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(UploadError::Body(error))),
                Poll::Ready(None) => self.end()?,
                Poll::Pending if self.turns > 0 && std::mem::take(&mut self.fresh) => {
                    self.turns -= 1;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Ready(Ok(true)),
            }
        }
        Poll::Ready(Ok(false))
    }

    /// Puts a piece of the body behind what is to be written.
    fn put(&mut self, data: Bytes, is_last: bool) -> Result<(), UploadError> {
        if data.is_empty() {
            return Ok(());
        }
        match &mut self.framing {
            RequestFraming::Length(left) => {
                let rest = left.checked_sub(data.len() as u64);
                *left = rest.ok_or(UploadError::Body(RequestBodyError::WrongLength))?;
                if is_last && *left > 0 {
                    return Err(UploadError::Body(RequestBodyError::WrongLength));
                }
            }
            RequestFraming::Chunked => {}
            RequestFraming::Empty => return Err(UploadError::Body(RequestBodyError::WrongLength)),
        }
        if self.data.is_empty() && self.gathered.is_empty() {
            self.data = data;
        } else {
            self.gathered.extend_from_slice(&std::mem::take(&mut self.data));
            self.gathered.extend_from_slice(&data);
        }
        self.fresh = true;
        if is_last {
            self.stage = UploadStage::Ended;
        }
        Ok(())
    }

    /// Nothing follows trailers. They are sent behind chunks only (RFC 9112 §7.1.2).
    fn put_trailers(&mut self, trailers: HeaderMap) -> Result<(), UploadError> {
        self.end()?;
        if trailers.is_empty() {
            return Ok(());
        }
        if self.framing == RequestFraming::Chunked {
            self.trailers = Some(Box::new(trailers));
            self.stage = UploadStage::Trailers;
        } else {
            tracing::debug!("trailers of a request dropped: its endpoint speaks HTTP/1.1, and its body has a length");
        }
        Ok(())
    }

    /// The last chunk, with trailers.
    fn end_with_trailers(&mut self) {
        self.stage = UploadStage::Ended;
        self.lines.extend_from_slice(b"0\r\n");
        for (name, value) in self.trailers.take().iter().flat_map(|trailers| trailers.iter()) {
            push_field(&mut self.lines, name, value);
        }
        self.lines.extend_from_slice(b"\r\n");
    }

    fn end(&mut self) -> Result<(), UploadError> {
        self.stage = UploadStage::Ended;
        match self.framing {
            RequestFraming::Length(1..) => Err(UploadError::Body(RequestBodyError::WrongLength)),
            RequestFraming::Chunked | RequestFraming::Length(0) | RequestFraming::Empty => Ok(()),
        }
    }

    /// Frames what has been gathered, and the end of the body behind it if that is known.
    fn seal(&mut self) {
        if std::mem::replace(&mut self.sealed, true) {
            return;
        }
        (self.turns, self.fresh) = (TURNS, false);
        if !self.gathered.is_empty() {
            self.data = std::mem::take(&mut self.gathered).into();
        }
        if self.framing != RequestFraming::Chunked {
            return;
        }
        let has_ended = self.stage == UploadStage::Ended;
        if !self.data.is_empty() {
            let size = format!("{:x}\r\n", self.data.len());
            self.lines.extend_from_slice(size.as_bytes());
            self.tail = if has_ended { b"\r\n0\r\n\r\n" } else { b"\r\n" };
        } else if has_ended {
            self.lines.extend_from_slice(b"0\r\n\r\n");
        }
    }

    /// Writes what there is.
    fn poll_write(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<()>> {
        loop {
            let lines = self.lines.get(self.written..).unwrap_or_default();
            let stream = Pin::new(&mut *stream);
            let pieces = [lines, &self.data, self.tail];
            if pieces.iter().all(|piece| piece.is_empty()) {
                break;
            }
            let several = stream.is_tls() && pieces.iter().map(|piece| piece.len()).sum::<usize>() > TLS_RECORD;
            let written = ready!(stream.poll_write_vectored(cx, &pieces.map(IoSlice::new)));
            // Under TLS one record may be out when the next one fails. Half a record cannot be read.
            let written = written.inspect_err(|_| self.begun |= several)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun = true;
            self.advance(written);
        }
        self.lines.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// So many bytes are out.
    fn advance(&mut self, written: usize) {
        let lines = written.min(self.lines.len() - self.written);
        self.written += lines;
        let data = (written - lines).min(self.data.len());
        self.data.advance(data);
        self.tail = self.tail.get(written - lines - data..).unwrap_or_default();
    }
}
