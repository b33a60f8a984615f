//! Endpoints one by one, what they report about themselves, and their names.

use super::Family;

/// Numbers that endpoints reported about themselves, by `source` (`json`, `metric`, `orca`, `heartbeat`, `push`).
pub static REPORTS_TAKEN: Family =
    Family::counter("tidegate_reports", "Numbers that endpoints reported about themselves, by source");
/// What endpoints reported and could not be used, by `source`.
pub static REPORTS_IGNORED: Family =
    Family::counter("tidegate_reports_ignored", "Reports of endpoints that could not be used, by source");
/// Lookups of endpoints' names, by `outcome`.
pub static NAME_LOOKUPS: Family = Family::counter("tidegate_name_lookups", "Lookups of endpoints' names, by outcome");
/// Addresses of a `name`.
pub static NAME_ADDRESSES: Family = Family::gauge("tidegate_name_addresses", "Addresses known of an endpoint's name");
/// Leases held now, by `cluster` and `endpoint`.
pub static ENDPOINT_IN_FLIGHT: Family = Family::gauge(
    "tidegate_endpoint_in_flight",
    "Units of requests and tunnels held now; one each unless a chooser weighs them",
);
/// Whether it is healthy (1) or paused, suspect, ejected or unhealthy (0), by `cluster` and `endpoint`.
pub static ENDPOINT_HEALTHY: Family =
    Family::gauge("tidegate_endpoint_healthy", "1 for healthy, 0 for paused, suspect, ejected and unhealthy");
/// Probes, by `cluster`, `endpoint` and `outcome` (`passed`, `failed`).
pub static ENDPOINT_PROBES: Family = Family::counter("tidegate_endpoint_probes", "Probes of the endpoint, by outcome");
/// Times left out for bad responses, by `cluster` and `endpoint`.
pub static ENDPOINT_EJECTIONS: Family =
    Family::counter("tidegate_endpoint_ejections", "Times the endpoint was left out for bad answers");
/// Times chosen, by `cluster` and `endpoint`.
pub static ENDPOINT_PICKS: Family = Family::counter("tidegate_endpoint_picks", "Times the endpoint was chosen");
/// Failed attempts, by `cluster` and `endpoint`.
pub static ENDPOINT_FAILURES: Family = Family::counter("tidegate_endpoint_failures", "Attempts that failed");
/// Bytes each way, by `cluster`, `endpoint` and `direction` (`to_endpoint`, `to_client`).
pub static ENDPOINT_BYTES: Family = Family::counter("tidegate_endpoint_bytes", "Bytes relayed, by direction");
/// What it reports about itself, by `cluster`, `endpoint` and `signal`; not there once it has expired.
pub static ENDPOINT_SIGNAL: Family =
    Family::gauge("tidegate_endpoint_signal", "What the endpoint reports about itself, while it counts");
/// Whether it is spoken to in HTTP/2 (1) or HTTP/1.1 (0), by `cluster` and `endpoint`; not there before it has chosen.
pub static ENDPOINT_HTTP2: Family =
    Family::gauge("tidegate_endpoint_http2", "1 where the endpoint is spoken to in HTTP/2, 0 for HTTP/1.1");
