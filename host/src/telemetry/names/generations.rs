//! The running set and what replaces it.

use super::Family;

/// Reloads, by `outcome`.
pub static RELOADS: Family = Family::counter("tidegate_reloads", "Configuration reloads, by outcome");
/// Runtime changes that hold.
pub static RUNTIME_CHANGES: Family = Family::gauge(
    "tidegate_runtime_changes",
    "Endpoints of which something else runs than the configuration file says",
);
/// The live generation.
pub static GENERATION: Family = Family::gauge("tidegate_generation", "Number of the live generation");
