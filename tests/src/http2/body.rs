//! Bodies with trailers, whichever version carries them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;

/// Whatever went wrong.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Any body.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The body of an HTTP/2 message.
#[derive(Debug)]
pub(crate) struct ReceivedBody {
    stream: RecvStream,
    has_data: bool,
}

impl ReceivedBody {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, has_data: true }
    }
}

impl hyper::body::Body for ReceivedBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if self.has_data {
            if let Some(data) = ready!(self.stream.poll_data(cx)) {
                let data = data?;
                self.stream.flow_control().release_capacity(data.len())?;
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            self.has_data = false;
        }
        let trailers = ready!(self.stream.poll_trailers(cx))?;
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }
}

/// Sends a body to its end, trailers included. If it breaks off, so does the stream.
pub(crate) async fn send_body(mut body: Body, stream: &mut SendStream<Bytes>) -> Result<(), BoxError> {
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            reset = std::future::poll_fn(|cx| stream.poll_reset(cx)) => {
                return Err(format!("the other side: {:?}", reset?).into());
            }
        };
        match frame {
            None => return Ok(stream.send_data(Bytes::new(), true)?),
            Some(Err(error)) => {
                stream.send_reset(h2::Reason::INTERNAL_ERROR);
                return Err(error);
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => send_data(data, stream).await?,
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    return Ok(stream.send_trailers(trailers)?);
                }
            },
        }
    }
}

/// Sends data as the other side's windows let it.
pub(crate) async fn send_data(mut data: Bytes, stream: &mut SendStream<Bytes>) -> Result<(), BoxError> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
            None => return Err("the stream has ended".into()),
            Some(granted) => {
                let piece = data.split_to(data.len().min(granted?));
                if !piece.is_empty() {
                    stream.send_data(piece, false)?;
                }
            }
        }
    }
    Ok(())
}
