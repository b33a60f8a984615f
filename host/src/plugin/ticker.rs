//! The clock that ends calls: a thread that advances the engine's epoch, and sleeps while no plugin runs.
//!
//! ```text
//! call:    left = deadline in ticks; the epoch of its first look at the clock is the next one; keep_awake
//! look:    left -= 1; none left: interrupted. The first look: the call counts as a long one until it ends
//! ticker:  every TICK: epoch += 1; for LINGER ticks no call began, and no long one runs: wait for a call
//! ```
//!
//! A call is charged for the ticks in which it ran: a thread that the system took the processor from for 50 ms looks at
//! the clock once when it comes back, and is charged one tick. On an idle machine that is wall clock; on a busy one a
//! plugin is not blamed for its neighbours.
//!
//! No call is left without a clock. It begins by looking at `began`:
//! - If that is set, the ticker has not seen it yet: its next look clears it and begins to count idle ticks anew, so
//!   that at least [`LINGER`] more ticks follow. The first look needs one of them, and from then on the call counts as
//!   a long one.
//! - If not, it sets it with the lock held, under which the ticker looks at it before it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use wasmtime::{Engine, EngineWeak};

/// Time between two ticks: 250 wake-ups a second while plugins run, none otherwise.
pub(super) const TICK: Duration = Duration::from_millis(4);

/// Ticks that go on after the last call at least, so that steady traffic does not pay for waking the ticker.
const LINGER: u64 = 25;

/// Keeps the ticker alive; the thread ends when the last one is dropped. Held by the engine and by every instance.
#[derive(Debug)]
pub(super) struct EpochTicker(Arc<TickerState>);

/// While it lives, the ticker does not sleep.
#[derive(Debug)]
pub(super) struct LongCall(Arc<TickerState>);

#[derive(Debug, Default)]
struct TickerState {
    /// Whether a call began since the last tick.
    began: AtomicBool,
    sleep: Mutex<TickerSleep>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct TickerSleep {
    asleep: bool,
    /// Calls that have run for a tick or more.
    long_calls: usize,
    ended: bool,
}

impl EpochTicker {
    /// Starts the ticker for `engine`.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let state = Arc::new(TickerState::default());
        let (inner, engine) = (Arc::clone(&state), engine.weak());
        std::thread::Builder::new().name("plugin-clock".into()).spawn(move || inner.run(&engine))?;
        Ok(Self(state))
    }

    /// A call begins; the epoch of its first look at the clock is already set.
    #[inline]
    pub(super) fn keep_awake(&self) {
        if !self.0.began.load(SeqCst) {
            self.0.call_begins();
        }
    }

    /// Keeps the ticker awake for a call that has outlived a tick, until dropped.
    pub(super) fn long_call(&self) -> LongCall {
        self.0.wake(|sleep| sleep.long_calls += 1);
        LongCall(Arc::clone(&self.0))
    }

    /// Whether the ticker sleeps.
    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        self.0.sleep.lock().asleep
    }

    /// Something that lives exactly as long as the ticker thread.
    #[cfg(test)]
    pub(super) fn life(&self) -> std::sync::Weak<impl Sized + use<>> {
        Arc::downgrade(&self.0)
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.0.wake(|sleep| sleep.ended = true);
    }
}

impl Drop for LongCall {
    fn drop(&mut self) {
        self.0.sleep.lock().long_calls -= 1;
    }
}

/// Ticks that a call with this deadline may run for: never early, at most two ticks late.
pub(super) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos()).saturating_add(1);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

impl TickerState {
    /// The first call since a tick, so that calls take the lock about once in a tick.
    #[cold]
    fn call_begins(&self) {
        self.wake(|_| self.began.store(true, SeqCst));
    }

    fn wake(&self, why: impl FnOnce(&mut TickerSleep)) {
        let mut sleep = self.sleep.lock();
        why(&mut sleep);
        if sleep.asleep {
            self.wake.notify_one();
        }
    }

    fn run(&self, engine: &EngineWeak) {
        // The first wait of a thread allocates: let that be now, and not while a tunnel carries messages.
        self.wake.wait_for(&mut self.sleep.lock(), Duration::ZERO);
        let mut idle = 0;
        loop {
            std::thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
            drop(engine);
            idle = if self.began.swap(false, SeqCst) { 0 } else { idle + 1 };
            let mut sleep = self.sleep.lock();
            if idle > LINGER {
                sleep.asleep = true;
                while !(self.began.load(SeqCst) || sleep.long_calls > 0 || sleep.ended) {
                    self.wake.wait(&mut sleep);
                }
                (sleep.asleep, idle) = (false, 0);
            }
            if sleep.ended {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::tests::eventually;

    #[test]
    fn ticker_sleeps_when_idle_wakes_for_a_call_and_ends_with_its_last_holder() {
        let engine = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        let ticker = EpochTicker::start(&engine).unwrap();
        let life = ticker.life();
        eventually("the ticker sleeps", || ticker.is_asleep());

        ticker.keep_awake();

        eventually("the ticker wakes", || !ticker.is_asleep());
        eventually("the ticker sleeps again", || ticker.is_asleep());
        let long = ticker.long_call();
        eventually("the ticker wakes for a long call", || !ticker.is_asleep());
        drop(long);
        eventually("the ticker sleeps when it has ended", || ticker.is_asleep());
        drop(ticker);
        eventually("the thread ends", || life.upgrade().is_none());
    }

    #[test]
    fn deadlines_are_rounded_up_and_never_early() {
        assert_eq!(ticks(Duration::from_millis(1)), 2, "the first tick may come at once");
        assert_eq!(ticks(TICK * 5), 6);
        assert!(ticks(Duration::MAX) > 1 << 60);
    }
}
