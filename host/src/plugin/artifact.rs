//! A plugin that was loaded: compiled, linked, its roles known; and the way from there to what decides.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::commons::Commons;
use super::counters::RoleCounters;
use super::describe::{self, About};
use super::limits::{Limits, Meter};
use super::load::{LoadError, Problem};
use super::pulse::{Pulse, ticks};
use super::role::RoleKind;
use super::roles;
use super::runtime::Compiled;
use super::status::RoleStatus;
use crate::config::Endpoint;
use crate::policy::{Balancer, ClusterNumbers, Rewriter, Router};

/// A loaded plugin. What is made from it keeps it alive.
pub struct Artifact {
    origin: Arc<str>,
    pub(super) compiled: Arc<Compiled>,
    memory: usize,
    /// Deadline of a call.
    pub(super) ticks: u64,
    /// Deadline of instantiating and configuring.
    pub(super) setup_ticks: u64,
    /// The same as processor time, for what the engine does without looking at a clock.
    pub(super) setup: Duration,
    pub(super) commons: Arc<Commons>,
    pub(super) pulse: Arc<Pulse>,
    counters: Vec<Arc<RoleCounters>>,
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Artifact");
        debug.field("name", &self.commons.name).field("digest", &self.compiled.digest).finish_non_exhaustive()
    }
}

impl Artifact {
    pub(super) fn new(
        origin: Arc<str>,
        compiled: Arc<Compiled>,
        limits: &Limits,
        commons: Arc<Commons>,
        pulse: Arc<Pulse>,
        counters: Vec<Arc<RoleCounters>>,
    ) -> Self {
        Self {
            origin,
            compiled,
            memory: limits.memory,
            ticks: ticks(limits.deadline),
            setup_ticks: ticks(limits.setup_deadline()),
            setup: limits.setup_deadline(),
            commons,
            pulse,
            counters,
        }
    }

    /// As configured.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.commons.name
    }

    /// Where it came from: a path, or `shipped`.
    #[must_use]
    pub fn origin(&self) -> &Arc<str> {
        &self.origin
    }

    /// Its numbers, role by role.
    #[must_use]
    pub fn status(&self) -> Vec<RoleStatus> {
        self.counters.iter().map(|counters| counters.snapshot()).collect()
    }

    /// SHA-256 of the file, hex.
    #[must_use]
    pub fn digest(&self) -> &Arc<str> {
        &self.compiled.digest
    }

    /// What it may decide; at least one.
    #[must_use]
    pub fn roles(&self) -> &[RoleKind] {
        &self.compiled.surface.roles
    }

    /// What it says about itself; none if it says nothing. Asks an instance that is thrown away.
    ///
    /// # Errors
    /// If it fails where it should only speak.
    pub fn about(&self) -> Result<Option<About>, LoadError> {
        describe::about(self).map_err(|problem| self.refused(problem))
    }

    /// A balancer for one cluster: configured, its predecessor's `carry` restored if it takes it, and tried out with 1,
    /// 2 and 64 made-up endpoints on an instance that is thrown away.
    ///
    /// # Errors
    /// If it is no balancer, refuses its configuration, or fails the self-test.
    pub fn balancer(
        self: &Arc<Self>,
        config: &serde_json::Value,
        endpoints: &[Endpoint],
        numbers: Arc<dyn ClusterNumbers>,
        carry: Option<Vec<u8>>,
    ) -> Result<Box<dyn Balancer>, LoadError> {
        self.keep(roles::balancer(self, config, endpoints, numbers, carry))
    }

    /// A router with one instance for each of `workers`. `clusters` are the names that its targets index,
    /// `route_count` is the number of `[[route]]`.
    ///
    /// # Errors
    /// If it is no router, or refuses its configuration.
    pub fn router(
        self: &Arc<Self>,
        config: &serde_json::Value,
        clusters: &[String],
        route_count: usize,
        workers: NonZeroUsize,
    ) -> Result<Box<dyn Router>, LoadError> {
        self.keep(roles::router(self, config, clusters, route_count, workers))
    }

    /// A rewriter with one instance for each of `workers`.
    ///
    /// # Errors
    /// If it is no rewriter, or refuses its configuration.
    pub fn rewriter(
        self: &Arc<Self>,
        config: &serde_json::Value,
        workers: NonZeroUsize,
    ) -> Result<Box<dyn Rewriter>, LoadError> {
        self.keep(roles::rewriter(self, config, workers))
    }

    /// It is what the operator wants and it serves: what was refused under its name before is history.
    pub fn accepted(&self) {
        *self.commons.refusal.lock() = None;
    }

    /// What a new instance starts to count with.
    pub(super) fn meter(&self) -> Meter {
        Meter::new(self.memory, self.compiled.measured.held)
    }

    /// The counters of a role, if it has that role.
    pub(super) fn counters(&self, role: RoleKind) -> Result<Arc<RoleCounters>, Problem> {
        let counters = self.counters.iter().find(|counters| counters.role == role);
        counters.cloned().ok_or_else(|| Problem::WrongRole { expected: role, found: self.roles().to_vec() })
    }

    fn refused(&self, problem: Problem) -> LoadError {
        LoadError { plugin: Arc::clone(&self.commons.name), origin: Arc::clone(&self.origin), problem }
    }

    /// Remembers a refusal, and forgets the last one on success.
    fn keep<T>(&self, made: Result<T, Problem>) -> Result<T, LoadError> {
        let made = made.map_err(|problem| self.refused(problem));
        *self.commons.refusal.lock() = made.as_ref().err().map(ToString::to_string);
        made
    }
}
