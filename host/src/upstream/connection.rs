//! One HTTP/1.1 connection to an endpoint.

use ::http::{Request, Response};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

use super::RequestBody;
use crate::lifecycle;
use crate::net::Stream;

/// An open connection that can take one request at a time.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<RequestBody>,
    reused: bool,
}

/// A request did not get its answer.
#[derive(Debug)]
pub enum SendError {
    /// The connection was gone before anything was written. The request is whole: send it elsewhere.
    NotSent(Box<Request<RequestBody>>, hyper::Error),
    /// It broke afterwards: the endpoint may have acted on it.
    Broken(hyper::Error),
}

impl Connection {
    /// Speaks HTTP/1.1 over `stream`. The connection's own task ends with it.
    pub(super) async fn open(stream: Stream) -> Result<Self, hyper::Error> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Boxed: a spawned future is moved several times.
        let connection = Box::pin(connection.with_upgrades());
        lifecycle::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to an endpoint ended early");
            }
        });
        Ok(Self { sender, reused: false })
    }

    /// Whether it has carried a request before: then the endpoint may have closed it at any moment.
    #[must_use]
    pub fn is_reused(&self) -> bool {
        self.reused
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// [`SendError`], which says whether the request may be sent again.
    pub async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Incoming>, SendError> {
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok(response),
            Err(mut error) => match error.take_message() {
                Some(request) => Err(SendError::NotSent(Box::new(request), error.into_error())),
                None => Err(SendError::Broken(error.into_error())),
            },
        }
    }

    pub(super) fn mark_reused(&mut self) {
        self.reused = true;
    }

    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// The plain stream out of a switched connection, with the bytes that hyper had read already.
///
/// # Errors
/// The connection itself, if it was not opened here.
pub fn take_back(upgraded: Upgraded) -> Result<(Stream, Bytes), Upgraded> {
    let parts = upgraded.downcast::<TokioIo<Stream>>()?;
    Ok((parts.io.into_inner(), parts.read_buf))
}
