//! One request, sent to one endpoint, in whichever protocol it speaks.
//!
//! ```text
//! RequestHead ┐                     ┌─▶ Whole: a body that is all there
//! RequestBody ┴─▶ Upstream::exchange┼─▶ Stream: a body that is still coming, trailers as its last frame
//!                                   ├─▶ Duplex: what comes behind a 101
//!                                   └─▶ ExchangeError: whose fault, what may have been sent, why
//! ```

use std::sync::Arc;

use ::http::Response;

use super::connect::Connected;
use super::session::{ConnectionPurpose, EndpointProtocol, Session};
use super::{
    ConnectError, ConnectFault, ExchangeCause, ExchangeError, ExchangeLimits, ExchangeObserver, RequestHead,
    ResendableBody, ResponseContent, Sent, Unsendable, Upstream, http2,
};
use crate::net::is_idempotent;
use crate::telemetry::Counter;

/// How often one request is sent by connections that are shared and turn out to be closing. Each of them has taken one
/// request at least, so that this many ask for one that they take in the end.
const ROUNDS_OF_SHARED: u32 = 100;

impl Upstream {
    /// Sends a request and waits for the head of the response: over connections that wait for work as long as those
    /// turn out to be dead, then over a new one. A request that is safe to repeat (RFC 9110 §9.2.2), and whose body can
    /// be sent again, is repeated once where a connection that had been used before was closed in silence: the endpoint
    /// may have closed it just before the request was there.
    ///
    /// # Errors
    /// [`ExchangeError`]. Where nothing was sent, `body` is whole again.
    pub async fn exchange(
        self: &Arc<Self>,
        head: RequestHead<'_>,
        body: &mut ResendableBody,
        limits: ExchangeLimits,
        observer: &mut impl ExchangeObserver,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        let may_multiplex = self.protocol().may_multiplex();
        let purpose = self.purpose(&head, body);
        // A tunnel takes the whole connection, unless that carries many.
        let mut may_reuse = may_multiplex || purpose == ConnectionPurpose::Request;
        let mut round = 0;
        let mut wants_http1 = false;
        loop {
            round += 1;
            let (session, is_reused) = match if may_reuse && !wants_http1 { self.take_idle(purpose) } else { None } {
                Some(session) => (session, true),
                // Boxed: the future of every request has room for what this one holds.
                None if wants_http1 => {
                    (Box::pin(self.open_http1(limits.connect, |_why| Unsendable::Http1Required)).await?, false)
                }
                None => {
                    let Connected { session, is_reused } = self.connect(purpose, may_reuse, limits.connect).await?;
                    (session, is_reused)
                }
            };
            if is_reused {
                observer.reused();
            } else {
                observer.connected();
            }
            if let Some(progress) = body.progress() {
                observer.uploading(progress);
            }
            // Boxed: the future of every request has room for it, and most have none.
            let shared = session.pooled().map(Box::new);
            let sent = match session {
                Session::Http1(connection) => connection.send(head, body, limits.response, self, observer).await,
                // Boxed: the future of every request has room for what this one holds.
                Session::Http2(connection) => Box::pin(connection.send(head, body, limits.response, observer)).await,
                #[cfg(test)]
                Session::Throwaway(connection) => connection.send(head, body, limits.response, self, observer).await,
                #[cfg(test)]
                Session::Multiplexed(connection) => connection.send(head, body, limits.response, observer).await,
            };
            let error = match sent {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if matches!(error.cause, ExchangeCause::Unsendable(Unsendable::Http1Required))
                && (error.sent, self.protocol()) == (Sent::Nothing, EndpointProtocol::Negotiated)
            {
                wants_http1 = true;
                continue;
            }
            if error.sent == Sent::Nothing {
                // One that is shared and not there any more has been left behind by all of its requests, which share the
                // next. One that has no room any more was asked too early. Any other would refuse it again.
                let is_there = shared
                    .is_some_and(|mut shared| round >= ROUNDS_OF_SHARED || shared.is_reusable() && shared.has_room());
                if !is_reused || is_there || matches!(error.cause, ExchangeCause::Unsendable(_)) {
                    return Err(self.closed_at_once(error));
                }
                if matches!(error.cause, ExchangeCause::Refused) {
                    self.metrics().increment(Counter::UpstreamRepeated);
                }
                continue;
            }
            if is_reused && error.is_silent_close() && is_idempotent(head.method) && body.can_resend() {
                body.rewind();
                may_reuse = false;
                continue;
            }
            return Err(error);
        }
    }

    /// What a connection is wanted for.
    fn purpose(&self, head: &RequestHead<'_>, body: &ResendableBody) -> ConnectionPurpose {
        let is_tunnel = head.offer.is_some() && (!self.protocol().may_multiplex() || http2::may_switch(head, body));
        if is_tunnel { ConnectionPurpose::Tunnel } else { ConnectionPurpose::Request }
    }

    /// What it means that a new connection took nothing: there is none.
    fn closed_at_once(&self, error: ExchangeError) -> ExchangeError {
        match error.cause {
            ExchangeCause::Broken(broken) => {
                let fault = ConnectFault::Closed(broken);
                ExchangeError::unreachable(ConnectError { url: self.url().clone(), fault })
            }
            cause => ExchangeError { cause, ..error },
        }
    }
}
