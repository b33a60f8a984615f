//! Requests and their responses.

use super::Family;

/// Responses to requests, by `class` of status and `protocol` of the client.
pub static REQUESTS: Family =
    Family::counter("tidegate_requests", "Requests answered, by class of status and protocol of the client");
/// Requests refused for what they are.
pub static REQUESTS_REFUSED: Family = Family::counter(
    "tidegate_requests_refused",
    "Requests refused before they were routed: malformed, too large, or readable in two ways",
);
/// How long requests took.
pub static REQUEST_DURATION: Family =
    Family::histogram("tidegate_request_duration_seconds", "From the head of a request to the end of its response");
/// Requests by the wrong name's handshake.
pub static REQUESTS_MISDIRECTED: Family = Family::counter(
    "tidegate_requests_misdirected",
    "Requests refused with 421: their host has other rules about client certificates than the name of the handshake",
);
/// Requests that their routes let nobody make but others, by `reason`.
pub static REQUESTS_DENIED: Family = Family::counter(
    "tidegate_requests_denied",
    "Requests refused because their route lets others in, by what it goes by: address, origin",
);
/// Requests about which a server was asked, by `outcome`.
pub static AUTH_CHECKS: Family = Family::counter(
    "tidegate_auth_checks",
    "Requests about which a server was asked who their client is: let in, denied, or without an answer",
);
/// Requests into routes that ask for name and password, by `outcome`.
pub static LOGINS: Family = Family::counter(
    "tidegate_logins",
    "Requests into routes with basic_auth, by outcome: known (let in without trying a password), right, missing, wrong, too_many",
);
/// Requests that came back here too often.
pub static LOOPS: Family =
    Family::counter("tidegate_loops", "Requests refused because their route leads back to this gateway");

/// Upper bounds of [`REQUEST_DURATION`] in microseconds; one more bucket holds the rest.
pub(in crate::telemetry) const DURATION_BOUNDS: [u64; 12] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 30_000_000];
