//! Connections for requests that are no client's: no other request goes over them.

use std::time::Duration;

use ::http::Response;

use super::session::{ConnectionPurpose, EndpointProtocol, is_http2};
use super::timer::LazyTimer;
use super::{
    ConnectError, ConnectFault, ExchangeError, RequestHead, ResendableBody, ResponseContent, Tls, Unobserved, Upstream,
    http2,
};
use crate::http::RequestBody;
use crate::net::Stream;

/// A new connection in the protocol of its endpoint.
#[derive(Debug)]
pub enum LoneConnection {
    /// A stream to speak HTTP/1.1 on.
    Http1(Stream),
    /// A request can be sent over HTTP/2.
    Http2(Box<LoneRequest>),
}

/// The one request of an HTTP/2 connection.
#[derive(Debug)]
pub struct LoneRequest(http2::Http2Connection);

impl Upstream {
    /// Opens one for a request, or for a tunnel: that goes over HTTP/1.1 where the endpoint has the choice, and takes
    /// none over HTTP/2.
    ///
    /// # Errors
    /// [`ConnectError`]
    pub async fn dial_apart(&self, is_for_tunnel: bool, within: Duration) -> Result<LoneConnection, ConnectError> {
        let purpose = if is_for_tunnel { ConnectionPurpose::Tunnel } else { ConnectionPurpose::Request };
        let connection = self.open_apart(self.tls(), within).await?;
        match connection {
            LoneConnection::Http2(request)
                if purpose == ConnectionPurpose::Tunnel
                    && !request.0.takes_tunnels()
                    && self.protocol() == EndpointProtocol::Negotiated =>
            {
                match self.open_apart(self.http1_tls(), within).await {
                    // What is asked over HTTP/2 then says why there is no tunnel.
                    Err(ConnectError { fault: ConnectFault::NoProtocol(_), .. }) => Ok(LoneConnection::Http2(request)),
                    opened => opened,
                }
            }
            connection => Ok(connection),
        }
    }

    async fn open_apart(&self, tls: Option<&Tls>, within: Duration) -> Result<LoneConnection, ConnectError> {
        let mut timer = LazyTimer::new(within);
        let stream = self.open(tls, &mut timer).await?;
        if !is_http2(self.protocol(), &stream).map_err(|fault| self.error(fault))? {
            return Ok(LoneConnection::Http1(stream));
        }
        let connection = http2::open(stream, timer, self.context()).await.map_err(|fault| self.error(fault))?;
        Ok(LoneConnection::Http2(Box::new(LoneRequest(connection))))
    }
}

impl LoneRequest {
    /// Sends a request without a body, and waits for the head of its response for `within`.
    ///
    /// # Errors
    /// [`ExchangeError`]
    pub async fn send(
        self,
        head: RequestHead<'_>,
        within: Duration,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        self.send_with(head, RequestBody::Empty, within).await
    }

    /// The same, with a body.
    ///
    /// # Errors
    /// [`ExchangeError`]
    pub async fn send_with(
        self,
        head: RequestHead<'_>,
        body: RequestBody,
        within: Duration,
    ) -> Result<Response<ResponseContent>, ExchangeError> {
        if head.offer.is_some() && !self.0.takes_tunnels() {
            return Err(ExchangeError::unsendable(super::Unsendable::Websocket));
        }
        let mut body = ResendableBody::new(body, None);
        self.0.send(head, &mut body, within, &mut Unobserved).await
    }
}
