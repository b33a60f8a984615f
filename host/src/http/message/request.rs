//! What a server hands over of a request, and what it takes for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use ::http::{HeaderMap, Request, StatusCode, Version};
use bytes::Bytes;

use super::{Offer, Refused, RequestBody};
use crate::http::server::http1::Http1Upgrade;
use crate::net::Duplex;

/// A request as a server hands it to its handler. The handler's response is written by that server.
#[derive(Debug)]
pub struct ServerRequest {
    /// The version that the server speaks, for the access log; a request may be of an older one.
    pub version: Version,
    /// Head and body; or what is known of a request that is not served.
    pub request: Result<Request<RequestBody>, Refused>,
    /// What the client asks to switch to; none where it does not ask. The response settles it: 101 in the words of
    /// HTTP/1.1, which a server of another version translates (RFC 8441 §4: 200).
    pub upgrade: Option<UpgradeRequest>,
    /// Takes interim responses; none where the server cannot send any. HTTP/1.1 by hyper cannot, but for the
    /// `100 (Continue)` that polling the body leads to.
    pub interim: Option<Box<dyn InterimSink>>,
}

/// A client's wish to switch protocols.
#[derive(Debug)]
pub struct UpgradeRequest {
    /// To which.
    pub offer: Offer,
    /// What comes of it on the client's side.
    pub client: ClientUpgrade,
    /// What the request is without it.
    pub need: UpgradeNeed,
}

/// What a request is whose protocol is not switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeNeed {
    /// A request as any other (RFC 9110 §7.8).
    Optional,
    /// None: success means that protocols were switched (RFC 8441 §4).
    Required,
}

/// Sends interim responses (1xx, RFC 9110 §15.2) to the client of one request.
pub trait InterimSink: Send {
    /// Sends one, before the response. 100 and 101 are not for this.
    fn send(&mut self, status: StatusCode, fields: &HeaderMap);
}

/// What [`ClientUpgrade::into_duplex`] waits for.
pub type UpgradeFuture = Pin<Box<dyn Future<Output = Option<(Duplex, Bytes)>> + Send>>;

/// The client's side of a switch of protocols.
pub enum ClientUpgrade {
    /// The whole connection, once HTTP/1.1 is through with it.
    Http1(Http1Upgrade),
    /// Whatever another version has.
    Boxed(UpgradeFuture),
}

impl ClientUpgrade {
    /// The client's bytes behind the switch, and those that were read with it. None if the client has gone, or the
    /// response was no switch. Ready once the server has written the response.
    pub async fn into_duplex(self) -> Option<(Duplex, Bytes)> {
        match self {
            Self::Http1(upgrade) => upgrade.into_duplex().await,
            Self::Boxed(upgrade) => upgrade.await,
        }
    }
}

impl fmt::Debug for ClientUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientUpgrade")
    }
}

impl fmt::Debug for dyn InterimSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterimSink")
    }
}
