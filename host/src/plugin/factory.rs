//! What makes the instances of a slot: the first one, and another one after a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use wasmtime::Store;

use super::artifact::Artifact;
use super::bindings::types::ConfigError;
use super::counters::RoleCounters;
use super::error::{ConfigFault, LoadErrorKind};
use super::host_state::HostState;
use super::instance::{Instance, StartError};
use super::role::RoleName;
use super::secrets::SecretMasks;
use super::shared::PluginShared;
use super::suspects::CallOrigin;
use super::text::printable;
use super::ticker::ticks;
use crate::policy::FaultKind;

/// Objections to a configuration that are kept.
const OBJECTIONS: usize = 64;

/// How much longer than the first instance a replacement may take to start.
const REPLACEMENT: u64 = 4;

/// What differs between the roles when an instance is set up.
pub(super) trait PluginRole: Send + Sync + Sized + 'static {
    /// The exports that are called.
    type Exports: Send;
    /// What `configure` returns when the plugin accepts its configuration.
    type Configured;
    /// As in the role's `RoleContract`.
    const NAME: RoleName;
    /// The export that decides.
    const DECIDES: &'static str;

    /// Finds the exports.
    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Self::Exports>;

    /// Calls `configure`.
    fn configure(
        &self,
        exports: &Self::Exports,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<Self::Configured, Vec<ConfigError>>>;

    /// How many probes there are: calls with harmless input of the gateway's own. A passed deadline opens the circuit
    /// only if the plugin passes its deadline in each of them as well. 0: every fault counts, whatever provoked it, for
    /// a fault costs no client its request.
    const PROBES: u32 = 0;

    /// Makes one of the [`Self::PROBES`], as if for `origin` if there is one. What the plugin returns does not matter.
    fn probe(
        &self,
        exports: &Self::Exports,
        store: &mut Store<HostState>,
        number: u32,
        origin: Option<CallOrigin<'_>>,
    ) -> wasmtime::Result<()> {
        let _ = (exports, store, number, origin);
        Ok(())
    }

    /// Puts what the plugin may ask for in this role into the store.
    fn init_state(&self, state: &mut HostState) {
        let _ = state;
    }
}

/// Makes instances of one artifact in one role, with one configuration.
pub(super) struct InstanceFactory<R> {
    pub(super) artifact: Arc<Artifact>,
    pub(super) counters: Arc<RoleCounters>,
    pub(super) role: R,
    /// What the slowest start so far has taken, in microseconds.
    slowest: AtomicU64,
}

impl<R: PluginRole> InstanceFactory<R> {
    pub(super) fn new(artifact: &Arc<Artifact>, role: R) -> Result<Arc<Self>, LoadErrorKind> {
        let counters = artifact.counters(R::NAME)?;
        Ok(Arc::new(Self { artifact: Arc::clone(artifact), counters, role, slowest: AtomicU64::new(0) }))
    }

