//! What workers count and hold themselves, and the families it is shown in.

use super::names::{
    CONNECTIONS, CONNECTIONS_CROWDED, CONNECTIONS_OPEN, CONNECTIONS_REFUSED, Family, LOOPS, NAME_LOOKUPS, RELOADS,
    REPORTS_IGNORED, REPORTS_TAKEN, REQUESTS, REQUESTS_REFUSED, REQUESTS_WAITING, RETRIES, RETRIES_DENIED, STICKY,
    TLS_HANDSHAKES, TUNNEL_BYTES, TUNNELS, TUNNELS_OPEN, UPGRADES, UPSTREAM_CONNECTIONS, UPSTREAM_UNREADABLE, WAITS,
};

/// A hot counter: one relaxed add on this worker's own cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A client connection was accepted.
    ConnectionAccepted,
    /// Turned away: the listener is full.
    RefusedByListenerLimit,
    /// Turned away: this client has too many.
    RefusedByClientLimit,
    /// The accept itself failed.
    RefusedByError,
    /// Closed at once: too many connections linger.
    ConnectionCrowded,
    /// A client's TLS handshake completed.
    HandshakeOk,
    /// A client's TLS handshake failed.
    HandshakeFailed,
    /// A client's TLS handshake took too long.
    HandshakeTimedOut,
    /// Answered 1xx: switched protocols.
    Status1xx,
    /// Answered 2xx.
    Status2xx,
    /// Answered 3xx.
    Status3xx,
    /// Answered 4xx.
    Status4xx,
    /// Answered 5xx.
    Status5xx,
    /// A request was refused before it was routed.
    RequestRefused,
    /// An upgrade went through.
    UpgradeOk,
    /// An upgrade did not: the route or the endpoint said no.
    UpgradeRefused,
    /// A tunnel opened.
    TunnelOpened,
    /// Bytes from clients to endpoints.
    TunnelBytesToEndpoint,
    /// Bytes from endpoints to clients.
    TunnelBytesToClient,
    /// A new connection to an endpoint opened.
    UpstreamConnected,
    /// A new connection to an endpoint failed.
    UpstreamFailed,
    /// A pooled connection was used again.
    UpstreamReused,
    /// An endpoint's answer could not be read.
    UpstreamUnreadable,
    /// A request had come through here too often.
    LoopRefused,
    /// Another endpoint was tried: the one before was not reached.
    RetryConnect,
    /// … did not answer in time.
    RetryTimeout,
    /// … broke off.
    RetryBroken,
    /// … answered with a status that is to be tried again.
    RetryStatus,
    /// No other endpoint was tried: the budget is spent.
    RetryDenied,
    /// A request waited, and an endpoint took it.
    WaitServed,
    /// A request waited in vain.
    WaitInVain,
    /// The endpoint that the request names answered.
    StickyHit,
    /// The request names no endpoint that is known.
    StickyMiss,
    /// The endpoint that it names could not; another answered, or none.
    StickyBroken,
    /// A reload was committed.
    ReloadCommitted,
    /// A reload was refused; the old generation stays.
    ReloadRefused,
    /// A rollback was committed.
    RolledBack,
    /// A number of a probe's JSON was taken.
    JsonTaken,
    /// A number of a probe's metrics was taken.
    MetricTaken,
    /// A number of an ORCA header was taken.
    OrcaTaken,
    /// A number of a heartbeat was taken.
    HeartbeatTaken,
    /// A number of a call of the admin API was taken.
    PushTaken,
    /// Something of a probe's JSON could not be used.
    JsonIgnored,
    /// Something of a probe's metrics could not be used.
    MetricIgnored,
    /// Something of an ORCA header could not be used.
    OrcaIgnored,
    /// Something of a heartbeat could not be used.
    HeartbeatIgnored,
    /// Something of a call of the admin API could not be used.
    PushIgnored,
    /// A name was resolved.
    NameFound,
    /// A name was not resolved.
    NameNotFound,
}

impl Counter {
    /// All, in order of their slots and grouped by family.
    pub(super) const ALL: [Self; 49] = [
        Self::ConnectionAccepted,
        Self::RefusedByListenerLimit,
        Self::RefusedByClientLimit,
        Self::RefusedByError,
        Self::ConnectionCrowded,
        Self::HandshakeOk,
        Self::HandshakeFailed,
        Self::HandshakeTimedOut,
        Self::Status1xx,
        Self::Status2xx,
        Self::Status3xx,
        Self::Status4xx,
        Self::Status5xx,
        Self::RequestRefused,
        Self::UpgradeOk,
        Self::UpgradeRefused,
        Self::TunnelOpened,
        Self::TunnelBytesToEndpoint,
        Self::TunnelBytesToClient,
        Self::UpstreamConnected,
        Self::UpstreamFailed,
        Self::UpstreamReused,
        Self::UpstreamUnreadable,
        Self::LoopRefused,
        Self::RetryConnect,
        Self::RetryTimeout,
        Self::RetryBroken,
        Self::RetryStatus,
        Self::RetryDenied,
        Self::WaitServed,
        Self::WaitInVain,
        Self::StickyHit,
        Self::StickyMiss,
        Self::StickyBroken,
        Self::ReloadCommitted,
        Self::ReloadRefused,
        Self::RolledBack,
        Self::JsonTaken,
        Self::MetricTaken,
        Self::OrcaTaken,
        Self::HeartbeatTaken,
        Self::PushTaken,
        Self::JsonIgnored,
        Self::MetricIgnored,
        Self::OrcaIgnored,
        Self::HeartbeatIgnored,
        Self::PushIgnored,
        Self::NameFound,
        Self::NameNotFound,
    ];

