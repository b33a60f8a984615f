//! HTTP/2 with clients.

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
/// Connections closed for what breaks the protocol.
pub static HTTP2_MALFORMED: Family = Family::counter(
    "tidegate_http2_malformed",
    "Client connections closed because what came on them breaks HTTP/2 as a whole, and not one request",
);
