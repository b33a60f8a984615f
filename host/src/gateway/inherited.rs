//! Sockets that one gateway hands on to the next.

use std::net::{TcpListener, UdpSocket};

use crate::listener::Bound;

/// Sockets that are bound already: another gateway handed them on, see [`super::Gateway::listening_sockets`], or a
/// supervisor did. Each is taken by the part of the gateway that is configured to be at its address; what nothing takes
/// is closed.
#[derive(Debug, Default)]
pub struct InheritedSockets {
    /// Of `[[listen]]`. Connections that queue at them are accepted like all others.
    pub listeners: Vec<Bound>,
    /// Of `[admin]`.
    pub admin: Option<TcpListener>,
    /// Of `[heartbeat]`.
    pub heartbeat: Option<UdpSocket>,
}
