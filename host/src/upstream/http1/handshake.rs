//! The websocket handshake of HTTP/1.1 (RFC 6455 §4), for clients whose protocol has none (RFC 8441 §5).

use ::http::header::{self, HeaderMap};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::RequestHead;
use super::super::unreadable::Unreadable;
use crate::net::UpgradeProtocol;

/// The key of a handshake that is the gateway's own. A client that has sent one checks the response to it itself.
#[derive(Debug)]
pub(super) struct WebsocketKey(String);

impl WebsocketKey {
    /// One for a request that asks for a websocket, of a client that makes no such handshake.
    pub(super) fn needed_for(head: &RequestHead<'_>) -> Option<Self> {
        let offer = head.offer.filter(|offer| !offer.has_handshake())?;
        let is_websocket = offer.first() == Some(&UpgradeProtocol::Websocket);
        (is_websocket && !head.fields.contains(&header::SEC_WEBSOCKET_KEY)).then(|| Self(generate_key()))
    }

    /// Value of Sec-WebSocket-Key.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks the fields of a 101, and takes out what the client did not ask for.
    ///
    /// # Errors
    /// [`Unreadable::Accept`]: it has not seen the key.
    pub(super) fn check(&self, fields: &mut HeaderMap) -> Result<(), Unreadable> {
        let accept =
            fields.remove(header::SEC_WEBSOCKET_ACCEPT).ok_or(Unreadable::Accept("no Sec-WebSocket-Accept"))?;
        if accept.as_bytes() == derive_accept_key(self.0.as_bytes()).as_bytes() {
            return Ok(());
        }
        Err(Unreadable::Accept("a Sec-WebSocket-Accept that is not made from the key it was sent"))
    }
}
