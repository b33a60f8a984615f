//! Connections of clients, by listener, worker and outcome of TLS.

use super::Family;

/// Accepted client connections.
pub static CONNECTIONS: Family = Family::counter("tidegate_connections", "Client connections accepted");
/// Connections turned away, by `reason`.
pub static CONNECTIONS_REFUSED: Family =
    Family::counter("tidegate_connections_refused", "Client connections turned away, by reason");
/// Connections closed at once where others linger.
pub static CONNECTIONS_CROWDED: Family = Family::counter(
    "tidegate_connections_crowded",
    "Client connections closed without lingering, because too many of their worker did: the last answer may be lost",
);
/// Client connections open now.
pub static CONNECTIONS_OPEN: Family = Family::gauge("tidegate_connections_open", "Client connections open now");
/// TLS handshakes with clients, by `outcome`.
pub static TLS_HANDSHAKES: Family =
    Family::counter("tidegate_tls_handshakes", "TLS handshakes with clients, by outcome");
/// Connections of HTTP/2 closed for a flood, by `kind`.
pub static HTTP2_FLOODS: Family = Family::counter(
    "tidegate_http2_floods",
    "Client connections of HTTP/2 closed because too much came that brings nothing, by kind of frame",
);
/// Client connections, by `listener`.
pub static LISTENER_CONNECTIONS: Family =
    Family::gauge("tidegate_listener_connections", "Client connections open now, by listener");
/// Client connections, by `worker`.
pub static WORKER_CONNECTIONS: Family =
    Family::gauge("tidegate_worker_connections", "Client connections open now, by worker thread");
