//! One buffer for each thread, for bytes that are handed on or copied before the next read.

use std::cell::Cell;

/// Bytes that one read takes at the most. Larger gains nothing: it is four TLS records.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends this thread's scratch buffer of 64 KiB, whose content is arbitrary. A connection that reads into it owns no
/// memory while it waits. Asked for again within `work`, it lends another one, made for that call: correct, and slow.
pub fn with_scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with(|lent| {
        let mut scratch = lent.take().unwrap_or_else(|| vec![0; SIZE].into_boxed_slice());
        let done = work(&mut scratch);
        lent.set(Some(scratch));
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_loan_another_buffer_is_lent() {
        let inner = with_scratch(|outer| {
            outer.fill(1);
            let inner = with_scratch(|inner| {
                inner.fill(2);
                inner.as_ptr() as usize
            });
            assert!(outer.iter().all(|byte| *byte == 1), "the two readers share no bytes");
            assert_ne!(inner, outer.as_ptr() as usize);
            inner
        });
        assert_ne!(inner, 0);
        with_scratch(|again| assert_eq!(again.len(), SIZE));
    }
}
