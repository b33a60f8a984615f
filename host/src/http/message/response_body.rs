//! The body of a response, whichever server writes it to the client.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use super::trailers::strip_response_trailers;

/// Who broke a body off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenBy {
    /// The client, by what became of its request's body.
    Client,
    /// The endpoint that the response comes from.
    Endpoint,
}

/// Why a response's body stopped before its end. HTTP/1.1 says it by closing the connection.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct ResponseBodyError {
    /// Whose doing it is.
    pub by: BrokenBy,
    /// One word for its kind, for the log.
    pub kind: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// What happened.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// How a response's body ended.
#[derive(Clone, Copy, Debug)]
pub enum BodyEnd<'a> {
    /// All of it has been handed to the server.
    Complete,
    /// It broke off, and the client sees that.
    Broken(&'a ResponseBodyError),
    /// The client took nothing for too long. This may follow [`Self::Complete`]: what was handed over has not gone out.
    ClientStalled,
    /// The server dropped it before its end: the client has gone.
    ClientGone,
}

/// Sees what becomes of a response's body. Dropped with it, early or late.
pub trait BodyObserver: Send {
    /// This many bytes were handed to the server.
    fn body_data(&mut self, bytes: usize);
    /// These trailers follow it.
    fn body_trailers(&mut self, trailers: &HeaderMap) {
        _ = trailers;
    }
    /// Nothing follows.
    fn body_ended(&mut self, how: BodyEnd<'_>);
}

/// The body of a response. Trailers come as its last frame, without what must not be in them.
pub struct ResponseBody {
    content: BodyContent,
    observer: Option<Box<dyn BodyObserver>>,
    /// An end has been reported.
    has_ended: bool,
}

enum BodyContent {
    Whole(Option<Bytes>),
    Stream(UnsyncBoxBody<Bytes, ResponseBodyError>),
}

impl From<BodyContent> for ResponseBody {
    fn from(content: BodyContent) -> Self {
        Self { content, observer: None, has_ended: false }
    }
}

impl ResponseBody {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Self {
        BodyContent::Whole(None).into()
    }

    /// These bytes.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        BodyContent::Whole((!bytes.is_empty()).then_some(bytes)).into()
    }

    /// Frames that come by and by.
    #[must_use]
    pub fn stream<S>(stream: S) -> Self
    where
        S: Body<Data = Bytes> + Send + 'static,
        S::Error: Into<ResponseBodyError>,
    {
        BodyContent::Stream(stream.map_err(Into::into).boxed_unsync()).into()
    }

    /// Reports to `observer` what becomes of it: the end at once if it is empty.
    #[must_use]
    pub fn observed(mut self, observer: Box<dyn BodyObserver>) -> Self {
        self.observer = Some(observer);
        if self.is_end_stream() {
            self.end(BodyEnd::Complete);
        }
        self
    }

    /// Whether somebody observes what becomes of it: who passes it on from an endpoint does.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// The server that writes it has given the client up: it took nothing for too long. To be dropped next.
    pub fn client_stalled(&mut self) {
        self.end(BodyEnd::ClientStalled);
    }

    fn end(&mut self, how: BodyEnd<'_>) {
        self.has_ended = true;
        if let Some(observer) = &mut self.observer {
            observer.body_ended(how);
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(BodyEnd::ClientGone);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ResponseBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseBodyError>>> {
        let this = self.get_mut();
        let mut frame = match &mut this.content {
            BodyContent::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            BodyContent::Stream(stream) => ready!(Pin::new(stream).poll_frame(cx)),
        };
        match &mut frame {
            Some(Ok(frame)) => {
                if let Some(observer) = &mut this.observer {
                    observer.body_data(frame.data_ref().map_or(0, Bytes::len));
                }
                if let Some(trailers) = frame.trailers_mut() {
                    strip_response_trailers(trailers);
                    if let Some(observer) = &mut this.observer {
                        observer.body_trailers(trailers);
                    }
                    // Nothing follows them, and servers do not poll again.
                    this.end(BodyEnd::Complete);
                } else if this.is_end_stream() {
                    this.end(BodyEnd::Complete);
                }
            }
            Some(Err(error)) => this.end(BodyEnd::Broken(error)),
            None => this.end(BodyEnd::Complete),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            BodyContent::Whole(bytes) => bytes.is_none(),
            BodyContent::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            BodyContent::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            BodyContent::Stream(stream) => stream.size_hint(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::StreamBody;
    use parking_lot::Mutex;

    use super::*;

    /// What was observed, as text.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl BodyObserver for Log {
        fn body_data(&mut self, bytes: usize) {
            self.0.lock().push(bytes.to_string());
        }

        fn body_ended(&mut self, how: BodyEnd<'_>) {
            self.0.lock().push(match how {
                BodyEnd::Broken(error) => format!("broken by {:?}: {error}", error.by),
                how => format!("{how:?}"),
            });
        }
    }

    fn broken() -> ResponseBodyError {
        ResponseBodyError { by: BrokenBy::Endpoint, kind: "cut", remedy: "none", source: "it is cut".into() }
    }

    fn stream(frames: Vec<Result<Frame<Bytes>, ResponseBodyError>>) -> ResponseBody {
        ResponseBody::stream(StreamBody::new(futures_util::stream::iter(frames)))
    }

    #[tokio::test]
    async fn each_way_to_end_is_reported_once() {
        let data = || Ok(Frame::data(Bytes::from_static(b"abc")));
        let cases = [
            (ResponseBody::empty(), 0, &["Complete"][..]),
            (ResponseBody::whole("ab"), 1, &["2", "Complete"]),
            (ResponseBody::whole("ab"), 0, &["ClientGone"]),
            (stream(vec![data(), data()]), 3, &["3", "3", "Complete"]),
            (stream(vec![data(), data()]), 1, &["3", "ClientGone"]),
            (stream(vec![data(), Ok(Frame::trailers(HeaderMap::new()))]), 2, &["3", "0", "Complete"]),
            (stream(vec![data(), Err(broken())]), 2, &["3", "broken by Endpoint: it is cut"]),
        ];
        for (body, taken, expected) in cases {
            let log = Log::default();
            let mut body = body.observed(Box::new(log.clone()));
            for _ in 0..taken {
                drop(body.frame().await);
            }
            drop(body);
            assert_eq!(*log.0.lock(), expected);
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_reported_whatever_was_handed_over() {
        for (taken, expected) in [(0, &["ClientStalled"][..]), (1, &["2", "Complete", "ClientStalled"])] {
            let log = Log::default();
            let mut body = ResponseBody::whole("ab").observed(Box::new(log.clone()));
            for _ in 0..taken {
                drop(body.frame().await);
            }
            body.client_stalled();
            drop(body);
            assert_eq!(*log.0.lock(), expected);
        }
    }
}
