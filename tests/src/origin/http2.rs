//! An origin in HTTP/2.

use std::future::poll_fn;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::{Method, Request, Response};

use super::serve::{Responded, Serving};
use super::{Kind, Leave};
use crate::BoxedIo;
use crate::http2::{Body, BoxError, Http2Io, ReceivedBody, Tap, send_body};

/// What an origin is in HTTP/2.
#[derive(Clone)]
pub(super) struct Http2Origin {
    builder: Builder,
    /// It speaks nothing else.
    pub(super) is_only: bool,
}

impl Http2Origin {
    pub(super) fn new(builder: Builder) -> Self {
        Self { builder, is_only: true }
    }

    pub(super) fn beside_http1(self) -> Self {
        Self { is_only: false, ..self }
    }
}

impl Serving {
    /// Takes care of a connection that speaks HTTP/2.
    pub(super) async fn http2(self, io: BoxedIo, setup: &Http2Origin) {
        let (tap, frames) = Tap::of_server(io);
        self.shared.frames.lock().unwrap().push(frames);
        // A connection that breaks off is for the test to notice.
        let Ok(mut connection) = setup.builder.handshake::<_, Bytes>(tap).await else { return };
        let mut leaving = self.shared.leaving.subscribe();
        loop {
            tokio::select! {
                stream = connection.accept() => match stream {
                    Some(Ok((request, respond))) => {
                        let serving = self.clone();
                        self.shared.spawn(async move { serving.stream(request, respond).await });
                    }
                    Some(Err(_)) | None => return,
                },
                Ok(()) = leaving.changed() => match *leaving.borrow_and_update() {
                    Some(Leave::Gracefully) => connection.graceful_shutdown(),
                    Some(Leave::Abruptly(reason)) => connection.abrupt_shutdown(reason),
                    None => {}
                },
            }
        }
    }

    async fn stream(self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        match &self.kind {
            Kind::Streams(handler) => handler(request, respond).await,
            _ => {
                let _gone = self.http2_response(request, respond).await;
            }
        }
    }

    async fn http2_response(
        self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
    ) -> Result<(), BoxError> {
        let opens = request.method() == Method::CONNECT && request.extensions().get::<h2::ext::Protocol>().is_some();
        if opens {
            let (parts, receive) = request.into_parts();
            let request = Request::from_parts(parts, Body::default());
            match self.respond(request, true).await? {
                Responded::Whole(response) => return send(response, &mut respond).await,
                Responded::Switched(response) => {
                    let send = respond.send_response(response.map(|_none| ()), false)?;
                    self.tunnel(Box::new(Http2Io::new(send, receive))).await;
                    return Ok(());
                }
            }
        }
        let request = request.map(|stream| ReceivedBody::new(stream).map_err(BoxError::from).boxed_unsync());
        let responded = tokio::select! {
            responded = self.respond(request, false) => responded?,
            _reset = poll_fn(|cx| respond.poll_reset(cx)) => return Ok(()),
        };
        let (Responded::Whole(response) | Responded::Switched(response)) = responded;
        send(response, &mut respond).await
    }
}

async fn send(response: Response<Body>, respond: &mut SendResponse<Bytes>) -> Result<(), BoxError> {
    let (parts, body) = response.into_parts();
    let ends = body.is_end_stream();
    let mut stream = respond.send_response(Response::from_parts(parts, ()), ends)?;
    if ends {
        return Ok(());
    }
    send_body(body, &mut stream).await
}
