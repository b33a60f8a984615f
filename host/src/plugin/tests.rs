//! Plugins that behave and plugins that do not, from file to fault.

use std::time::{Duration, Instant};

/// Waits for a condition, with a limit.
pub(super) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < limit, "{what}: not within 30 s");
        std::thread::yield_now();
    }
}
