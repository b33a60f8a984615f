//! Counts of a plugin name that only ever rise: what its artifacts counted stays counted when they are gone.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::status::{KINDS, RoleStatus};
use super::surface::RoleKind;

/// What all artifacts of one plugin name, gone ones included, have counted in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTotals {
    /// Name of the plugin, as configured.
    pub plugin: String,
    /// What it decides.
    pub role: RoleKind,
    /// Calls so far, failed ones included.
    pub calls: u64,
    /// Estimate of the time spent in calls, nanoseconds.
    pub nanos: u64,
    /// Faults so far, by kind.
    pub faults: Vec<(&'static str, u64)>,
}

/// What artifacts leave behind.
#[derive(Debug, Default)]
pub(super) struct Estate(Mutex<BTreeMap<RoleKind, RoleTotals>>);

impl RoleTotals {
    pub(super) fn nothing(plugin: &str, role: RoleKind) -> Self {
        let faults = KINDS.iter().map(|kind| (kind.as_str(), 0)).collect();
        Self { plugin: plugin.to_owned(), role, calls: 0, nanos: 0, faults }
    }

    pub(super) fn add(&mut self, status: &RoleStatus) {
        self.calls = self.calls.saturating_add(status.calls);
        self.nanos = self.nanos.saturating_add(status.nanos);
        for (kind, count) in &status.faults {
            if let Some((_, sum)) = self.faults.iter_mut().find(|(other, _)| other == kind) {
                *sum = sum.saturating_add(*count);
            }
        }
    }
}

impl Estate {
    /// An artifact ends, with these numbers in one of its roles.
    pub(super) fn take_over(&self, status: &RoleStatus) {
        let mut roles = self.0.lock();
        roles.entry(status.role).or_insert_with(|| RoleTotals::nothing(&status.plugin, status.role)).add(status);
    }

    /// Everything that was left behind.
    pub(super) fn all(&self) -> Vec<RoleTotals> {
        self.0.lock().values().cloned().collect()
    }
}
