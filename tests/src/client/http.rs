//! An HTTP/1.1 client by hyper.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use crate::{BoxedIo, Seen, within};

/// One connection, for one request after the other.
#[derive(Debug)]
pub struct Http<B = Full<Bytes>> {
    sender: SendRequest<B>,
    task: JoinHandle<()>,
}

/// A whole response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Fields after the body.
    pub trailers: HeaderMap,
    /// Responses with status 1xx that came before it.
    pub interim: Vec<Response<()>>,
}

impl<B> Http<B>
where
    B: Body<Data: Send> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Speaks HTTP/1.1 on `io`.
    ///
    /// # Panics
    /// If that fails.
    pub async fn new(io: BoxedIo) -> Self {
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.unwrap();
        let task = tokio::spawn(async move {
            let _broken = connection.await;
        });
        Self { sender, task }
    }

    /// Sends a request, and reads the response to its end.
    ///
    /// # Errors
    /// If the connection breaks off.
    pub async fn try_send(&mut self, request: Request<B>) -> Result<Answer, hyper::Error> {
        within("an answer", async {
            self.sender.ready().await?;
            let interim = Arc::<Mutex<Vec<_>>>::default();
            let mut request = request;
            hyper::ext::on_informational(&mut request, {
                let interim = interim.clone();
                move |early| {
                    let mut response = Response::new(());
                    *response.status_mut() = early.status();
                    *response.headers_mut() = early.headers().clone();
                    interim.lock().unwrap().push(response);
                }
            });
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            let body = body.collect().await?;
            let trailers = body.trailers().cloned().unwrap_or_default();
            let interim = std::mem::take(&mut *interim.lock().unwrap());
            Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes(), trailers, interim })
        })
        .await
    }

    /// Sends a request, and reads the response to its end.
    ///
    /// # Panics
    /// If the connection breaks off.
    pub async fn send(&mut self, request: Request<B>) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// Whether the other side has closed it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl<B> Drop for Http<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A GET for `path` on `gateway.test`, to be sent or added to.
///
/// # Panics
/// If `path` is none.
#[must_use]
pub fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).header("host", "gateway.test").body(Full::default()).unwrap()
}

impl Answer {
    /// What an [`crate::Origin`] saw, from the answer it gives.
    ///
    /// # Panics
    /// If this is another answer.
    #[must_use]
    pub fn seen(&self) -> Seen {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Value of a field; empty if it is not there.
    ///
    /// # Panics
    /// If it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
