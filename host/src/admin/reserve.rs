//! Descriptors that are kept for the callers of the admin server, when clients have taken all others.

use std::fs::File;
use std::io;

use parking_lot::Mutex;

/// How many are kept.
const KEPT: usize = 8;

/// What one caller takes: a connection, and the token's file.
const FOR_ONE: usize = 2;

/// Open descriptors of nothing, to be given up for real ones.
#[derive(Debug, Default)]
pub(super) struct Reserve(Mutex<Vec<File>>);

impl Reserve {
    /// Makes room for one caller. False if nothing is left of it.
    pub(super) fn spend(&self) -> bool {
        let mut kept = self.0.lock();
        let left = kept.len().saturating_sub(FOR_ONE);
        !kept.drain(left..).collect::<Vec<_>>().is_empty()
    }

    /// Takes what was given up, as far as it is to be had.
    pub(super) fn refill(&self) {
        let mut kept = self.0.lock();
        while kept.len() < KEPT {
            let Ok(open) = File::open("/dev/null") else { return };
            kept.push(open);
        }
    }
}

/// Whether a call failed for want of descriptors, of this process or of the system.
pub(super) fn is_wanted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spent_to_the_last_and_filled_again() {
        let reserve = Reserve::default();
        assert!(!reserve.spend(), "nothing there yet");
        reserve.refill();

        let callers = std::iter::repeat_with(|| reserve.spend()).take_while(|made_room| *made_room).count();

        assert_eq!(callers, KEPT / FOR_ONE);
        reserve.refill();
        assert!(reserve.spend());
    }
}
