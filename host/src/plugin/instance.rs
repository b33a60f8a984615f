//! One running copy of a plugin: its store, its exports, and a deadline on every call.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use wasmtime::{Store, UpdateDeadline};

use super::call_error::{CallError, START, is_interrupt};
use super::error::LoadErrorKind;
use super::host_state::HostState;
use super::limits::ANSWER_BYTES;
use super::text::one_line;
use super::ticker::EpochTicker;

/// Handles of resources in one instance. The contract has no resources; what a plugin passes around within itself is
/// kept in native memory, which its own limit does not see.
const HANDLES: usize = 4096;

/// What a metered instance may use: without end, as far as its deadlines go.
const FUEL: u64 = u64::MAX / 2;

/// A store and what is called in it. Of no more use after a [`CallError`].
pub(super) struct Instance<G> {
    pub(super) store: Store<HostState>,
    pub(super) exports: G,
    /// Whether it has decided nothing yet.
    pub(super) fresh: bool,
    /// Processor time that making it took.
    pub(super) started: Duration,
    ticker: Arc<EpochTicker>,
}

impl<G> Instance<G> {
    /// Instantiates, with `ticks` as the deadline for what the plugin runs at start, and `within` for all of it: what
    /// the engine does for a plugin looks at no clock, so that it can only be measured. Processor time, so that a
    /// plugin is not blamed for its neighbours.
    pub(super) fn start(
        pre: &wasmtime::component::InstancePre<HostState>,
        state: HostState,
        ticker: &Arc<EpochTicker>,
        ticks: u64,
        within: Duration,
        find: impl FnOnce(&mut Store<HostState>, &wasmtime::component::Instance) -> wasmtime::Result<G>,
    ) -> Result<Self, StartError> {
        let mut store = Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(ANSWER_BYTES);
        store.set_max_component_handles(HANDLES);
        // An error where code does not count what it does.
        let _unmetered = store.set_fuel(FUEL);
        let clock = Arc::clone(ticker);
        store.epoch_deadline_callback(move |mut store| {
            let state = store.data_mut();
            state.left = state.left.saturating_sub(1);
            if state.left == 0 {
                return Ok(UpdateDeadline::Interrupt);
            }
            state.long_call.get_or_insert_with(|| clock.long_call());
            Ok(UpdateDeadline::Continue(1))
        });
        store.data_mut().left = ticks;
        store.set_epoch_deadline(1);
        ticker.keep_awake();
        let began = ThreadTime::try_now();
        let instance = pre.instantiate(&mut store);
        let started = began.and_then(|began| began.try_elapsed()).unwrap_or_default();
        store.data_mut().long_call = None;
        // What the deadline has ended took that long, too; what took twice that, no deadline could end.
        let was_ended = matches!(&instance, Err(error) if is_interrupt(error)) && started <= within.saturating_mul(2);
        if started > within && !was_ended {
            return Err(StartError::Slow { limit: within, found: started });
        }
        end_lines(&mut store);
        let instance = instance.map_err(|error| StartError::Call(call_error(&error, START, &store)))?;
        let exports =
            find(&mut store, &instance).map_err(|error| StartError::Signature(one_line(format_args!("{error:#}"))))?;
        Ok(Self { store, exports, fresh: true, started, ticker: Arc::clone(ticker) })
    }

    /// Fuel that it has used so far; none if it is not metered.
    pub(super) fn fuel(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| FUEL.saturating_sub(left))
    }

    /// Calls `export` of the plugin; it may run for `ticks`.
    #[inline]
    pub(super) fn run<T>(
        &mut self,
        export: &'static str,
        ticks: u64,
        call: impl FnOnce(&G, &mut Store<HostState>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let state = self.store.data_mut();
        state.meter.begin();
        if state.output.is_touched() {
            state.output.forget();
        }
        state.left = ticks;
        self.store.set_epoch_deadline(1);
        self.ticker.keep_awake();
        let result = call(&self.exports, &mut self.store);
        self.store.data_mut().long_call = None;
        end_lines(&mut self.store);
        result.map_err(|error| call_error(&error, &format!("`{export}`"), &self.store))
    }
}

/// What the plugin wrote without ending the line is a line when the call is over.
#[inline]
fn end_lines(store: &mut Store<HostState>) {
    if store.data().output.is_touched() {
        store.data_mut().end_lines();
    }
}

#[cold]
fn call_error(error: &wasmtime::Error, call: &str, store: &Store<HostState>) -> CallError {
    let state = store.data();
    let failed = CallError::classify(error, call, &state.meter, &state.output);
    CallError { detail: state.shared.masks.mask(&failed.detail).into_owned(), ..failed }
}

/// Why there is no instance.
#[derive(Debug)]
pub(super) enum StartError {
    /// The plugin failed while starting.
    Call(CallError),
    /// Starting took longer than it may; the instance is thrown away.
    Slow { limit: Duration, found: Duration },
    /// A function has another type than in the contract.
    Signature(String),
}

impl From<StartError> for LoadErrorKind {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Call(error) => Self::Instantiate { message: error.detail },
            StartError::Slow { limit, found } => Self::Slow { limit, found },
            StartError::Signature(message) => Self::Signature { message },
        }
    }
}
