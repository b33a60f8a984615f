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
/// Whether the latest file of a `plugin` was refused.
pub static PLUGIN_REFUSED: Family =
    Family::gauge("tidegate_plugin_refused", "1 if the latest file of the plugin was refused");
