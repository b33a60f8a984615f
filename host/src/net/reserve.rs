//! Descriptors that are kept for the callers of the admin server, when clients have taken all others.
//!
//! A descriptor that is given up for a caller, and one that a caller leaves, may be taken by any thread for a moment.
//! So once they have run out, clients are let in under the reserve's lock, and only while it is whole.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;

use parking_lot::Mutex;

/// How many are kept.
const KEPT: usize = 8;

/// The reserve of this process, for descriptors are the process's.
pub static RESERVE: Reserve = Reserve::new();

/// Open descriptors of nothing, to be given up for real ones. Nothing is kept before [`Self::begin`].
#[derive(Debug)]
pub struct Reserve {
    kept: Mutex<Kept>,
    /// Whether descriptors have run out, as far as is known.
    ran_out: AtomicBool,
}

#[derive(Debug)]
struct Kept {
    files: Vec<File>,
    wanted: usize,
}

impl Reserve {
    const fn new() -> Self {
        Self { kept: Mutex::new(Kept { files: Vec::new(), wanted: 0 }), ran_out: AtomicBool::new(false) }
    }

    /// From now on some are kept: there are callers to keep them for.
    pub fn begin(&self) {
        let mut kept = self.kept.lock();
        kept.wanted = KEPT;
        kept.refill();
    }

    /// Calls `take` with one descriptor to be had that was kept, and takes another for it if there is one. Nobody who
    /// is let in by [`Self::behind`] comes in between.
    pub fn lend<T>(&self, take: impl FnOnce() -> T) -> T {
        self.ran_out.store(true, Relaxed);
        let mut kept = self.kept.lock();
        drop(kept.files.pop());
        let taken = take();
        kept.refill();
        taken
    }

    /// Calls `take`, which takes a descriptor, unless the reserve is not whole and cannot be made so: then it fails as
    /// if there were none.
    pub fn behind<T>(&self, take: impl FnOnce() -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if !self.ran_out.load(Relaxed) {
            let taken = take();
            if matches!(&taken, Poll::Ready(Err(error)) if is_no_descriptor(error)) {
                self.ran_out.store(true, Relaxed);
            }
            return taken;
        }
        let mut kept = self.kept.lock();
        if !kept.refill() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(libc::EMFILE)));
        }
        let taken = take();
        if matches!(taken, Poll::Ready(Ok(_))) {
            self.ran_out.store(false, Relaxed);
        }
        taken
    }
}

impl Kept {
    /// Whether all are there now.
    fn refill(&mut self) -> bool {
        while self.files.len() < self.wanted {
            let Ok(open) = File::open("/dev/null") else { return false };
            self.files.push(open);
        }
        true
    }
}

/// Whether a call failed for want of descriptors, of this process or of the system.
#[must_use]
pub fn is_no_descriptor(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(number: u32) -> Poll<io::Result<u32>> {
        Poll::Ready(Ok(number))
    }

    #[test]
    fn what_is_lent_is_taken_again_and_clients_come_in_under_the_lock_once_descriptors_ran_out() {
        let reserve = Reserve::new();
        reserve.begin();
        let kept = || reserve.kept.lock().files.len();
        let is_locked = || ready(u32::from(reserve.kept.is_locked()));
        let taken = |poll: Poll<io::Result<u32>>| matches!(poll, Poll::Ready(Ok(1)));
        assert!(!taken(reserve.behind(is_locked)), "at first it costs nothing");

        assert!(reserve.lend(|| reserve.kept.is_locked()));

        assert_eq!(kept(), KEPT, "another was there");
        assert!(taken(reserve.behind(is_locked)), "nobody else comes in between");
        assert!(!taken(reserve.behind(is_locked)), "that one has found one, so there are some");
        let none = || Poll::<io::Result<u32>>::Ready(Err(io::Error::from_raw_os_error(libc::EMFILE)));
        assert!(matches!(reserve.behind(none), Poll::Ready(Err(error)) if is_no_descriptor(&error)));
        assert!(taken(reserve.behind(is_locked)));
    }
}
