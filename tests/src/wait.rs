//! Waiting for conditions, with a limit.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a test waits for what must happen. Far beyond what a loaded machine needs; only a failure takes this long.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(3);

/// Waits until `holds`.
///
/// # Panics
/// If it does not within [`LIMIT`].
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < limit, "{what}: not within {LIMIT:?}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for `future`.
///
/// # Panics
/// If it is not ready within [`LIMIT`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_elapsed) => panic!("{what}: not within {LIMIT:?}"),
    }
}
