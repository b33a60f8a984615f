//! Every metric: its name, help and labels. Counters get `_total` when they are written out.

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// A metric as scrapers see it; its series differ in labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// With the unit at the end, without `_total`.
    pub name: &'static str,
    /// One sentence, without a full stop.
    pub help: &'static str,
    /// How it moves.
    pub kind: MetricKind,
}

impl Family {
    /// One that only goes up.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricKind::Counter }
    }

    /// One that goes up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricKind::Gauge }
    }

    const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: MetricKind::Histogram }
    }
}

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
/// Requests answered, by `class` of status.
pub static REQUESTS: Family = Family::counter("tidegate_requests", "Requests answered, by class of status");
/// Requests refused for what they are.
pub static REQUESTS_REFUSED: Family = Family::counter(
    "tidegate_requests_refused",
    "Requests refused before they were routed: malformed, too large, or readable in two ways",
);
/// How long requests took.
pub static REQUEST_DURATION: Family =
    Family::histogram("tidegate_request_duration_seconds", "From the head of a request to the end of its response");
/// Upgrades asked for, by `outcome`.
pub static UPGRADES: Family = Family::counter("tidegate_upgrades", "Protocol upgrades asked for, by outcome");
/// Tunnels opened.
pub static TUNNELS: Family = Family::counter("tidegate_tunnels", "Tunnels opened");
/// Tunnels open now.
pub static TUNNELS_OPEN: Family = Family::gauge("tidegate_tunnels_open", "Tunnels open now");
/// Bytes through tunnels, by `direction`.
pub static TUNNEL_BYTES: Family = Family::counter("tidegate_tunnel_bytes", "Bytes relayed by tunnels, by direction");
/// Connections to endpoints, by `outcome`.
pub static UPSTREAM_CONNECTIONS: Family =
    Family::counter("tidegate_upstream_connections", "Connections to endpoints, by how they were had");
/// Answers of endpoints that could not be read.
pub static UPSTREAM_UNREADABLE: Family =
    Family::counter("tidegate_upstream_unreadable", "Answers of endpoints that could not be read");
/// Requests that came back here too often.
pub static LOOPS: Family =
    Family::counter("tidegate_loops", "Requests refused because their route leads back to this gateway");
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
/// Calls of plugins, by `plugin` and `role`.
pub static PLUGIN_CALLS: Family = Family::counter("tidegate_plugin_calls", "Calls of plugins, by plugin and role");
/// Time in plugins, by `plugin` and `role`.
pub static PLUGIN_SECONDS: Family =
    Family::counter("tidegate_plugin_seconds", "Time spent in plugins, estimated from one call in 64");
/// Faults of plugins, by `plugin`, `role` and `kind`.
pub static PLUGIN_FAULTS: Family =
    Family::counter("tidegate_plugin_faults", "Faults of plugins, by plugin, role and kind");
/// Instances, by `plugin` and `role`.
pub static PLUGIN_INSTANCES: Family = Family::gauge("tidegate_plugin_instances", "Instances of plugins that run now");
/// Where a plugin is not called after repeated faults, by `plugin` and `role`.
pub static PLUGIN_ASIDE: Family =
    Family::gauge("tidegate_plugin_aside", "Clusters or workers where the plugin is put aside after repeated faults");
/// Whether the latest file of a `plugin` was refused.
pub static PLUGIN_REFUSED: Family =
    Family::gauge("tidegate_plugin_refused", "1 if the latest file of the plugin was refused");
/// Reloads, by `outcome`.
pub static RELOADS: Family = Family::counter("tidegate_reloads", "Configuration reloads, by outcome");
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
/// Runtime changes that hold.
pub static RUNTIME_CHANGES: Family = Family::gauge(
    "tidegate_runtime_changes",
    "Endpoints of which something else runs than the configuration file says",
);
/// The live generation.
pub static GENERATION: Family = Family::gauge("tidegate_generation", "Number of the live generation");
/// Log lines lost.
pub static LOG_LINES_DROPPED: Family =
    Family::counter("tidegate_log_lines_dropped", "Log lines lost because the reader was too slow");
/// Access lines lost.
pub static ACCESS_LINES_DROPPED: Family =
    Family::counter("tidegate_access_lines_dropped", "Access lines lost because the reader was too slow");

/// Leases held now, by `cluster` and `endpoint`.
pub static ENDPOINT_IN_FLIGHT: Family = Family::gauge("tidegate_endpoint_in_flight", "Requests and tunnels held now");
/// Whether it is healthy (1) or paused, suspect, ejected or unhealthy (0), by `cluster` and `endpoint`.
pub static ENDPOINT_HEALTHY: Family =
    Family::gauge("tidegate_endpoint_healthy", "1 for healthy, 0 for paused, suspect, ejected and unhealthy");
/// Probes, by `cluster`, `endpoint` and `outcome` (`passed`, `failed`).
pub static ENDPOINT_PROBES: Family = Family::counter("tidegate_endpoint_probes", "Probes of the endpoint, by outcome");
/// Times left out for bad answers, by `cluster` and `endpoint`.
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

/// Client connections, by `listener`.
pub static LISTENER_CONNECTIONS: Family =
    Family::gauge("tidegate_listener_connections", "Client connections open now, by listener");
/// Client connections, by `worker`.
pub static WORKER_CONNECTIONS: Family =
    Family::gauge("tidegate_worker_connections", "Client connections open now, by worker thread");
/// When the process started.
pub static PROCESS_START: Family =
    Family::gauge("tidegate_process_start_time_seconds", "Start of the process, in seconds since 1970");
/// Memory of the process.
pub static PROCESS_MEMORY: Family =
    Family::gauge("tidegate_process_resident_memory_bytes", "Memory that the process has in RAM");
/// Descriptors of the process.
pub static PROCESS_FDS: Family = Family::gauge("tidegate_process_open_fds", "File descriptors that are open");

/// Upper bounds of [`REQUEST_DURATION`] in microseconds; one more bucket holds the rest.
pub(super) const DURATION_BOUNDS: [u64; 12] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 30_000_000];
