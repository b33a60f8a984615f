//! New connections, and who opens one that many share.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::dial::dial;
use super::error::{ExchangeError, Unsendable};
use super::session::{ConnectionPurpose, EndpointProtocol, Session};
use super::timer::LazyTimer;
use super::{ConnectError, ConnectFault, Tls, Upstream};
use crate::net::Stream;

/// A connection for one request.
pub(super) struct Connected {
    pub(super) session: Session,
    /// It was there, or another request has opened it.
    pub(super) is_reused: bool,
}

impl Connected {
    fn fresh(session: Session) -> Self {
        Self { session, is_reused: false }
    }
}

impl Upstream {
    /// A connection for `purpose`: a part of one that is there, unless `may_reuse` is false, or a new one.
    ///
    /// # Errors
    /// [`ExchangeError`]; nothing was sent.
    pub(super) async fn connect(
        self: &Arc<Self>,
        purpose: ConnectionPurpose,
        may_reuse: bool,
        within: Duration,
    ) -> Result<Connected, ExchangeError> {
        if self.protocol().may_multiplex() {
            // Boxed: the future of every request has room for what this one holds.
            return Box::pin(self.connect_shared(purpose, may_reuse, within)).await;
        }
        let session = self.open_session(self.protocol(), within).await;
        session.map(Connected::fresh).map_err(ExchangeError::unreachable)
    }

    /// The same where a connection may take many requests: one opens it, the others wait for it.
    async fn connect_shared(
        self: &Arc<Self>,
        purpose: ConnectionPurpose,
        may_reuse: bool,
        within: Duration,
    ) -> Result<Connected, ExchangeError> {
        let lacks_tunnels = purpose == ConnectionPurpose::Tunnel && self.memory.lacks_tunnels.load(Relaxed);
        if lacks_tunnels && self.protocol() == EndpointProtocol::Negotiated {
            return self.open_http1(within, Unsendable::WebsocketEitherWay).await.map(Connected::fresh);
        }
        if lacks_tunnels && self.take_idle(ConnectionPurpose::Request).is_some() {
            return Err(ExchangeError::unsendable(Unsendable::Websocket));
        }
        let until = Instant::now() + within;
        // Connections that take one request each are opened side by side.
        let takes_turns = may_reuse && !self.memory.chose_http1.load(Relaxed) && self.keeps_idle();
        let _turn = loop {
            if !takes_turns {
                break None;
            }
            if self.takes_no_streams() {
                return Err(ExchangeError::unsendable(Unsendable::Streams));
            }
            match self.turn() {
                Ok(turn) => break Some(turn),
                Err(mut opening) => {
                    // It ends by being dropped, whatever came of it.
                    if timeout_at(until, opening.changed()).await.is_err() {
                        return Err(ExchangeError::unreachable(self.error(ConnectFault::TimedOut(within))));
                    }
                    if let Some(session) = self.take_idle(purpose) {
                        return Ok(Connected { session, is_reused: true });
                    }
                }
            }
        };
        self.connect_new(purpose, until.saturating_duration_since(Instant::now())).await.map(Connected::fresh)
    }

    /// Opens one in the protocol of the endpoint, and puts it into the pool if others may use it beside this request.
    async fn connect_new(
        self: &Arc<Self>,
        purpose: ConnectionPurpose,
        within: Duration,
    ) -> Result<Session, ExchangeError> {
        let until = Instant::now() + within;
        let session = self.open_session(self.protocol(), within).await.map_err(ExchangeError::unreachable)?;
        let pooled = session.pooled();
        self.memory.chose_http1.store(pooled.is_none(), Relaxed);
        self.memory.has_chosen.store(true, Relaxed);
        let Some(pooled) = pooled else { return Ok(session) };
        self.memory.lacks_tunnels.store(!session.takes(ConnectionPurpose::Tunnel), Relaxed);
        Arc::clone(self).keep_idle(pooled);
        if !session.takes_streams() {
            return Err(ExchangeError::unsendable(Unsendable::Streams));
        }
        if session.takes(purpose) {
            return Ok(session);
        }
        if self.protocol() != EndpointProtocol::Negotiated {
            return Err(ExchangeError::unsendable(Unsendable::Websocket));
        }
        let left = until.saturating_duration_since(Instant::now());
        self.open_http1(left, Unsendable::WebsocketEitherWay).await
    }

    /// Opens one in HTTP/1.1, to an endpoint that has chosen HTTP/2 and does not take over it what is to be sent. Where
    /// it lets nobody speak HTTP/1.1 either, that is `unsendable`, and no reason to leave it alone: any client can ask for
    /// a tunnel.
    pub(super) async fn open_http1(
        &self,
        within: Duration,
        unsendable: fn(String) -> Unsendable,
    ) -> Result<Session, ExchangeError> {
        let opened = self.open_session(EndpointProtocol::Http1, within).await;
        opened.map_err(|error| match error.fault {
            ConnectFault::NoProtocol(_) => ExchangeError::unsendable(unsendable("it refuses that by ALPN".to_owned())),
            ConnectFault::Tls(why) => ExchangeError::unsendable(unsendable(why)),
            _ => ExchangeError::unreachable(error),
        })
    }

    async fn open_session(&self, protocol: EndpointProtocol, within: Duration) -> Result<Session, ConnectError> {
        let mut timer = LazyTimer::new(within);
        let tls = if protocol == EndpointProtocol::Http1 { self.http1_tls() } else { self.tls() };
        let stream = self.open(tls, &mut timer).await?;
        let session = Session::open(protocol, stream, timer, self.context()).await;
        session.map_err(|fault| self.error(fault))
    }

    /// Opens a stream that no client's request goes over, TLS included where the endpoint has it.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn dial(&self, within: Duration) -> Result<Stream, ConnectError> {
        self.open(self.tls(), &mut LazyTimer::new(within)).await
    }

    /// The same, without TLS even where the endpoint has it.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn dial_transport(&self, within: Duration) -> Result<Stream, ConnectError> {
        self.open(None, &mut LazyTimer::new(within)).await
    }

    pub(super) async fn open(&self, tls: Option<&Tls>, timer: &mut LazyTimer) -> Result<Stream, ConnectError> {
        dial(self.address(), tls, timer).await.map_err(|fault| self.error(fault))
    }

    pub(super) fn error(&self, fault: ConnectFault) -> ConnectError {
        ConnectError { url: self.url().clone(), fault }
    }
}
