//! One buffer for each thread, for bytes that are handed on or copied before anybody else reads.

use std::cell::RefCell;

/// Bytes that one read takes at the most. Larger gains nothing: it is four TLS records.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SIZE].into_boxed_slice());
}

/// Lends this thread's scratch buffer of 64 KiB, whose content is arbitrary. A connection that reads into it owns no
/// memory while it waits. Not to be asked for within `work`, nor a [`Stream`](super::Stream) to be written there in several pieces.
///
/// # Panics
/// If it is, for then two readers would share the bytes.
pub fn with_scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| work(scratch))
}
