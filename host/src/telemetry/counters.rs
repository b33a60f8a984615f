//! What workers count and hold themselves: for each its variant, its family and its labels there, in one table.

use super::names::{
    AUTH_CHECKS, CONNECTIONS, CONNECTIONS_CROWDED, CONNECTIONS_OPEN, CONNECTIONS_REFUSED, Family, HTTP2_CONNECTIONS,
    HTTP2_CONNECTIONS_OPEN, HTTP2_FLOODS, HTTP2_MALFORMED, HTTP2_RESETS, HTTP2_STREAMS_OPEN, LOGINS, LOOPS,
    NAME_LOOKUPS, RELOADS, REPORTS_IGNORED, REPORTS_TAKEN, REQUESTS, REQUESTS_DENIED, REQUESTS_MISDIRECTED,
    REQUESTS_REFUSED, REQUESTS_WAITING, RETRIES, RETRIES_DENIED, STICKY, TLS_HANDSHAKES, TUNNEL_BYTES, TUNNEL_PINGS,
    TUNNELS, TUNNELS_OPEN, TUNNELS_SILENT, UPGRADES, UPSTREAM_CONNECTIONS, UPSTREAM_HTTP2_CONNECTIONS,
    UPSTREAM_HTTP2_CONNECTIONS_OPEN, UPSTREAM_HTTP2_GIVEN_UP, UPSTREAM_HTTP2_GOAWAYS, UPSTREAM_HTTP2_REFUSED,
    UPSTREAM_HTTP2_REPEATS, UPSTREAM_HTTP2_STREAMS_OPEN, UPSTREAM_UNREADABLE, WAITS,
};

