//! The place that an instance fills: one for each cluster (balancer) or worker (router, rewriter).
//!
//! ```text
//! ready ─▶ instance ─▶ call ─▶ settle ─┬─ fine: breaker forgets
//!   ▲                                  ╰─ fault: count, log, throw the instance away
//!   ╰── a fresh instance, configured again; refused at once while the breaker holds the plugin aside
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use wasmtime::Store;

use super::artifact::Artifact;
use super::bindings::types::ConfigError;
use super::breaker::{Breaker, Change};
use super::capabilities::printable;
use super::commons::Commons;
use super::fault::Crash;
use super::host_state::HostState;
use super::instance::Instance;
use super::load::{ConfigFault, Problem};
use super::pulse::ticks;
use super::status::{Ledger, Tally};
use super::surface::RoleKind;
use crate::policy::{Fault, FaultKind};

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
    const KIND: RoleKind;

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

    /// Whether a fault of this kind counts towards putting the plugin aside.
    fn counts(kind: FaultKind) -> bool {
        let _ = kind;
        true
    }

    /// Puts what the role needs into the store.
    fn furnish(&self, state: &mut HostState) {
        let _ = state;
    }
}

/// All it takes to make an instance.
pub(super) struct Plan<R> {
    pub(super) artifact: Arc<Artifact>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) role: R,
    /// What the slowest start so far has taken, in microseconds.
    started: AtomicU64,
}

impl<R: Role> Plan<R> {
    pub(super) fn new(artifact: &Arc<Artifact>, role: R) -> Result<Arc<Self>, Problem> {
        let ledger = artifact.ledger(R::KIND)?;
        Ok(Arc::new(Self { artifact: Arc::clone(artifact), ledger, role, started: AtomicU64::new(0) }))
    }

    /// A fresh instance, configured, while nobody waits for it. How long that takes is the measure for replacements.
    pub(super) fn start(&self) -> Result<(Instance<R::Guest>, R::Configured), Problem> {
        let began = Instant::now();
        let started = self.start_with(&self.role, Arc::clone(&self.artifact.commons), Setup::First)?;
        self.took(began.elapsed());
        Ok(started)
    }

    /// Another one in its place, made while a request waits: bounded by what the first one needed.
    pub(super) fn restart(&self) -> Result<Instance<R::Guest>, Problem> {
        let setup = Setup::Again { ticks: self.refill_ticks() };
        self.start_with(&self.role, Arc::clone(&self.artifact.commons), setup).map(|(instance, _)| instance)
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
        self.start_with(role, commons, Setup::Trial).map(|(instance, _)| instance)
    }

    fn start_with(
        &self,
        role: &R,
        commons: Arc<Commons>,
        setup: Setup,
    ) -> Result<(Instance<R::Guest>, R::Configured), Problem> {
        let artifact = &*self.artifact;
        let mut state = HostState::new(commons, R::KIND, artifact.meter());
        state.logs = !matches!(setup, Setup::Trial);
        role.furnish(&mut state);
        let find =
            |store: &mut Store<HostState>, instance: &wasmtime::component::Instance| R::find(artifact, store, instance);
        let pulse = &artifact.pulse;
        let allowed = match setup {
            Setup::First | Setup::Trial => artifact.setup_ticks,
            Setup::Again { ticks } => ticks,
        };
        let mut instance = Instance::start(&artifact.compiled.pre, state, pulse, allowed, artifact.setup, find)?;
        // A replacement has one allowance for both; the first may take its time, nobody waits for it.
        let left = match setup {
            Setup::First | Setup::Trial => allowed,
            Setup::Again { .. } => instance.store.data().left,
        };
        match instance.run(left, |guest, store| role.configure(guest, store)) {
            Ok(Ok(configured)) => Ok((instance, configured)),
            Ok(Err(errors)) => Err(Problem::Configure { faults: faults(errors) }),
            Err(crash) => Err(Problem::ConfigureFailed { message: crash.detail }),
        }
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

/// What a plugin can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// A lease began.
    Opened,
    /// A lease ended.
    Closed,
}

/// The place of one instance.
pub(super) struct Seat<R: Role> {
    plan: Arc<Plan<R>>,
    instance: Option<Instance<R::Guest>>,
    breaker: Breaker,
    /// For what the plugin is told, one for each [`Word`]: a success in one must not excuse the other, nor a pick either.
    ears: [Breaker; 2],
    tally: Arc<Tally>,
    began: Option<Instant>,
}

impl<R: Role> Seat<R> {
    /// With its first instance.
    pub(super) fn new(plan: Arc<Plan<R>>, instance: Instance<R::Guest>) -> Self {
        let tally = plan.ledger.open();
        plan.ledger.instances.fetch_add(1, Relaxed);
        Self {
            plan,
            instance: Some(instance),
            breaker: Breaker::default(),
            ears: Default::default(),
            tally,
            began: None,
        }
    }

    /// The instance, for one call that is then settled.
    ///
    /// # Errors
    /// If the plugin is aside, or no fresh instance can be made after a fault.
    #[inline]
    pub(super) fn ready(&mut self) -> Result<&mut Instance<R::Guest>, Fault> {
        if !self.breaker.admits(Instant::now) {
            return Err(self.aside());
        }
        self.began = self.tally.begin();
        if self.instance.is_none() {
            self.replace()?;
        }
        // `replace` has filled it; if it did not, that is a fault like any other.
        match &mut self.instance {
            Some(instance) => Ok(instance),
            None => Err(Fault {
                plugin: Arc::clone(&self.plan.ledger.plugin),
                kind: FaultKind::Unavailable,
                detail: "no instance".to_owned(),
            }),
        }
    }

