//! HTTP/2 with clients, and with endpoints.

use super::Family;

/// Connections that speak it.
pub static HTTP2_CONNECTIONS: Family =
    Family::counter("tidegate_http2_connections", "Client connections that speak HTTP/2");
/// The same, open now.
pub static HTTP2_CONNECTIONS_OPEN: Family =
    Family::gauge("tidegate_http2_connections_open", "Client connections open now that speak HTTP/2");
/// Streams that are served now.
pub static HTTP2_STREAMS_OPEN: Family =
    Family::gauge("tidegate_http2_streams_open", "Requests and tunnels over HTTP/2 that are served now");
/// Streams that were reset here, by `code`.
pub static HTTP2_RESETS: Family = Family::counter(
    "tidegate_http2_resets",
    "Requests and tunnels of clients over HTTP/2 that were ended with RST_STREAM by the gateway, by its code",
);
/// Connections closed for what breaks the protocol.
pub static HTTP2_MALFORMED: Family = Family::counter(
    "tidegate_http2_malformed",
    "Client connections closed because what came on them breaks HTTP/2 as a whole, and not one request",
);
/// Connections to endpoints that speak it.
pub static UPSTREAM_HTTP2_CONNECTIONS: Family = Family::counter(
    "tidegate_upstream_http2_connections",
    "Connections to endpoints that were opened and speak HTTP/2",
);
/// The same, open now.
pub static UPSTREAM_HTTP2_CONNECTIONS_OPEN: Family =
    Family::gauge("tidegate_upstream_http2_connections_open", "Connections to endpoints open now that speak HTTP/2");
/// Streams under way.
pub static UPSTREAM_HTTP2_STREAMS_OPEN: Family =
    Family::gauge("tidegate_upstream_http2_streams_open", "Requests and tunnels under way to endpoints over HTTP/2");
/// GOAWAY frames of endpoints.
pub static UPSTREAM_HTTP2_GOAWAYS: Family =
    Family::counter("tidegate_upstream_http2_goaways", "GOAWAY frames that endpoints have sent");
/// Requests that endpoints have not acted on.
pub static UPSTREAM_HTTP2_REFUSED: Family = Family::counter(
    "tidegate_upstream_http2_refused",
    "Requests that endpoints did not act on: refused with REFUSED_STREAM, or left out by a GOAWAY",
);
/// Those that went to the same endpoint again.
pub static UPSTREAM_HTTP2_REPEATS: Family = Family::counter(
    "tidegate_upstream_http2_repeats",
    "Requests sent to the same endpoint by another connection, for it had not acted on them",
);
/// Connections to endpoints that were given up, by `reason`.
pub static UPSTREAM_HTTP2_GIVEN_UP: Family = Family::counter(
    "tidegate_upstream_http2_given_up",
    "Connections to endpoints closed for what came by them in HTTP/2, or did not, by reason",
);