/// An enum of series that have a slot in each worker's shard, grouped by family.
macro_rules! slots {
    (
        $(#[$outer:meta])*
        $name:ident {
            $( $(#[$doc:meta])* $variant:ident => $family:ident $( ($( $label:ident = $value:literal ),+) )?, )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$doc])* $variant, )+
        }

        impl $name {
            /// All, in order of their slots and grouped by family.
            pub(super) const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// Its family, and its labels there.
            pub(super) fn series(self) -> (&'static Family, &'static [(&'static str, &'static str)]) {
                match self {
                    $( Self::$variant => (&$family, &[ $( $( (stringify!($label), $value) ),+ )? ]), )+
                }
            }
        }
    };
}

slots! {
/// A hot counter: one relaxed add on this worker's own cache lines.
Counter {
    /// A client connection was accepted.
    ConnectionAccepted => CONNECTIONS,
    /// Turned away: the listener is full.
    RefusedByListenerLimit => CONNECTIONS_REFUSED (reason = "listener_limit"),
    /// Turned away: this client has too many.
    RefusedByClientLimit => CONNECTIONS_REFUSED (reason = "client_limit"),
    /// The accept itself failed.
    RefusedByError => CONNECTIONS_REFUSED (reason = "error"),
    /// Closed at once: too many connections linger.
    ConnectionCrowded => CONNECTIONS_CROWDED,
    /// A connection of HTTP/2 was closed: too many frames without content.
    FloodEmpty => HTTP2_FLOODS (kind = "empty"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodContinuation => HTTP2_FLOODS (kind = "continuation"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodPriority => HTTP2_FLOODS (kind = "priority"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodPing => HTTP2_FLOODS (kind = "ping"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodWindowUpdate => HTTP2_FLOODS (kind = "window-update"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodUnknown => HTTP2_FLOODS (kind = "unknown"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodReset => HTTP2_FLOODS (kind = "reset"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodSettings => HTTP2_FLOODS (kind = "settings"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodGoaway => HTTP2_FLOODS (kind = "goaway"),
    /// A connection of HTTP/2 was closed: too many of these frames.
    FloodPushPromise => HTTP2_FLOODS (kind = "push-promise"),
    /// A connection of HTTP/2 was closed: a head was far too long.
    FloodHead => HTTP2_FLOODS (kind = "head"),
    /// A connection of HTTP/2 was closed: too many things that the library limits: cancelled or malformed requests, tiny pieces.
    FloodOther => HTTP2_FLOODS (kind = "other"),
    /// A client's TLS handshake completed.
    HandshakeOk => TLS_HANDSHAKES (outcome = "ok"),
    /// A client's TLS handshake failed.
    HandshakeFailed => TLS_HANDSHAKES (outcome = "failed"),
    /// A client's TLS handshake took too long.
    HandshakeTimedOut => TLS_HANDSHAKES (outcome = "timed_out"),
    /// A client's connection speaks HTTP/2.
    Http2Connection => HTTP2_CONNECTIONS,
    /// A client's connection was closed for what breaks HTTP/2.
    Http2Malformed => HTTP2_MALFORMED,
    /// A client's stream was reset with this code, here and below.
    Http2ResetNoError => HTTP2_RESETS (code = "NO_ERROR"),
    /// With this.
    Http2ResetProtocolError => HTTP2_RESETS (code = "PROTOCOL_ERROR"),
    /// With this.
    Http2ResetInternalError => HTTP2_RESETS (code = "INTERNAL_ERROR"),
    /// With this.
    Http2ResetFlowControlError => HTTP2_RESETS (code = "FLOW_CONTROL_ERROR"),
    /// With this.
    Http2ResetStreamClosed => HTTP2_RESETS (code = "STREAM_CLOSED"),
    /// With this.
    Http2ResetRefusedStream => HTTP2_RESETS (code = "REFUSED_STREAM"),
    /// With this.
    Http2ResetCancel => HTTP2_RESETS (code = "CANCEL"),
    /// With this.
    Http2ResetConnectError => HTTP2_RESETS (code = "CONNECT_ERROR"),
    /// With any other.
    Http2ResetOther => HTTP2_RESETS (code = "other"),
    /// The response was 1xx: protocols were switched.
    Status1xx => REQUESTS (class = "1xx", protocol = "http/1.1"),
    /// The response was 2xx.
    Status2xx => REQUESTS (class = "2xx", protocol = "http/1.1"),
    /// The response was 3xx.
    Status3xx => REQUESTS (class = "3xx", protocol = "http/1.1"),
    /// The response was 4xx.
    Status4xx => REQUESTS (class = "4xx", protocol = "http/1.1"),
    /// The response was 5xx.
    Status5xx => REQUESTS (class = "5xx", protocol = "http/1.1"),
    /// The same over HTTP/2.
    Http2Status1xx => REQUESTS (class = "1xx", protocol = "http/2"),
    /// The same over HTTP/2.
    Http2Status2xx => REQUESTS (class = "2xx", protocol = "http/2"),
    /// The same over HTTP/2.
    Http2Status3xx => REQUESTS (class = "3xx", protocol = "http/2"),
    /// The same over HTTP/2.
    Http2Status4xx => REQUESTS (class = "4xx", protocol = "http/2"),
    /// The same over HTTP/2.
    Http2Status5xx => REQUESTS (class = "5xx", protocol = "http/2"),
    /// A request was refused before it was routed.
    RequestRefused => REQUESTS_REFUSED,
    /// A request was refused: its host has other rules about client certificates than the handshake's name.
    RequestMisdirected => REQUESTS_MISDIRECTED,
    /// A request was refused for the address of its client.
    RequestDeniedAddress => REQUESTS_DENIED (reason = "address"),
    /// … for the origin of the page that made it.
    RequestDeniedOrigin => REQUESTS_DENIED (reason = "origin"),
    /// A server was asked who a client is, and let it in.
    AuthLetIn => AUTH_CHECKS (outcome = "let_in"),
    /// … and did not.
    AuthDenied => AUTH_CHECKS (outcome = "denied"),
    /// … and gave no answer.
    AuthFailed => AUTH_CHECKS (outcome = "failed"),
    /// A login that has been found right before.
    LoginKnown => LOGINS (outcome = "known"),
    /// A login was found right.
    LoginRight => LOGINS (outcome = "right"),
    /// A request without a login, into a route that asks for one.
    LoginMissing => LOGINS (outcome = "missing"),
    /// A login was found wrong.
    LoginWrong => LOGINS (outcome = "wrong"),
    /// A login was not tried: too many are under way.
    LoginTooMany => LOGINS (outcome = "too_many"),
    /// An upgrade went through.
    UpgradeOk => UPGRADES (outcome = "ok"),
    /// An upgrade did not: the route or the endpoint said no.
    UpgradeRefused => UPGRADES (outcome = "refused"),
    /// A tunnel opened.
    TunnelOpened => TUNNELS,
    /// Bytes from clients to endpoints.
    TunnelBytesToEndpoint => TUNNEL_BYTES (direction = "to_endpoint"),
    /// Bytes from endpoints to clients.
    TunnelBytesToClient => TUNNEL_BYTES (direction = "to_client"),
    /// A ping of the gateway's own went to a client.
    TunnelPingToClient => TUNNEL_PINGS (side = "client"),
    /// … to an endpoint.
    TunnelPingToEndpoint => TUNNEL_PINGS (side = "endpoint"),
    /// A tunnel ended: its client did not answer a ping.
    TunnelClientSilent => TUNNELS_SILENT (side = "client"),
    /// … its endpoint did not.
    TunnelEndpointSilent => TUNNELS_SILENT (side = "endpoint"),
    /// A new connection to an endpoint opened.
    UpstreamConnected => UPSTREAM_CONNECTIONS (outcome = "opened"),
    /// A new connection to an endpoint failed.
    UpstreamFailed => UPSTREAM_CONNECTIONS (outcome = "failed"),
    /// A pooled connection was used again.
    UpstreamReused => UPSTREAM_CONNECTIONS (outcome = "reused"),
    /// A new connection to an endpoint speaks HTTP/2.
    UpstreamHttp2Connected => UPSTREAM_HTTP2_CONNECTIONS,
    /// An endpoint sent GOAWAY.
    UpstreamGoaway => UPSTREAM_HTTP2_GOAWAYS,
    /// An endpoint did not act on a request.
    UpstreamRefused => UPSTREAM_HTTP2_REFUSED,
    /// That went to the same endpoint by another connection.
    UpstreamRepeated => UPSTREAM_HTTP2_REPEATS,
    /// An endpoint's connection was given up: too many frames that bring nothing.
    UpstreamFlood => UPSTREAM_HTTP2_GIVEN_UP (reason = "flood"),
    /// … frames that are wrong.
    UpstreamMalformed => UPSTREAM_HTTP2_GIVEN_UP (reason = "malformed"),
    /// … half a frame or header block, and then nothing.
    UpstreamUnfinished => UPSTREAM_HTTP2_GIVEN_UP (reason = "unfinished"),
    /// … no answer to a ping.
    UpstreamUnresponsive => UPSTREAM_HTTP2_GIVEN_UP (reason = "unresponsive"),
    /// An endpoint's response could not be read.
    UpstreamUnreadable => UPSTREAM_UNREADABLE,
    /// A request had come through here too often.
    LoopRefused => LOOPS,
    /// Another endpoint was tried: the one before was not reached.
    RetryConnect => RETRIES (reason = "connect"),
    /// … did not respond in time.
    RetryTimeout => RETRIES (reason = "timeout"),
    /// … broke off.
    RetryBroken => RETRIES (reason = "broken"),
    /// … responded with a status that is to be tried again.
    RetryStatus => RETRIES (reason = "status"),
    /// No other endpoint was tried: the budget is spent.
    RetryDenied => RETRIES_DENIED,
    /// A request waited, and an endpoint took it.
    WaitServed => WAITS (outcome = "served"),
    /// A request waited in vain.
    WaitInVain => WAITS (outcome = "in_vain"),
    /// The endpoint that the request names took it.
    StickyHit => STICKY (outcome = "hit"),
    /// The request names no endpoint that is known.
    StickyMiss => STICKY (outcome = "miss"),
    /// The endpoint that it names could not; another took it, or none.
    StickyBroken => STICKY (outcome = "broken"),
    /// A reload was committed.
    ReloadCommitted => RELOADS (outcome = "committed"),
    /// A reload was refused; the old generation stays.
    ReloadRefused => RELOADS (outcome = "refused"),
    /// A rollback was committed.
    RolledBack => RELOADS (outcome = "rolled_back"),
    /// A number of a probe's JSON was taken.
    JsonTaken => REPORTS_TAKEN (source = "json"),
    /// A number of a probe's metrics was taken.
    MetricTaken => REPORTS_TAKEN (source = "metric"),
    /// A number of an ORCA header was taken.
    OrcaTaken => REPORTS_TAKEN (source = "orca"),
    /// A number of a heartbeat was taken.
    HeartbeatTaken => REPORTS_TAKEN (source = "heartbeat"),
    /// A number of a call of the admin API was taken.
    PushTaken => REPORTS_TAKEN (source = "push"),
    /// Something of a probe's JSON could not be used.
    JsonIgnored => REPORTS_IGNORED (source = "json"),
    /// Something of a probe's metrics could not be used.
    MetricIgnored => REPORTS_IGNORED (source = "metric"),
    /// Something of an ORCA header could not be used.
    OrcaIgnored => REPORTS_IGNORED (source = "orca"),
    /// Something of a heartbeat could not be used.
    HeartbeatIgnored => REPORTS_IGNORED (source = "heartbeat"),
    /// Something of a call of the admin API could not be used.
    PushIgnored => REPORTS_IGNORED (source = "push"),
    /// A name was resolved.
    NameFound => NAME_LOOKUPS (outcome = "found"),
    /// A name was not resolved.
    NameNotFound => NAME_LOOKUPS (outcome = "failed"),
}
}

slots! {
/// A hot gauge: goes up and down by relaxed adds on this worker's own cache lines.
Gauge {
    /// Client connections open now.
    ConnectionsOpen => CONNECTIONS_OPEN,
    /// Tunnels open now.
    TunnelsOpen => TUNNELS_OPEN,
    /// Client connections open now that speak HTTP/2.
    Http2ConnectionsOpen => HTTP2_CONNECTIONS_OPEN,
    /// Requests and tunnels over HTTP/2 that are served now.
    Http2StreamsOpen => HTTP2_STREAMS_OPEN,
    /// Connections to endpoints open now that speak HTTP/2.
    UpstreamHttp2ConnectionsOpen => UPSTREAM_HTTP2_CONNECTIONS_OPEN,
    /// Requests and tunnels under way to endpoints over HTTP/2.
    UpstreamHttp2StreamsOpen => UPSTREAM_HTTP2_STREAMS_OPEN,
    /// Requests that wait for an endpoint now.
    RequestsWaiting => REQUESTS_WAITING,
}
}

impl Counter {
    /// The counter for a response's status, by what the client speaks.
    #[must_use]
    pub fn for_status(status: u16, protocol: RequestProtocol) -> Self {
        match (status / 100, protocol) {
            (1, RequestProtocol::Http1) => Self::Status1xx,
            (2, RequestProtocol::Http1) => Self::Status2xx,
            (3, RequestProtocol::Http1) => Self::Status3xx,
            (4, RequestProtocol::Http1) => Self::Status4xx,
            (_, RequestProtocol::Http1) => Self::Status5xx,
            (1, RequestProtocol::Http2) => Self::Http2Status1xx,
            (2, RequestProtocol::Http2) => Self::Http2Status2xx,
            (3, RequestProtocol::Http2) => Self::Http2Status3xx,
            (4, RequestProtocol::Http2) => Self::Http2Status4xx,
            (_, RequestProtocol::Http2) => Self::Http2Status5xx,
        }
    }

    /// The counter for a stream that was reset with this code (RFC 9113 §7).
    #[must_use]
    pub fn for_reset(code: u32) -> Self {
        match code {
            0x0 => Self::Http2ResetNoError,
            0x1 => Self::Http2ResetProtocolError,
            0x2 => Self::Http2ResetInternalError,
            0x3 => Self::Http2ResetFlowControlError,
            0x5 => Self::Http2ResetStreamClosed,
            0x7 => Self::Http2ResetRefusedStream,
            0x8 => Self::Http2ResetCancel,
            0xa => Self::Http2ResetConnectError,
            _ => Self::Http2ResetOther,
        }
    }

    /// The counter for a connection that was closed for a flood of this kind.
    #[must_use]
    pub fn for_flood(kind: FloodKind) -> Self {
        match kind {
            FloodKind::Empty => Self::FloodEmpty,
            FloodKind::Continuation => Self::FloodContinuation,
            FloodKind::Priority => Self::FloodPriority,
            FloodKind::Ping => Self::FloodPing,
            FloodKind::WindowUpdate => Self::FloodWindowUpdate,
            FloodKind::Unknown => Self::FloodUnknown,
            FloodKind::Reset => Self::FloodReset,
            FloodKind::Settings => Self::FloodSettings,
            FloodKind::Goaway => Self::FloodGoaway,
            FloodKind::PushPromise => Self::FloodPushPromise,
            FloodKind::Head => Self::FloodHead,
            FloodKind::Other => Self::FloodOther,
        }
    }
}

/// What a connection of HTTP/2 was closed for that sent too much which brings nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloodKind {
    /// Frames without content.
    Empty,
    /// CONTINUATION.
    Continuation,
    /// PRIORITY.
    Priority,
    /// PING.
    Ping,
    /// WINDOW_UPDATE.
    WindowUpdate,
    /// Frames of unknown types.
    Unknown,
    /// RST_STREAM.
    Reset,
    /// SETTINGS.
    Settings,
    /// GOAWAY.
    Goaway,
    /// PUSH_PROMISE.
    PushPromise,
    /// A head that is far too long.
    Head,
    /// What the library limits: cancelled or malformed requests, tiny pieces.
    Other,
}

impl FloodKind {
    /// Its word in metrics and the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        // Each kind has one series, and that has one label.
        Counter::for_flood(self).series().1.first().map_or("", |(_kind, word)| word)
    }

    /// What to do where it was none; nothing for most.
    #[must_use]
    pub fn remedy(self) -> Option<&'static str> {
        let of_heads = "raise `head` in the `limits` of the listener if heads are so long";
        (self == Self::Head).then_some(of_heads)
    }
}

impl std::fmt::Display for FloodKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a request came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestProtocol {
    /// HTTP/1.1, or older.
    #[default]
    Http1,
    /// HTTP/2.
    Http2,
}

impl RequestProtocol {
    /// Its word in metrics and access lines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "http/2",
        }
    }
}
