//! A protocol that no endpoint speaks, in as few lines as the seam takes: a second one is written like this.
//!
//! A request is `METHOD target offer` in a line, then frames: `=5` and five bytes for data, `+name value` for a
//! trailer, `.` for the end. A response is a status in a line, then frames, or a text behind the status: the
//! body, or the protocol of a switch. `refused` is
//! none.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::UPGRADE;
use ::http::{HeaderMap, HeaderName, Response, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::super::session::Session;
use super::super::unreadable::Excerpt;
use super::super::{
    Broken, ConnectFault, ExchangeCause, ExchangeError, ExchangeObserver, RequestHead, ResendableBody, ResponseContent,
    Unreadable, Upstream,
};
use crate::net::{Duplex, Stream};

#[derive(Debug)]
pub(in super::super) struct Connection(BufReader<Stream>);

impl Connection {
    pub(in super::super) fn new(stream: Stream) -> Self {
        Self(BufReader::new(stream))
    }

    pub(in super::super) async fn send(
        mut self,
        head: RequestHead<'_>,
        body: &mut ResendableBody,
        within: Duration,
        upstream: &Arc<Upstream>,
        observer: &mut dyn ExchangeObserver,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        let of_endpoint = |broken| ExchangeError::of_endpoint(ExchangeCause::Broken(broken));
        let offer = head.offer.map_or_else(|| "-".to_owned(), |offer| offer.spellings().collect::<Vec<_>>().join(", "));
        let line = format!("{} {} {offer}\n", head.method, head.target);
        self.0.write_all(line.as_bytes()).await.map_err(|error| ExchangeError::before_sending(error.into()))?;
        while let Some(frame) = body.frame().await {
            let text = match frame.map_err(ExchangeError::of_body)?.into_data() {
                Ok(data) => [format!("={}\n", data.len()).as_bytes(), &data].concat(),
                Err(frame) => lines(&frame.into_trailers().unwrap_or_default()).into_bytes(),
            };
            self.0.write_all(&text).await.map_err(|error| of_endpoint(error.into()))?;
        }
        self.0.write_all(b".\n").await.map_err(|error| of_endpoint(error.into()))?;
        loop {
            let late = |_| ExchangeError::of_endpoint(ExchangeCause::TimedOut(within));
            let line = tokio::time::timeout(within, self.line()).await.map_err(late)?.map_err(of_endpoint)?;
            let (status, text) = line.split_once(' ').unwrap_or((&line, ""));
            let status = match StatusCode::from_bytes(status.as_bytes()) {
                Ok(status) => status,
                Err(_) if status == "refused" => return Err(ExchangeError::before_sending(Broken::Closed)),
                Err(_) => {
                    let unreadable = Unreadable::StatusLine(Excerpt::of(line.as_bytes()));
                    return Err(ExchangeError::of_endpoint(ExchangeCause::Unreadable(unreadable)));
                }
            };
            let content = match status {
                StatusCode::SWITCHING_PROTOCOLS => {
                    let early = Bytes::copy_from_slice(self.0.buffer());
                    ResponseContent::Duplex(Box::new(Duplex::Socket(self.0.into_inner())), early)
                }
                status if status.is_informational() => {
                    observer.interim(status, &HeaderMap::new());
                    continue;
                }
                _ if text.is_empty() => self.into_frames(Arc::clone(upstream)),
                _ => {
                    let text = Bytes::copy_from_slice(text.as_bytes());
                    Arc::clone(upstream).keep_idle(Session::Throwaway(self));
                    ResponseContent::Whole(text, None)
                }
            };
            let mut response = Response::new(content);
            *response.status_mut() = status;
            if status == StatusCode::SWITCHING_PROTOCOLS && !text.is_empty() {
                response.headers_mut().insert(UPGRADE, text.parse().unwrap());
            }
            return Ok(response);
        }
    }
    /// What comes behind the head; then the connection waits again.
    fn into_frames(self, upstream: Arc<Upstream>) -> ResponseContent {
        let frames = stream::try_unfold((self, upstream), |(mut connection, upstream)| async move {
            let line = connection.line().await?;
            let frame = match line.split_at_checked(1) {
                Some(("=", length)) => {
                    let mut data = vec![0; length.parse().unwrap()];
                    connection.0.read_exact(&mut data).await?;
                    Frame::data(data.into())
                }
                Some(("+", field)) => {
                    let (name, value) = field.split_once(' ').unwrap();
                    Frame::trailers(HeaderMap::from_iter([(
                        HeaderName::try_from(name).unwrap(),
                        value.parse().unwrap(),
                    )]))
                }
                _ => {
                    upstream.keep_idle(Session::Throwaway(connection));
                    return Ok(None);
                }
            };
            Ok(Some((frame, (connection, upstream))))
        });
        ResponseContent::Stream(Box::pin(StreamBody::new(frames)))
    }

    async fn line(&mut self) -> Result<String, Broken> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(Broken::Closed);
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The same words by several requests on one connection, one line each way for a request.
#[derive(Clone, Debug)]
pub(in super::super) struct Multiplexed(Arc<tokio::sync::Mutex<BufReader<Stream>>>);

impl Multiplexed {
    /// Waits for the endpoint's `hello`, as protocols with settings do.
    pub(in super::super) async fn open(stream: Stream) -> Result<Self, ConnectFault> {
        let mut connection = Connection::new(stream);
        match connection.line().await {
            Ok(line) if line == "hello" => Ok(Self(Arc::new(tokio::sync::Mutex::new(connection.0)))),
            Ok(_) => Err(ConnectFault::Closed(Broken::CutHead)),
            Err(broken) => Err(ConnectFault::Closed(broken)),
        }
    }

    pub(in super::super) async fn send(
        self,
        head: RequestHead<'_>,
        _body: &mut ResendableBody,
        _within: Duration,
        _observer: &mut dyn ExchangeObserver,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        let of_endpoint = |error: std::io::Error| ExchangeError::of_endpoint(ExchangeCause::Broken(error.into()));
        let mut stream = self.0.lock().await;
        let line = format!("{} {}\n", head.method, head.target);
        stream.write_all(line.as_bytes()).await.map_err(of_endpoint)?;
        let mut response = String::new();
        stream.read_line(&mut response).await.map_err(of_endpoint)?;
        match response.trim_end() {
            "refused" => Err(ExchangeError::refused()),
            text => Ok(Response::new(ResponseContent::Whole(Bytes::copy_from_slice(text.as_bytes()), None))),
        }
    }
}

/// These fields as trailers.
fn lines(fields: &HeaderMap) -> String {
    fields.iter().map(|(name, value)| format!("+{name} {}\n", value.to_str().unwrap())).collect()
}
