//! The clock that ends calls: a thread that advances the engine's epoch, and sleeps while no plugin runs.
//!
//! ```text
//! call:    set deadline; if !touched { touched = true; if parked { unpark } }
//! ticker:  every TICK: epoch += 1; if touched.swap(false) { idle = 0 } else { idle += 1 }
//!          idle > longest deadline: parked = true; if touched { parked = false } else { park }
//! ```
//!
//! Why no call is ever left without a clock, with every access sequentially consistent:
//! - The call saw `touched` set. The ticker's next look at `touched` then finds it set and starts its idle count anew,
//!   so at least `longest` more ticks follow, and the call's own deadline is not more than that.
//! - The call set `touched`, then read `parked`. If it read true, it unparks. If it read false, the ticker's store of
//!   `parked` comes later, and so does its second look at `touched`: it finds it set and does not park. Had a swap in
//!   between cleared it, that swap restarted the idle count, and parking is `longest` ticks away.
//! - The deadline is set before `touched` is looked at, so every tick counted above counts for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Time between two ticks: 250 wake-ups a second while plugins run, none otherwise.
pub(super) const TICK: Duration = Duration::from_millis(4);

/// Ticks that go on after the last call at least, so that steady traffic does not pay for waking the ticker.
const LINGER: u64 = 25;

/// Keeps the ticker alive; the thread ends when the last one is dropped. Held by the runtime and by every instance.
#[derive(Debug)]
pub(super) struct Pulse {
    shared: Arc<Shared>,
    ticker: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    touched: AtomicBool,
    parked: AtomicBool,
    ended: AtomicBool,
    /// Ticks of the longest deadline in use.
    longest: AtomicU64,
}

impl Pulse {
    /// Starts the ticker for `engine`.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (inner, engine) = (Arc::clone(&shared), engine.weak());
        let thread = std::thread::Builder::new().name("plugin-clock".into()).spawn(move || inner.tick(&engine))?;
        Ok(Self { shared, ticker: thread.thread().clone() })
    }

    /// Ticks after which a call with this deadline is interrupted: never early, at most two ticks late. The ticker is
    /// told, so that it goes on for at least that long after a call began.
    pub(super) fn ticks(&self, deadline: Duration) -> u64 {
        let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos()).saturating_add(1);
        let ticks = u64::try_from(ticks).unwrap_or(u64::MAX / 4).min(u64::MAX / 4);
        self.shared.longest.fetch_max(ticks, SeqCst);
        ticks
    }

    /// A call begins; its epoch deadline is already set.
    #[inline]
    pub(super) fn touch(&self) {
        if !self.shared.touched.load(SeqCst) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.shared.touched.store(true, SeqCst);
        if self.shared.parked.load(SeqCst) {
            self.ticker.unpark();
        }
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
            if idle > self.longest.load(SeqCst).max(LINGER) {
                self.rest();
                idle = 0;
            }
        }
    }

    /// Sleeps until the next call or the end. May return early; one more round of ticks is all that costs.
    fn rest(&self) {
        self.parked.store(true, SeqCst);
        if !self.touched.load(SeqCst) && !self.ended.load(SeqCst) {
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
        drop(pulse);
        eventually("the thread ends", || life.upgrade().is_none());
    }

    #[test]
    fn deadlines_are_rounded_up_and_never_early() {
        let engine = Engine::new(wasmtime::Config::new().epoch_interruption(true)).unwrap();
        let pulse = Pulse::start(&engine).unwrap();

        assert_eq!(pulse.ticks(Duration::from_millis(1)), 2, "the first tick may come at once");
        assert_eq!(pulse.ticks(TICK * 5), 6);
        assert_eq!(pulse.ticks(Duration::MAX), u64::MAX / 4, "current epoch + ticks must not overflow");
    }
}
