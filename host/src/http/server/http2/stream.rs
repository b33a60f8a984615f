//! One stream: a request, its response, and the tunnel that it may become. Each has a task of its own.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::http::{Response, StatusCode};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};

use super::request::{ResponseForm, StreamRequest};
use super::respond::respond;
use super::responder::Responder;
use crate::http::http2::{Wire, strip_for_http2};
use crate::http::message::{LastOfConnection, ResponseBody, ServerRequest, reply};
use crate::http::server::limits::ClientLimits;

/// A stream whose request is being served.
pub(super) struct OpenStream {
    responder: Arc<Responder>,
    form: ResponseForm,
    /// How long the client may take nothing.
    patience: Duration,
}

impl OpenStream {
    /// Reads the request on a stream that has opened.
    pub(super) fn new(
        request: ::http::Request<RecvStream>,
        respond: SendResponse<Bytes>,
        limits: &ClientLimits,
        wire: &Arc<Wire>,
    ) -> (Self, ServerRequest) {
        let responder = Responder::new(respond, Arc::clone(wire));
        let StreamRequest { request, form } = StreamRequest::read(request, &responder, limits);
        (Self { responder, form, patience: limits.idle_timeout }, request)
    }

    /// Sends what `handling` comes to, and runs the tunnel that it may lead to. A client that resets its stream ends
    /// the handling: what that holds is given back.
    pub(super) async fn run<T: Future<Output = ()>>(
        self,
        handling: impl Future<Output = (Response<ResponseBody>, Option<T>)>,
    ) {
        let Some((response, tunnel)) = self.unless_gone(handling).await else { return };
        if response.extensions().get::<LastOfConnection>().is_some() {
            self.responder.end_connection();
        }
        let Self { responder, form, patience } = self;
        match form {
            ResponseForm::Whole => respond(&responder, response, false, patience).await,
            ResponseForm::HeadOnly => respond(&responder, response, true, patience).await,
            ResponseForm::Reset => responder.reset(Reason::PROTOCOL_ERROR),
            ResponseForm::Switch(pending) => match tunnel {
                Some(tunnel) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    let mut head = response.map(drop);
                    strip_for_http2(head.headers_mut());
                    pending.translate(&mut head);
                    if let Some(send) = responder.begin(head, true) {
                        pending.settle(send, Arc::clone(responder.wire()));
                    } else {
                        drop(pending);
                    }
                    tunnel.await;
                }
                // Success would be read as a switch (RFC 8441 §4).
                _ if response.status().is_success() => {
                    let sentence = reply::sentence(StatusCode::BAD_GATEWAY, "protocols were not switched");
                    respond(&responder, sentence, false, patience).await;
                }
                _ => respond(&responder, response, false, patience).await,
            },
        }
    }

    async fn unless_gone<R>(&self, handling: impl Future<Output = R>) -> Option<R> {
        let mut handling = pin!(handling);
        poll_fn(|cx| match handling.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending => self.responder.poll_gone(cx).map(|()| None),
        })
        .await
    }
}