    /// Ends a call: a fault is counted and logged, and costs the instance.
    ///
    /// # Errors
    /// The crash, as the fault that the caller sees.
    #[inline]
    pub(super) fn settle<T>(&mut self, answer: Result<T, Crash>) -> Result<T, Fault> {
        self.tally.end(self.began.take());
        match answer {
            Ok(answer) => {
                if self.breaker.succeeded() == Change::Closed {
                    self.back();
                }
                Ok(answer)
            }
            Err(crash) => Err(self.fail(crash)),
        }
    }

    /// The instance, if there is one, for a call that nobody waits for. Such a call neither makes an instance nor lets a
    /// plugin back that is aside, nor puts it there: only what it is there for does.
    #[inline]
    pub(super) fn occupant(&mut self) -> Option<&mut Instance<R::Guest>> {
        let instance = self.instance.as_mut()?;
        self.began = self.tally.begin();
        Some(instance)
    }

    /// Ends a call to [`Self::occupant`]: a fault is counted and logged, and costs the instance.
    pub(super) fn conclude<T>(&mut self, answer: Result<T, Crash>) -> Option<T> {
        self.tally.end(self.began.take());
        answer.map_err(|crash| self.lose(&crash, Instant::now())).ok()
    }

    /// As [`Self::occupant`], for feedback: none as well while feedback is muted.
    #[inline]
    pub(super) fn listener(&mut self) -> Option<&mut Instance<R::Guest>> {
        if !self.ears.iter().all(|ear| ear.admits(Instant::now)) {
            return None;
        }
        self.occupant()
    }

    /// Ends a call to [`Self::listener`]. Faults in a row mute feedback, so that not every pick pays for a fresh instance.
    #[inline]
    pub(super) fn heard(&mut self, word: Word, answer: Result<(), Crash>) {
        self.tally.end(self.began.take());
        let [opened, closed] = &mut self.ears;
        let ear = match word {
            Word::Opened => opened,
            Word::Closed => closed,
        };
        match answer {
            Ok(()) if ear.succeeded() == Change::Closed => self.unmuted(),
            Ok(()) => {}
            Err(crash) => {
                let now = Instant::now();
                let change = ear.failed(now);
                self.lose(&crash, now);
                if let Change::Opened(pause) = change {
                    self.muted(pause);
                }
            }
        }
    }

    /// Counts and logs an answer that is refused from an instance that works.
    pub(super) fn object(&self, crash: &Crash) {
        self.plan.ledger.record(crash, Instant::now());
    }

    /// The plan that instances are made by.
    #[inline]
    pub(super) fn plan(&self) -> &Plan<R> {
        &self.plan
    }

    #[cold]
    fn replace(&mut self) -> Result<(), Fault> {
        match self.plan.restart() {
            Ok(instance) => {
                self.instance = Some(instance);
                self.plan.ledger.instances.fetch_add(1, Relaxed);
                Ok(())
            }
            Err(problem) => {
                self.began = None;
                Err(self.fail(Crash { kind: FaultKind::Unavailable, detail: problem.to_string() }))
            }
        }
    }

    #[cold]
    fn fail(&mut self, crash: Crash) -> Fault {
        let now = Instant::now();
        self.lose(&crash, now);
        let ledger = &self.plan.ledger;
        if R::counts(crash.kind)
            && let Change::Opened(pause) = self.breaker.failed(now)
        {
            self.tally.set_aside(true);
            let (plugin, role) = (&*ledger.plugin, ledger.role.as_str());
            tracing::warn!(plugin, role, ?pause, "plugin put aside after repeated faults");
        }
        Fault { plugin: Arc::clone(&ledger.plugin), kind: crash.kind, detail: crash.detail }
    }

    /// The instance failed: it is counted, logged and thrown away.
    #[cold]
    fn lose(&mut self, crash: &Crash, now: Instant) {
        self.discard();
        self.plan.ledger.record(crash, now);
    }

    #[cold]
    fn muted(&self, pause: Duration) {
        self.tally.set_muted(true);
        let (plugin, role) = (&*self.plan.ledger.plugin, self.plan.ledger.role.as_str());
        tracing::warn!(plugin, role, ?pause, "plugin gets no feedback after repeated faults in it");
    }

    #[cold]
    fn unmuted(&self) {
        if self.ears.iter().any(Breaker::is_aside) {
            return;
        }
        self.tally.set_muted(false);
        let (plugin, role) = (&*self.plan.ledger.plugin, self.plan.ledger.role.as_str());
        tracing::info!(plugin, role, "plugin gets feedback again after a probe");
    }

    #[cold]
    fn back(&self) {
        self.tally.set_aside(false);
        let ledger = &self.plan.ledger;
        tracing::info!(plugin = &*ledger.plugin, role = ledger.role.as_str(), "plugin is back after a probe");
    }

    #[cold]
    fn aside(&self) -> Fault {
        let ledger = &self.plan.ledger;
        ledger.count(FaultKind::Unavailable);
        let detail = "expected it in service, found it put aside after repeated faults".to_owned();
        Fault { plugin: Arc::clone(&ledger.plugin), kind: FaultKind::Unavailable, detail }
    }

    fn discard(&mut self) {
        if self.instance.take().is_some() {
            self.plan.ledger.instances.fetch_sub(1, Relaxed);
        }
    }
}

impl<R: Role> Drop for Seat<R> {
    fn drop(&mut self) {
        self.discard();
        self.plan.ledger.close(&self.tally);
    }
}
