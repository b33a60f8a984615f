//! One running copy of a plugin: its store, its exports, and a deadline on every call.

use std::sync::Arc;

use wasmtime::{Store, UpdateDeadline};

use super::fault::Crash;
use super::host_state::HostState;
use super::load::{Problem, told};
use super::pulse::Pulse;

/// Bytes that one call may hand from the plugin to the gateway.
pub(super) const ANSWER_BYTES: usize = 4 << 20;

/// A store and what is called in it. Of no more use after a [`Crash`].
pub(super) struct Instance<G> {
    pub(super) store: Store<HostState>,
    pub(super) guest: G,
    /// Whether it has not decided anything yet.
    pub(super) fresh: bool,
    pulse: Arc<Pulse>,
}

impl<G> Instance<G> {
    /// Instantiates, with `ticks` as the deadline for what runs at start.
    pub(super) fn start(
        pre: &wasmtime::component::InstancePre<HostState>,
        state: HostState,
        pulse: &Arc<Pulse>,
        ticks: u64,
        find: impl FnOnce(&mut Store<HostState>, &wasmtime::component::Instance) -> wasmtime::Result<G>,
    ) -> Result<Self, StartError> {
        let mut store = Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(ANSWER_BYTES);
        let clock = Arc::clone(pulse);
        store.epoch_deadline_callback(move |mut store| {
            let state = store.data_mut();
            state.left = state.left.saturating_sub(1);
            if state.left == 0 {
                return Ok(UpdateDeadline::Interrupt);
            }
            state.overtime.get_or_insert_with(|| clock.overtime());
            Ok(UpdateDeadline::Continue(1))
        });
        store.data_mut().left = ticks;
        store.set_epoch_deadline(1);
        pulse.touch();
        let started = pre.instantiate(&mut store);
        store.data_mut().overtime = None;
        let instance = started.map_err(|error| StartError::Crash(Crash::classify(&error, &store.data().meter)))?;
        let guest =
            find(&mut store, &instance).map_err(|error| StartError::Signature(told(format_args!("{error:#}"))))?;
        Ok(Self { store, guest, fresh: true, pulse: Arc::clone(pulse) })
    }

    /// Calls into the plugin; it may run for `ticks`.
    #[inline]
    pub(super) fn run<T>(
        &mut self,
        ticks: u64,
        call: impl FnOnce(&G, &mut Store<HostState>) -> wasmtime::Result<T>,
    ) -> Result<T, Crash> {
        let state = self.store.data_mut();
        state.meter.begin();
        state.left = ticks;
        self.store.set_epoch_deadline(1);
        self.pulse.touch();
        let answer = call(&self.guest, &mut self.store);
        self.store.data_mut().overtime = None;
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.crash(&error)),
        }
    }

    #[cold]
    fn crash(&self, error: &wasmtime::Error) -> Crash {
        Crash::classify(error, &self.store.data().meter)
    }
}

/// Why there is no instance.
#[derive(Debug)]
pub(super) enum StartError {
    /// It failed while starting.
    Crash(Crash),
    /// A function has another type than in the contract.
    Signature(String),
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Crash(crash) => Self::Instantiate { message: crash.detail },
            StartError::Signature(message) => Self::Signature { message },
        }
    }
}
