//! Which generation serves, which one can be returned to, and how one takes the place of another.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::{Mutex, MutexGuard};

use super::generation::Generation;
use super::history::{GenerationRecord, History, ReplacementCause};

/// The generations that are kept.
#[derive(Debug)]
pub(super) struct Generations {
    /// Read for every connection and request.
    live: ArcSwap<Generation>,
    /// The one to return to, ready to serve.
    previous: Mutex<Option<Arc<Generation>>>,
    history: Mutex<History>,
    /// The highest number that a generation has had. Its lock is held during a replacement: one at a
    /// time.
    last_number: Mutex<u64>,
}

/// The right to replace the live generation. No other replacement begins while it is held.
#[derive(Debug)]
#[must_use = "no other replacement begins while it is held"]
pub(super) struct ReplacementTurn<'a> {
    generations: &'a Generations,
    last_number: MutexGuard<'a, u64>,
}

impl Generations {
    /// Begins with `first`.
    pub(super) fn new(first: Arc<Generation>) -> Self {
        Self {
            history: Mutex::new(History::new(GenerationRecord::new(&first, None))),
            last_number: Mutex::new(first.id),
            previous: Mutex::new(None),
            live: ArcSwap::new(first),
        }
    }

    /// The generation that serves now, for a look at it: a request in the middle of which another goes live keeps its
    /// own.
    pub(super) fn live(&self) -> arc_swap::Guard<Arc<Generation>> {
        self.live.load()
    }

    /// The one before, if there is one to return to.
    pub(super) fn previous(&self) -> Option<Arc<Generation>> {
        self.previous.lock().clone()
    }

    /// Those that were live, oldest first, the last few.
    pub(super) fn records(&self) -> Vec<GenerationRecord> {
        self.history.lock().records().cloned().collect()
    }

    /// Waits until no other replacement is under way. Blocks, perhaps for as long as plugins take to compile.
    pub(super) fn turn(&self) -> ReplacementTurn<'_> {
        ReplacementTurn { last_number: self.last_number.lock(), generations: self }
    }
}

impl ReplacementTurn<'_> {
    /// The number that a new generation gets.
    pub(super) fn next_number(&self) -> u64 {
        *self.last_number + 1
    }

    /// Makes `generation` the live one, and keeps the one before to return to, if it was not names that made the new
    /// one. Returns the record of it.
    pub(super) fn commit(&mut self, generation: &Arc<Generation>, cause: ReplacementCause) -> GenerationRecord {
        *self.last_number = (*self.last_number).max(generation.id);
        let before = self.generations.live.swap(generation.clone());
        let record = GenerationRecord::caused(generation, &before, cause);
        self.generations.history.lock().push(record.clone());
        if !record.is_by_names() {
            *self.generations.previous.lock() = Some(before);
        }
        record
    }
}
