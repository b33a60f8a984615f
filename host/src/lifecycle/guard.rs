//! What a connection holds for as long as it is open.

use std::any::Any;
use std::fmt;

/// Whatever counts while a connection is open: limits, loads, gauges. Each is given back when this is dropped.
#[must_use = "what it holds counts only while it is kept"]
pub struct ConnectionGuard(#[expect(dead_code, reason = "held for its drop")] Box<dyn Any + Send + Sync>);

impl ConnectionGuard {
    /// Holds `guards`, a guard or a tuple of guards.
    pub fn holding(guards: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guards))
    }
}

impl fmt::Debug for ConnectionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionGuard")
    }
}