    /// The first instance, configured, while no request waits for it. How long that takes is the measure for
    /// replacements.
    pub(super) fn first(&self) -> Result<(Instance<R::Exports>, R::Configured), LoadErrorKind> {
        let began = Instant::now();
        let started = self.make(&self.role, Arc::clone(&self.artifact.shared), StartPurpose::First);
        let started = started.map_err(|failed| failed.problem)?;
        let took = began.elapsed();
        self.note_start_time(took);
        self.counters.started.store(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        Ok(started)
    }

    /// Another instance, made while a request waits: bounded by what the first one needed. One that has taken longer
    /// than a first one may is thrown away: the next could take as long, and nothing would end it either.
    pub(super) fn replacement(&self) -> Result<Instance<R::Exports>, NotStarted> {
        let purpose = StartPurpose::Replacement { ticks: self.replacement_ticks() };
        let began = ThreadTime::try_now();
        let made = self.make(&self.role, Arc::clone(&self.artifact.shared), purpose);
        let (limit, found) = (self.artifact.setup, began.and_then(|began| began.try_elapsed()).unwrap_or_default());
        if found > limit {
            return Err(NotStarted { problem: LoadErrorKind::Slow { limit, found }, cost: StartCost::Endless });
        }
        made.map(|(instance, _)| instance)
    }

    /// Something that each fresh instance goes through took this long.
    pub(super) fn note_start_time(&self, time: Duration) {
        self.slowest.fetch_max(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Ticks for a replacement, from its instantiation to the end of `configure`; and for its first call.
    pub(super) fn replacement_ticks(&self) -> u64 {
        let bound = Duration::from_micros(self.slowest.load(Relaxed).saturating_mul(REPLACEMENT));
        let artifact = &*self.artifact;
        ticks(bound).max(artifact.ticks).min(artifact.setup_ticks)
    }

    /// An instance for a self-test: what it does reaches a scratch copy of what instances share.
    pub(super) fn throwaway(&self, role: &R) -> Result<Instance<R::Exports>, LoadErrorKind> {
        let made = self.make(role, Arc::new(self.artifact.shared.scratch()), StartPurpose::Trial);
        made.map(|(instance, _)| instance).map_err(|failed| failed.problem)
    }

    fn make(
        &self,
        role: &R,
        shared: Arc<PluginShared>,
        purpose: StartPurpose,
    ) -> Result<(Instance<R::Exports>, R::Configured), NotStarted> {
        let artifact = &*self.artifact;
        let mut state = HostState::new(shared, R::NAME, artifact.meter().counting_into(&self.counters.memory));
        state.table.clone_from(&artifact.table);
        state.lends_line = artifact.compiled.interface.asks_line;
        state.exports_preview = artifact.compiled.interface.exports("preview");
        role.init_state(&mut state);
        let find =
            |store: &mut Store<HostState>, instance: &wasmtime::component::Instance| R::find(artifact, store, instance);
        let ticker = &artifact.ticker;
        let allowed = match purpose {
            StartPurpose::First | StartPurpose::Trial => artifact.setup_ticks,
            StartPurpose::Replacement { ticks } => ticks,
        };
        let mut instance = Instance::start(&artifact.compiled.pre, state, ticker, allowed, artifact.setup, find)?;
        // A replacement has one allowance for both. No request waits for the first one, which has it twice.
        let left = match purpose {
            StartPurpose::First | StartPurpose::Trial => allowed,
            StartPurpose::Replacement { .. } => instance.store.data().left,
        };
        match instance.run("configure", left, |exports, store| role.configure(exports, store)) {
            Ok(Ok(configured)) => Ok((instance, configured)),
            Ok(Err(errors)) => Err(NotStarted {
                problem: LoadErrorKind::Configure { faults: faults(errors, &artifact.shared.masks) },
                cost: StartCost::Little,
            }),
            Err(error) => {
                let cost = StartCost::of(error.kind);
                Err(NotStarted { problem: LoadErrorKind::ConfigureFailed { message: error.detail }, cost })
            }
        }
    }
}

/// Why there is no instance, and what finding out has cost.
#[derive(Debug)]
pub(super) struct NotStarted {
    pub(super) problem: LoadErrorKind,
    pub(super) cost: StartCost,
}

/// What the attempt to make an instance has cost the request that waited for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartCost {
    /// Next to nothing.
    Little,
    /// All the time that there was for it.
    Deadline,
    /// More than that.
    Endless,
}

impl StartCost {
    fn of(kind: FaultKind) -> Self {
        if kind == FaultKind::Deadline { Self::Deadline } else { Self::Little }
    }
}

impl From<StartError> for NotStarted {
    fn from(error: StartError) -> Self {
        let cost = match &error {
            StartError::Call(error) => StartCost::of(error.kind),
            StartError::Slow { .. } => StartCost::Endless,
            StartError::Signature(_) => StartCost::Little,
        };
        Self { problem: error.into(), cost }
    }
}

/// What an instance is made for.
#[derive(Clone, Copy, Debug)]
enum StartPurpose {
    /// To be the first in a slot.
    First,
    /// To replace one that failed.
    Replacement { ticks: u64 },
    /// To be tried out and thrown away.
    Trial,
}

/// What a plugin objects to in its configuration, bounded and printable.
fn faults(errors: Vec<ConfigError>, masks: &SecretMasks) -> Vec<ConfigFault> {
    if errors.is_empty() {
        return vec![ConfigFault { path: String::new(), message: "refused without a reason".to_owned() }];
    }
    errors
        .into_iter()
        .take(OBJECTIONS)
        .map(|error| ConfigFault {
            path: printable(&masks.mask(&error.path)).into_owned(),
            message: printable(&masks.mask(&error.message)).into_owned(),
        })
        .collect()
}
