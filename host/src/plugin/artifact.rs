//! A plugin that was loaded: compiled, linked, its roles known. Each role adds the way from here to what decides.

use std::sync::Arc;
use std::time::Duration;

use super::compiled::CompiledPlugin;
use super::counters::RoleCounters;
use super::error::{LoadError, LoadErrorKind};
use super::limits::{MemoryMeter, PluginLimits};
use super::role::RoleName;
use super::secrets::PluginSecrets;
use super::shared::PluginShared;
use super::status::RoleStatus;
use super::table::PluginTable;
use super::ticker::{EpochTicker, ticks};

/// A loaded plugin. What is made from it keeps it alive.
pub struct Artifact {
    origin: Arc<str>,
    pub(super) compiled: Arc<CompiledPlugin>,
    memory: usize,
    /// Deadline of a call.
    pub(super) ticks: u64,
    /// Deadline of instantiating and configuring.
    pub(super) setup_ticks: u64,
    /// The same as processor time, for what the engine does without looking at a clock.
    pub(super) setup: Duration,
    pub(super) shared: Arc<PluginShared>,
    pub(super) ticker: Arc<EpochTicker>,
    counters: Vec<Arc<RoleCounters>>,
    pub(super) table: Option<Arc<PluginTable>>,
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Artifact");
        debug.field("name", &self.shared.name).field("digest", &self.compiled.digest).finish_non_exhaustive()
    }
}

impl Artifact {
    pub(super) fn new(
        origin: Arc<str>,
        compiled: Arc<CompiledPlugin>,
        limits: &PluginLimits,
        shared: Arc<PluginShared>,
        ticker: Arc<EpochTicker>,
        counters: Vec<Arc<RoleCounters>>,
    ) -> Self {
        Self {
            origin,
            compiled,
            memory: limits.memory,
            ticks: ticks(limits.deadline),
            setup_ticks: ticks(limits.setup_deadline()),
            setup: limits.setup_deadline(),
            shared,
            ticker,
            counters,
            table: None,
        }
    }

    /// The same with what its instances look things up in.
    pub(super) fn with_table(self, table: Option<Arc<PluginTable>>) -> Self {
        Self { table, ..self }
    }

    /// Name of the plugin, as configured.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.shared.name
    }

    /// Where it came from: a path, or `shipped`.
    #[must_use]
    pub fn origin(&self) -> &Arc<str> {
        &self.origin
    }

    /// Numbers of the plugin, role by role.
    #[must_use]
    pub fn status(&self) -> Vec<RoleStatus> {
        self.counters.iter().map(|counters| counters.snapshot()).collect()
    }

    /// Numbers of the plugin in one role; none if it has no such role.
    #[must_use]
    pub fn role_status(&self, role: RoleName) -> Option<RoleStatus> {
        self.status().into_iter().find(|status| status.role == role)
    }

    /// SHA-256 of the file, hex.
    #[must_use]
    pub fn digest(&self) -> &Arc<str> {
        &self.compiled.digest
    }

    /// Takes `secrets` out of whatever the plugin writes from now on: lines of the log, faults, its last words.
    pub fn mask(&self, secrets: &PluginSecrets) {
        self.shared.masks.add(secrets);
    }

    /// What its instances look things up in, if the operator gives them anything.
    #[must_use]
    pub fn table(&self) -> Option<&Arc<PluginTable>> {
        self.table.as_ref()
    }

    /// What it may decide; at least one.
    #[must_use]
    pub fn roles(&self) -> &[RoleName] {
        &self.compiled.interface.roles
    }

    /// Interfaces of the contract that it exports, roles among them: `balancer`, `feedback`.
    pub fn exports(&self) -> impl Iterator<Item = &str> {
        self.compiled.interface.exported()
    }

    /// Interfaces of the contract that it imports: `log`, `clock`.
    pub fn imports(&self) -> impl Iterator<Item = &str> {
        self.compiled.interface.imported()
    }

    /// The most bytes that the process which compiled it held; none if there was no such process.
    #[must_use]
    pub fn compiler_peak(&self) -> Option<u64> {
        self.compiled.measured.compiler_peak
    }

    /// Forgets what was refused under this name before: the plugin is what the operator wants, and it serves.
    pub fn accepted(&self) {
        *self.shared.refusal.lock() = None;
    }

    /// Says why the plugin was refused in better words than its own: what it objects to has a place in a file.
    pub fn refused_with(&self, why: String) {
        *self.shared.refusal.lock() = Some(why);
    }

    /// What a new instance starts to count with.
    pub(super) fn meter(&self) -> MemoryMeter {
        MemoryMeter::new(self.memory, self.compiled.measured.held)
    }

    /// The counters of a role, if the plugin has that role.
    pub(super) fn counters(&self, role: RoleName) -> Result<Arc<RoleCounters>, LoadErrorKind> {
        let counters = self.counters.iter().find(|counters| counters.role == role);
        counters.cloned().ok_or_else(|| self.lacks(role))
    }

    /// The error that the plugin has other roles than this one.
    pub(super) fn lacks(&self, role: RoleName) -> LoadErrorKind {
        LoadErrorKind::WrongRole {
            expected: role.to_string(),
            found: self.roles().iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn refused(&self, problem: LoadErrorKind) -> LoadError {
        LoadError { plugin: Arc::clone(&self.shared.name), origin: Arc::clone(&self.origin), problem }
    }

    /// Keeps a refusal to be shown, and forgets the last one on success.
    pub(super) fn note<T>(&self, made: Result<T, LoadErrorKind>) -> Result<T, LoadError> {
        let made = made.map_err(|problem| self.refused(problem));
        *self.shared.refusal.lock() = made.as_ref().err().map(ToString::to_string);
        made
    }
}
