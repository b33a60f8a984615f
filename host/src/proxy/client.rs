//! What is known about a client's connection before its first request.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::http::{ClientLimits, Peer};
use crate::lifecycle::{ConnectionGuard, Drain};
use crate::net::ShownCertificate;
use crate::policy::{ArrivalFacts, Scheme};
use crate::telemetry::{AccessLog, Metrics};

/// Who sees what happens.
#[derive(Clone, Debug)]
pub struct Observers {
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Lines.
    pub access: AccessLog,
}

/// Which of the configured listeners: its place among those with the same address, which only port 0 has several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerKey {
    /// From 0.
    pub order: usize,
    /// As configured.
    pub address: SocketAddr,
}

/// A client's connection. Shared by its requests and by the tunnel that it may become.
#[derive(Debug)]
pub struct Client {
    /// The other end.
    pub peer: SocketAddr,
    /// Our end.
    pub local: SocketAddr,
    /// Where it came in.
    pub listener: ListenerKey,
    /// What endpoints receive about it.
    pub forwarded: Peer,
    /// How it speaks to us.
    pub scheme: Scheme,
    /// Server name of its TLS.
    pub sni: Option<Arc<str>>,
    /// What else deciders may know of it; none where there is nothing to be known.
    pub facts: Option<Arc<ArrivalFacts>>,
    /// TLS version, e.g. `1.3`.
    pub tls: Option<&'static str>,
    /// What it has shown in its handshake; none where it was asked for nothing.
    pub shown: Option<Box<ShownCertificate>>,
    /// Ends it.
    pub drain: Drain,
    /// Sees it.
    pub observers: Observers,
    /// What it may take.
    pub limits: ClientLimits,
    /// Its claims on limits, given back when the last request or tunnel lets go.
    pub guard: ConnectionGuard,
}
