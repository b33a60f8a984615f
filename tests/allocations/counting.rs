//! An allocator that counts what other threads than the test's own ask for: those are the gateway's.

#![expect(unsafe_code, reason = "an allocator is unsafe to implement, and counting allocations takes one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Without a destructor and without a value to compute, so that it may be read wherever memory is asked for.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

/// What was asked for so far, or between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// Allocations; one that grows counts once more.
    pub(crate) allocations: u64,
    /// Bytes.
    pub(crate) bytes: u64,
}

impl Count {
    pub(crate) fn now() -> Self {
        Self { allocations: ALLOCATIONS.load(Relaxed), bytes: BYTES.load(Relaxed) }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self { allocations: self.allocations - before.allocations, bytes: self.bytes - before.bytes }
    }
}

/// Leaves this thread out from now on.
pub(crate) fn leave_out_this_thread() {
    OURS.set(true);
}

fn count(size: usize) {
    if !OURS.get() {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came, and what that answers goes back as it is. Counting
// neither allocates nor panics: it reads a thread-local that is initialised by a constant and has no destructor, and
// adds to two atomics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the promises of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `System` with this layout, because all of it does.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the promises of `GlobalAlloc::alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: `memory` came from `System` with this layout, and the caller keeps the promises of
        // `GlobalAlloc::realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}
