//! Which worker thread this is, and state that each worker has for itself.

use std::cell::Cell;
use std::num::NonZeroUsize;

use parking_lot::{Mutex, MutexGuard};

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// Number of a worker thread, from 0. A thread that is no worker counts as worker 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerId(usize);

impl WorkerId {
    /// The worker that this thread is.
    #[must_use]
    pub fn current() -> Self {
        Self(CURRENT.get())
    }

    /// Makes this thread worker `number`, for the rest of its life.
    pub fn assume(number: usize) {
        CURRENT.set(number);
    }

    /// From 0.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}

/// One `T` for each worker. The lock is there for soundness; a worker only ever takes its own, so that no lock is
/// waited for.
#[derive(Debug)]
pub struct PerWorker<T> {
    slots: Box<[Mutex<T>]>,
}

impl<T> PerWorker<T> {
    /// Makes one `T` for each of `workers`.
    pub fn new(workers: NonZeroUsize, make: impl FnMut() -> T) -> Self {
        let slots = std::iter::repeat_with(make).take(workers.get()).map(Mutex::new).collect();
        Self { slots }
    }

    /// This worker's own.
    pub fn mine(&self) -> MutexGuard<'_, T> {
        let index = WorkerId::current().number() % self.slots.len();
        #[expect(clippy::indexing_slicing, reason = "reduced modulo a length that is never zero")]
        self.slots[index].lock()
    }
}
