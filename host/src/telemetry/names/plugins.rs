//! Plugins: calls, time, faults, instances.

use super::Family;

/// Calls of plugins, by `plugin` and `role`.
pub static PLUGIN_CALLS: Family = Family::counter("tidegate_plugin_calls", "Calls of plugins, by plugin and role");
/// Time in plugins, by `plugin` and `role`.
pub static PLUGIN_SECONDS: Family =
    Family::counter("tidegate_plugin_seconds", "Time spent in plugins, estimated from one call in 64");
/// Time in the balancer of a cluster, by `cluster` and `plugin`: its rate is the share of the time in which the cluster
/// makes choices.
pub static BALANCER_SECONDS: Family = Family::counter(
    "tidegate_cluster_balancer_seconds",
    "Time that choices of a cluster took its balancer, estimated from one call in 64",
);
/// Faults of plugins, by `plugin`, `role` and `kind`.
pub static PLUGIN_FAULTS: Family =
    Family::counter("tidegate_plugin_faults", "Faults of plugins, by plugin, role and kind");
/// Instances, by `plugin` and `role`.
pub static PLUGIN_INSTANCES: Family = Family::gauge("tidegate_plugin_instances", "Instances of plugins that run now");
/// Where a plugin is not called after repeated faults, by `plugin` and `role`.
pub static PLUGIN_ASIDE: Family =
    Family::gauge("tidegate_plugin_aside", "Clusters or workers where the plugin is put aside after repeated faults");
/// Keys of a plugin's table, by `plugin`.
pub static PLUGIN_TABLE_ENTRIES: Family =
    Family::gauge("tidegate_plugin_table_entries", "Keys of the table of the plugin");
/// What it holds of memory, by `plugin`.
pub static PLUGIN_TABLE_BYTES: Family =
    Family::gauge("tidegate_plugin_table_bytes", "Memory that the table of the plugin holds");
/// How long its version has been there, by `plugin`.
pub static PLUGIN_TABLE_AGE: Family = Family::gauge(
    "tidegate_plugin_table_age_seconds",
    "Time since the version of the table that the plugin looks into was taken",
);
/// Which version that is, by `plugin`: the same number for the same bytes, on all gateways.
pub static PLUGIN_TABLE_VERSION: Family = Family::gauge(
    "tidegate_plugin_table_version",
    "First 48 bits of the SHA-256 of the table of the plugin, as a number",
);
/// How often another version was taken, by `plugin`.
pub static PLUGIN_TABLE_SWAPS: Family =
    Family::counter("tidegate_plugin_table_swaps", "Times that another version of the plugin's table was taken");
/// Whether what is in the file of a `plugin`'s table now was refused.
pub static PLUGIN_TABLE_REFUSED: Family =
    Family::gauge("tidegate_plugin_table_refused", "1 if what is in the file of the plugin's table is refused");
/// Whether the latest file of a `plugin` was refused.
pub static PLUGIN_REFUSED: Family =
    Family::gauge("tidegate_plugin_refused", "1 if the latest file of the plugin was refused");
/// Sums that plugins count, by `plugin`, and by `name` and `label` as the plugin says.
pub static PLUGIN_COUNT: Family =
    Family::counter("tidegate_plugin_count", "Sums that plugins count themselves, by the name and label they give");
/// Levels that plugins set, likewise.
pub static PLUGIN_LEVEL: Family =
    Family::gauge("tidegate_plugin_level", "Levels that plugins set themselves, by the name and label they give");
/// Values that plugins observe, likewise.
pub static PLUGIN_OBSERVED: Family =
    Family::histogram("tidegate_plugin_observed", "Values that plugins observe, by the name and label they give");
/// Measurements of a `plugin` that were not kept.
pub static PLUGIN_METRICS_DROPPED: Family = Family::counter(
    "tidegate_plugin_metrics_dropped",
    "Measurements of plugins that were dropped: a series beyond 64, or a label beyond 128 bytes",
);
