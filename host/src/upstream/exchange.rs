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

use super::session::Session;
use super::{
    ConnectError, ConnectFault, ExchangeCause, ExchangeError, ExchangeLimits, ExchangeObserver, RequestHead,
    ResendableBody, ResponseContent, Sent, Upstream,
};
use crate::net::is_idempotent;

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
        let is_multiplexed = self.protocol().is_multiplexed();
        // A tunnel takes the whole connection, unless that carries many.
        let mut may_reuse = is_multiplexed || head.offer.is_none();
        loop {
            let idle = if may_reuse { self.take_idle() } else { None };
            let is_reused = idle.is_some();
            let session = match idle {
                Some(session) => {
                    observer.reused();
                    session
                }
                None => {
                    let session = self.connect(limits.connect).await.map_err(ExchangeError::unreachable)?;
                    observer.connected();
                    session
                }
            };
            if let Some(progress) = body.progress() {
                observer.uploading(progress);
            }
            let sent = match session {
                Session::Http1(connection) => connection.send(head, body, limits.response, self, observer).await,
                #[cfg(test)]
                Session::Throwaway(connection) => connection.send(head, body, limits.response, self, observer).await,
                #[cfg(test)]
                Session::Multiplexed(connection) => connection.send(head, body, limits.response, observer).await,
            };
            let error = match sent {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if error.sent == Sent::Nothing {
                if is_reused {
                    // One that is shared is still there, and not to be asked for ever.
                    may_reuse = !is_multiplexed;
                    continue;
                }
                return Err(self.closed_at_once(error));
            }
            if is_reused && error.is_silent_close() && is_idempotent(head.method) && body.can_resend() {
                body.rewind();
                may_reuse = false;
                continue;
            }
            return Err(error);
        }
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
