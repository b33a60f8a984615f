//! The plain stream out of a connection that has switched protocols.

use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use super::stream::GuardedStream;
use crate::net::{Duplex, Stream};

/// The connection of a client that has asked for another protocol.
#[derive(Debug)]
pub struct Http1Upgrade(OnUpgrade);

impl Http1Upgrade {
    pub(super) fn new(upgrade: OnUpgrade) -> Self {
        Self(upgrade)
    }

    /// The client's stream, and what was read too far. hyper is through with it once the 101 is written: nothing has to
    /// be waited for. None if that broke off.
    pub(in crate::http) async fn into_duplex(self) -> Option<(Duplex, Bytes)> {
        match self.0.await {
            Ok(upgraded) => into_stream(upgraded).map(|(stream, early)| (Duplex::Socket(stream), early)),
            Err(error) => {
                tracing::debug!(%error, "switch broke off");
                None
            }
        }
    }
}

/// The stream below, with the bytes that hyper and the guard had read already. None if the connection is another
/// server's.
fn into_stream(upgraded: Upgraded) -> Option<(Stream, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<GuardedStream>>().ok()?;
    let (stream, ahead) = parts.io.into_inner().into_parts();
    let early = if ahead.is_empty() { parts.read_buf } else { [&parts.read_buf[..], &ahead].concat().into() };
    Some((stream, early))
}
