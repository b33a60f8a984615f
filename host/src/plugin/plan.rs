//! All it takes to make an instance that fills a seat, and to make another one when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use wasmtime::Store;

use super::artifact::Artifact;
use super::bindings::types::ConfigError;
use super::commons::Commons;
use super::counters::RoleCounters;
use super::host_state::HostState;
use super::instance::{Instance, StartError};
use super::load::{ConfigFault, Problem};
use super::role::RoleName;
use super::suspects::Party;
use super::text::printable;
use super::ticker::ticks;
use crate::policy::FaultKind;

/// Objections to a configuration that are kept.
const OBJECTIONS: usize = 64;

/// How much longer than the first one a replacement may take to start.
const REFILL: u64 = 4;

/// What differs between the roles when an instance is set up.
pub(super) trait Role: Send + Sync + Sized + 'static {
    /// The exports that are called.
    type Guest: Send;
    /// What `configure` answers when it is content.
    type Configured;
    /// As in the role's `RoleContract`.
    const NAME: RoleName;

    /// Finds the exports.
    fn find(
        artifact: &Artifact,
        store: &mut Store<HostState>,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Self::Guest>;

    /// Calls `configure`.
    fn configure(
        &self,
        guest: &Self::Guest,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<Self::Configured, Vec<ConfigError>>>;

    /// Harmless questions of our own. A passed deadline puts the plugin aside only if it passes its deadline for each of
    /// them as well. None: every fault counts, whoever provoked it, for a fault costs nobody anything.
    const PROBES: u32 = 0;

    /// Asks one of [`Self::PROBES`], in the name of a party if there is one. What is answered does not matter.
    fn probe(
        &self,
        guest: &Self::Guest,
        store: &mut Store<HostState>,
        number: u32,
        party: Option<Party<'_>>,
    ) -> wasmtime::Result<()> {
        let _ = (guest, store, number, party);
        Ok(())
    }

    /// Puts what the role needs into the store.
    fn furnish(&self, state: &mut HostState) {
        let _ = state;
    }
}

/// All it takes to make an instance.
pub(super) struct Plan<R> {
    pub(super) artifact: Arc<Artifact>,
    pub(super) counters: Arc<RoleCounters>,
    pub(super) role: R,
    /// What the slowest start so far has taken, in microseconds.
    started: AtomicU64,
}

impl<R: Role> Plan<R> {
    pub(super) fn new(artifact: &Arc<Artifact>, role: R) -> Result<Arc<Self>, Problem> {
        let counters = artifact.counters(R::NAME)?;
        Ok(Arc::new(Self { artifact: Arc::clone(artifact), counters, role, started: AtomicU64::new(0) }))
    }

    /// A fresh instance, configured, while nobody waits for it. How long that takes is the measure for replacements.
    pub(super) fn start(&self) -> Result<(Instance<R::Guest>, R::Configured), Problem> {
        let began = Instant::now();
        let started = self.start_with(&self.role, Arc::clone(&self.artifact.commons), Setup::First);
        let started = started.map_err(|none| none.problem)?;
        self.took(began.elapsed());
        Ok(started)
    }

    /// Another one in its place, made while a request waits: bounded by what the first one needed. One that has taken
    /// longer than a first one may is thrown away: the next could take as long, and nothing would end it either.
    pub(super) fn restart(&self) -> Result<Instance<R::Guest>, NoInstance> {
        let setup = Setup::Again { ticks: self.refill_ticks() };
        let began = ThreadTime::try_now();
        let made = self.start_with(&self.role, Arc::clone(&self.artifact.commons), setup);
        let (limit, found) = (self.artifact.setup, began.and_then(|began| began.try_elapsed()).unwrap_or_default());
        if found > limit {
            return Err(NoInstance { problem: Problem::Slow { limit, found }, cost: Cost::Endless });
        }
        made.map(|(instance, _)| instance)
    }

    /// Something that each fresh instance has to go through took this long.
    pub(super) fn took(&self, time: Duration) {
        self.started.fetch_max(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Ticks for a replacement, from its instantiation to the end of `configure`; and for its first call.
    pub(super) fn refill_ticks(&self) -> u64 {
        let bound = Duration::from_micros(self.started.load(Relaxed).saturating_mul(REFILL));
        let artifact = &*self.artifact;
        ticks(bound).max(artifact.ticks).min(artifact.setup_ticks)
    }

    /// An instance that shares nothing and logs nothing, to try things out on.
    pub(super) fn probe(&self, role: &R) -> Result<Instance<R::Guest>, Problem> {
        let commons = Arc::new(Commons::new(Arc::clone(&self.artifact.commons.name)));
        let made = self.start_with(role, commons, Setup::Trial);
        made.map(|(instance, _)| instance).map_err(|none| none.problem)
    }

    fn start_with(
        &self,
        role: &R,
        commons: Arc<Commons>,
        setup: Setup,
    ) -> Result<(Instance<R::Guest>, R::Configured), NoInstance> {
        let artifact = &*self.artifact;
        let mut state = HostState::new(commons, R::NAME, artifact.meter());
        state.logs = !matches!(setup, Setup::Trial);
        role.furnish(&mut state);
        let find =
            |store: &mut Store<HostState>, instance: &wasmtime::component::Instance| R::find(artifact, store, instance);
        let ticker = &artifact.ticker;
        let allowed = match setup {
            Setup::First | Setup::Trial => artifact.setup_ticks,
            Setup::Again { ticks } => ticks,
        };
        let mut instance = Instance::start(&artifact.compiled.pre, state, ticker, allowed, artifact.setup, find)?;
        // A replacement has one allowance for both; the first may take its time, nobody waits for it.
        let left = match setup {
            Setup::First | Setup::Trial => allowed,
            Setup::Again { .. } => instance.store.data().left,
        };
        match instance.run(left, |guest, store| role.configure(guest, store)) {
            Ok(Ok(configured)) => Ok((instance, configured)),
            Ok(Err(errors)) => {
                Err(NoInstance { problem: Problem::Configure { faults: faults(errors) }, cost: Cost::Little })
            }
            Err(crash) => {
                let cost = Cost::of(crash.kind);
                Err(NoInstance { problem: Problem::ConfigureFailed { message: crash.detail }, cost })
            }
        }
    }
}

/// Why there is no instance, and what finding out has cost.
#[derive(Debug)]
pub(super) struct NoInstance {
    pub(super) problem: Problem,
    pub(super) cost: Cost,
}

/// What the attempt to make an instance has cost whoever waited for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// It was over soon.
    Little,
    /// All the time that there was for it.
    Deadline,
    /// More than that.
    Endless,
}

impl Cost {
    fn of(kind: FaultKind) -> Self {
        if kind == FaultKind::Deadline { Self::Deadline } else { Self::Little }
    }
}

impl From<StartError> for NoInstance {
    fn from(error: StartError) -> Self {
        let cost = match &error {
            StartError::Crash(crash) => Cost::of(crash.kind),
            StartError::Slow { .. } => Cost::Endless,
            StartError::Signature(_) => Cost::Little,
        };
        Self { problem: error.into(), cost }
    }
}

/// What an instance is made for.
#[derive(Clone, Copy, Debug)]
enum Setup {
    /// To be the first in a seat.
    First,
    /// To replace one that failed.
    Again { ticks: u64 },
    /// To be tried out and thrown away.
    Trial,
}

/// What a plugin objects to, bounded and printable.
fn faults(errors: Vec<ConfigError>) -> Vec<ConfigFault> {
    if errors.is_empty() {
        return vec![ConfigFault { path: String::new(), message: "refused without a reason".to_owned() }];
    }
    errors
        .into_iter()
        .take(OBJECTIONS)
        .map(|error| ConfigFault {
            path: printable(&error.path).into_owned(),
            message: printable(&error.message).into_owned(),
        })
        .collect()
}
