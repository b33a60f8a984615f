//! A response's body on its way in.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio_util::task::AbortOnDropHandle;

use super::super::timer::LazyTimer;
use super::super::{Broken, ResendableBody, UploadProgress};
use super::connection::{StreamClaim, StreamCount};
use super::fault::StreamFault;
use super::upload::{Http2Upload, Http2UploadError};
use crate::http::RequestBodyError;
use crate::http::{Http2Body, check_fields};
use crate::lifecycle;

/// A body that is still coming. Dropped before its end, its stream is reset with CANCEL.
#[derive(Debug)]
pub(super) struct Http2Download {
    body: Http2Body,
    /// Read with the head.
    first: Option<Bytes>,
    /// Bytes that are to come, where that is known.
    left: Option<u64>,
    /// What is still sent of the request.
    upload: Option<RunningUpload>,
    patience: Patience,
    claim: Option<StreamClaim>,
    streams: Arc<StreamCount>,
    has_ended: bool,
}

/// How long nothing may move.
#[derive(Debug)]
pub(super) struct Patience {
    timer: LazyTimer,
    within: Duration,
    /// Nothing is there, and the clock runs.
    waits: bool,
    /// How much of the request had gone by when the timer was set.
    seen: u64,
}

/// The rest of a request whose response has begun.
#[derive(Debug)]
pub(super) struct RestOfUpload {
    upload: Http2Upload,
    body: ResendableBody,
}

/// The same in a task of its own: it goes out whether the response is read or not, for the client may not begin to read
/// before it has sent everything. Dropping this ends it.
#[derive(Debug)]
pub(super) struct RunningUpload {
    task: AbortOnDropHandle<Result<(), Http2UploadError>>,
    progress: UploadProgress,
    starved: Arc<AtomicBool>,
}

impl Patience {
    pub(super) fn new(timer: LazyTimer, within: Duration) -> Self {
        Self { timer, within, waits: false, seen: 0 }
    }

    /// Something has come.
    fn ease(&mut self) {
        self.waits = false;
    }

    /// Ready once nothing has moved for too long.
    fn poll(&mut self, cx: &mut Context<'_>, upload: Option<&RunningUpload>) -> Poll<Broken> {
        if !std::mem::replace(&mut self.waits, true) {
            self.timer.allow(self.within);
            self.seen = upload.map_or(0, |rest| rest.progress.bytes());
        }
        loop {
            ready!(self.timer.poll(cx));
            match upload {
                // An endpoint may want the whole request before it goes on.
                Some(rest) if rest.progress.has_passed(&mut self.seen) => self.timer.allow(self.within),
                Some(rest) if rest.starved.load(Relaxed) => {
                    return Poll::Ready(Broken::Upload(RequestBodyError::Stalled));
                }
                _ => return Poll::Ready(Broken::Stalled(self.within)),
            }
        }
    }
}

impl RestOfUpload {
    pub(super) fn new(upload: Http2Upload, body: ResendableBody) -> Self {
        Self { upload, body }
    }

    /// Lets it go on by itself.
    pub(super) fn start(self) -> RunningUpload {
        let Self { mut upload, mut body } = self;
        upload.forget();
        let progress = body.progress().cloned().unwrap_or_default();
        let starved = Arc::new(AtomicBool::new(upload.is_starved()));
        let is_starved = Arc::clone(&starved);
        let task = poll_fn(move |cx| {
            let sent = upload.poll(cx, &mut body);
            is_starved.store(upload.is_starved(), Relaxed);
            sent
        });
        RunningUpload { task: AbortOnDropHandle::new(tokio::spawn(task)), progress, starved }
    }

    /// The response is through and the request is not: an endpoint that responds early may still want all of it. It
    /// gets it, as long as something moves within every `patience`. `stream` is held until then.
    pub(super) fn finish_in_background(self, patience: Duration, stream: impl Send + 'static) {
        self.start().finish_in_background(patience, stream);
    }
}

impl RunningUpload {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Http2UploadError>> {
        // A task that panicked has left a request half sent; it is not aborted while this lives.
        let broken = |_| Err(Http2UploadError::Closed);
        Pin::new(&mut self.task).poll(cx).map(|ended| ended.unwrap_or_else(broken))
    }

    fn finish_in_background(mut self, patience: Duration, stream: impl Send + 'static) {
        lifecycle::spawn(async move {
            let progress = self.progress.clone();
            // However it ended: nobody is left to be told.
            let _ended = progress.while_moving(patience, poll_fn(|cx| self.poll_end(cx))).await;
            drop(stream);
        });
    }
}

impl Http2Download {
    pub(super) fn new(
        body: Http2Body,
        first: Option<Bytes>,
        left: Option<u64>,
        upload: Option<RunningUpload>,
        patience: Patience,
        (claim, streams): (Option<StreamClaim>, Arc<StreamCount>),
    ) -> Self {
        Self { body, first, left, upload, patience, claim, streams, has_ended: false }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Some(upload) = &mut self.upload
            && let Poll::Ready(ended) = upload.poll_end(cx)
        {
            self.upload = None;
            if let Err(Http2UploadError::Body(error)) = ended {
                return Poll::Ready(Some(Err(Broken::Upload(error))));
            }
        }
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.patience.ease();
                Poll::Ready(
                    frame.map(|frame| frame.map_err(|error| StreamFault::of(error, &self.streams).into_broken())),
                )
            }
            Poll::Pending => self.patience.poll(cx, self.upload.as_ref()).map(|broken| {
                if let Broken::Stalled(_) = broken {
                    self.streams.doubt();
                }
                Some(Err(broken))
            }),
        }
    }

    /// The body is through: the rest of the request goes on without it.
    fn finish(&mut self) {
        self.has_ended = true;
        let claim = self.claim.take();
        if let Some(upload) = self.upload.take() {
            upload.finish_in_background(self.patience.within, claim);
        }
    }
}

impl Body for Http2Download {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if this.has_ended {
            return Poll::Ready(None);
        }
        let frame = match ready!(this.poll_piece(cx)) {
            Some(Err(broken)) => {
                (this.upload, this.claim, this.has_ended) = (None, None, true);
                return Poll::Ready(Some(Err(broken)));
            }
            frame => frame,
        };
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
            && let Err(wrong) = check_fields(trailers)
        {
            this.has_ended = true;
            return Poll::Ready(Some(Err(Broken::Malformed(format!("in its trailers, {wrong}")))));
        }
        if let (Some(Ok(frame)), Some(left)) = (&frame, &mut this.left)
            && let Some(data) = frame.data_ref()
        {
            *left = left.saturating_sub(data.len() as u64);
        }
        if frame.is_none() || this.is_end_stream() {
            this.finish();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended || (self.first.is_none() && self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self.left {
            _ if self.is_end_stream() => SizeHint::with_exact(0),
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }
}
