//! Finding an endpoint for a request: connections to endpoints, waiting, retries, stickiness.

use super::Family;

/// Connections to endpoints, by `outcome`.
pub static UPSTREAM_CONNECTIONS: Family =
    Family::counter("tidegate_upstream_connections", "Connections to endpoints, by how they were had");
/// Answers of endpoints that could not be read.
pub static UPSTREAM_UNREADABLE: Family =
    Family::counter("tidegate_upstream_unreadable", "Answers of endpoints that could not be read");
/// Requests tried again on another endpoint, by `reason`.
pub static RETRIES: Family = Family::counter(
    "tidegate_retries",
    "Attempts after the first, on another endpoint, by what the one before came to",
);
/// Requests that were not tried again for want of budget.
pub static RETRIES_DENIED: Family =
    Family::counter("tidegate_retries_denied", "Attempts that were not made because the retry budget is spent");
/// Requests that wait for an endpoint now.
pub static REQUESTS_WAITING: Family =
    Family::gauge("tidegate_requests_waiting", "Requests that wait for an endpoint that can take them");
/// Requests that waited for an endpoint, by `outcome`.
pub static WAITS: Family =
    Family::counter("tidegate_waits", "Requests that waited for an endpoint, by whether one could take them in time");
/// Requests to sticky clusters, by `outcome`.
pub static STICKY: Family = Family::counter(
    "tidegate_sticky_requests",
    "Requests to sticky clusters, by what became of the endpoint they name",
);
