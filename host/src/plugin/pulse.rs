//! The clock that ends calls: a thread that advances the engine's epoch, and sleeps while no plugin runs.
//!
//! ```text
//! call:    left = deadline in ticks; next look at the clock after 1 tick; if !touched { touched = true; wake }
//! look:    left -= 1; none left: interrupted. The first look: overtime += 1, wake; the call's end takes it back
//! wake:    if parked { unpark }
//! ticker:  every TICK: epoch += 1; if touched.swap(false) { idle = 0 } else { idle += 1 }
//!          idle > LINGER: parked = true; if touched || overtime > 0 { parked = false } else { park }
//! ```
//!
//! A call is charged for the ticks in which it ran: a thread that the system put aside for 50 ms looks at the clock once
//! when it comes back, and is charged one tick. On an idle machine that is wall clock; on a busy one a plugin is not
//! blamed for its neighbours.
//!
//! Why no call is ever left without a clock, with every access sequentially consistent. The first look needs one tick
//! after the touch, because the epoch of that look is set before it:
//! - The touch saw `touched` set. The ticker's next access to `touched` then finds it set and starts its idle count
//!   anew, so at least [`LINGER`] more ticks follow.
//! - The touch set `touched`, then read `parked`. If it read true, it unparks. If it read false, the ticker's store of
//!   `parked` comes later, and so does its second look at `touched`: it finds it set and does not park. Had a swap in
//!   between cleared it, that swap restarted the idle count, and parking is [`LINGER`] ticks away.
//!
//! From the first look on `overtime` counts the call, and by the same argument the ticker cannot stay parked until the
//! call ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Time between two ticks: 250 wake-ups a second while plugins run, none otherwise.
pub(super) const TICK: Duration = Duration::from_millis(4);

/// Ticks that go on after the last touch at least, so that steady traffic does not pay for waking the ticker.
const LINGER: u64 = 25;

/// Keeps the ticker alive; the thread ends when the last one is dropped. Held by the runtime and by every instance.
#[derive(Debug)]
pub(super) struct Pulse {
    shared: Arc<Shared>,
    ticker: Thread,
}

/// While it lives, the ticker does not sleep.
#[derive(Debug)]
pub(super) struct Overtime(Arc<Shared>);

impl Drop for Overtime {
    fn drop(&mut self) {
        self.0.overtime.fetch_sub(1, SeqCst);
    }
}

#[derive(Debug, Default)]
struct Shared {
    touched: AtomicBool,
    parked: AtomicBool,
    /// Calls that have run for a tick or more.
    overtime: AtomicUsize,
    ended: AtomicBool,
}

impl Pulse {
    /// Starts the ticker for `engine`.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (inner, engine) = (Arc::clone(&shared), engine.weak());
        let thread = std::thread::Builder::new().name("plugin-clock".into()).spawn(move || inner.tick(&engine))?;
        Ok(Self { shared, ticker: thread.thread().clone() })
    }

    /// A call runs; the epoch of its next look at the clock is already set.
    #[inline]
    pub(super) fn touch(&self) {
        if !self.shared.touched.load(SeqCst) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.shared.touched.store(true, SeqCst);
        self.unpark();
    }

    fn unpark(&self) {
        if self.shared.parked.load(SeqCst) {
            self.ticker.unpark();
        }
    }

    /// Keeps the ticker awake for a call that has outlived a tick, until dropped.
    pub(super) fn overtime(&self) -> Overtime {
        self.shared.overtime.fetch_add(1, SeqCst);
        self.unpark();
        Overtime(Arc::clone(&self.shared))
    }

    /// Whether the ticker sleeps.
    #[cfg(test)]
    pub(super) fn is_parked(&self) -> bool {
        self.shared.parked.load(SeqCst)
    }

    /// Something that lives exactly as long as the ticker thread.
    #[cfg(test)]
    pub(super) fn life(&self) -> std::sync::Weak<impl Sized + use<>> {
        Arc::downgrade(&self.shared)
    }
}

/// Ticks that a call with this deadline may run for: never early, at most two ticks late.
pub(super) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos()).saturating_add(1);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        self.ticker.unpark();
    }
}

impl Shared {
    fn tick(&self, engine: &EngineWeak) {
        let mut idle = 0;
        while !self.ended.load(SeqCst) {
            std::thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
            drop(engine);
            idle = if self.touched.swap(false, SeqCst) { 0 } else { idle + 1 };
            if idle > LINGER {
                self.rest();
                idle = 0;
            }
        }
    }

    /// Sleeps until the next call or the end. May return early; one more round of ticks is all that costs.
    fn rest(&self) {
        self.parked.store(true, SeqCst);
        let needed = self.touched.load(SeqCst) || self.overtime.load(SeqCst) > 0 || self.ended.load(SeqCst);
        if !needed {
            std::thread::park();
        }
        self.parked.store(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::tests::eventually;

    #[test]
    fn ticker_sleeps_when_idle_wakes_for_a_call_and_ends_with_its_last_holder() {
        let engine = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        let pulse = Pulse::start(&engine).unwrap();
        let life = pulse.life();
        eventually("the ticker parks", || pulse.is_parked());

        pulse.touch();

        eventually("the ticker wakes", || !pulse.is_parked());
        eventually("the ticker parks again", || pulse.is_parked());
        let overtime = pulse.overtime();
        eventually("the ticker wakes for a long call", || !pulse.is_parked());
        drop(overtime);
        eventually("the ticker parks when it has ended", || pulse.is_parked());
        drop(pulse);
        eventually("the thread ends", || life.upgrade().is_none());
    }

    #[test]
    fn deadlines_are_rounded_up_and_never_early() {
        assert_eq!(ticks(Duration::from_millis(1)), 2, "the first tick may come at once");
        assert_eq!(ticks(TICK * 5), 6);
        assert!(ticks(Duration::MAX) > 1 << 60);
    }
}