    /// The counter for a response's status.
    #[must_use]
    pub fn for_status(status: u16) -> Self {
        match status / 100 {
            1 => Self::Status1xx,
            2 => Self::Status2xx,
            3 => Self::Status3xx,
            4 => Self::Status4xx,
            _ => Self::Status5xx,
        }
    }

    /// Its family, and its label there.
    pub(super) fn series(self) -> (&'static Family, Option<(&'static str, &'static str)>) {
        match self {
            Self::ConnectionAccepted => (&CONNECTIONS, None),
            Self::RefusedByListenerLimit => (&CONNECTIONS_REFUSED, Some(("reason", "listener_limit"))),
            Self::RefusedByClientLimit => (&CONNECTIONS_REFUSED, Some(("reason", "client_limit"))),
            Self::RefusedByError => (&CONNECTIONS_REFUSED, Some(("reason", "error"))),
            Self::ConnectionCrowded => (&CONNECTIONS_CROWDED, None),
            Self::HandshakeOk => (&TLS_HANDSHAKES, Some(("outcome", "ok"))),
            Self::HandshakeFailed => (&TLS_HANDSHAKES, Some(("outcome", "failed"))),
            Self::HandshakeTimedOut => (&TLS_HANDSHAKES, Some(("outcome", "timed_out"))),
            Self::Status1xx => (&REQUESTS, Some(("class", "1xx"))),
            Self::Status2xx => (&REQUESTS, Some(("class", "2xx"))),
            Self::Status3xx => (&REQUESTS, Some(("class", "3xx"))),
            Self::Status4xx => (&REQUESTS, Some(("class", "4xx"))),
            Self::Status5xx => (&REQUESTS, Some(("class", "5xx"))),
            Self::RequestRefused => (&REQUESTS_REFUSED, None),
            Self::UpgradeOk => (&UPGRADES, Some(("outcome", "ok"))),
            Self::UpgradeRefused => (&UPGRADES, Some(("outcome", "refused"))),
            Self::TunnelOpened => (&TUNNELS, None),
            Self::TunnelBytesToEndpoint => (&TUNNEL_BYTES, Some(("direction", "to_endpoint"))),
            Self::TunnelBytesToClient => (&TUNNEL_BYTES, Some(("direction", "to_client"))),
            Self::UpstreamConnected => (&UPSTREAM_CONNECTIONS, Some(("outcome", "opened"))),
            Self::UpstreamFailed => (&UPSTREAM_CONNECTIONS, Some(("outcome", "failed"))),
            Self::UpstreamReused => (&UPSTREAM_CONNECTIONS, Some(("outcome", "reused"))),
            Self::UpstreamUnreadable => (&UPSTREAM_UNREADABLE, None),
            Self::LoopRefused => (&LOOPS, None),
            Self::RetryConnect => (&RETRIES, Some(("reason", "connect"))),
            Self::RetryTimeout => (&RETRIES, Some(("reason", "timeout"))),
            Self::RetryBroken => (&RETRIES, Some(("reason", "broken"))),
            Self::RetryStatus => (&RETRIES, Some(("reason", "status"))),
            Self::RetryDenied => (&RETRIES_DENIED, None),
            Self::WaitServed => (&WAITS, Some(("outcome", "served"))),
            Self::WaitInVain => (&WAITS, Some(("outcome", "in_vain"))),
            Self::StickyHit => (&STICKY, Some(("outcome", "hit"))),
            Self::StickyMiss => (&STICKY, Some(("outcome", "miss"))),
            Self::StickyBroken => (&STICKY, Some(("outcome", "broken"))),
            Self::ReloadCommitted => (&RELOADS, Some(("outcome", "committed"))),
            Self::ReloadRefused => (&RELOADS, Some(("outcome", "refused"))),
            Self::RolledBack => (&RELOADS, Some(("outcome", "rolled_back"))),
            Self::JsonTaken => (&REPORTS_TAKEN, Some(("source", "json"))),
            Self::MetricTaken => (&REPORTS_TAKEN, Some(("source", "metric"))),
            Self::OrcaTaken => (&REPORTS_TAKEN, Some(("source", "orca"))),
            Self::HeartbeatTaken => (&REPORTS_TAKEN, Some(("source", "heartbeat"))),
            Self::PushTaken => (&REPORTS_TAKEN, Some(("source", "push"))),
            Self::JsonIgnored => (&REPORTS_IGNORED, Some(("source", "json"))),
            Self::MetricIgnored => (&REPORTS_IGNORED, Some(("source", "metric"))),
            Self::OrcaIgnored => (&REPORTS_IGNORED, Some(("source", "orca"))),
            Self::HeartbeatIgnored => (&REPORTS_IGNORED, Some(("source", "heartbeat"))),
            Self::PushIgnored => (&REPORTS_IGNORED, Some(("source", "push"))),
            Self::NameFound => (&NAME_LOOKUPS, Some(("outcome", "found"))),
            Self::NameNotFound => (&NAME_LOOKUPS, Some(("outcome", "failed"))),
        }
    }
}

/// A hot gauge: goes up and down by relaxed adds on this worker's own cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Client connections open now.
    ConnectionsOpen,
    /// Tunnels open now.
    TunnelsOpen,
    /// Requests that wait for an endpoint now.
    RequestsWaiting,
}

impl Gauge {
    /// All, in order of their slots.
    pub(super) const ALL: [Self; 3] = [Self::ConnectionsOpen, Self::TunnelsOpen, Self::RequestsWaiting];

    /// Its family.
    pub(super) fn family(self) -> &'static Family {
        match self {
            Self::ConnectionsOpen => &CONNECTIONS_OPEN,
            Self::TunnelsOpen => &TUNNELS_OPEN,
            Self::RequestsWaiting => &REQUESTS_WAITING,
        }
    }
}
