//! Where the one instance of a role lives between calls.

use std::cell::RefCell;

/// Holds what `configure` made. A `thread_local!` of this type is sound anywhere and free in wasm, which has one thread.
#[derive(Debug)]
pub struct Cell<T>(RefCell<Option<T>>);

impl<T> Cell<T> {
    /// Empty until `configure`.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Takes `made` into use; a failed configuration leaves what was there.
    ///
    /// # Errors
    /// Those of `made`.
    pub fn configure<E>(&self, made: impl FnOnce() -> Result<T, E>) -> Result<(), E> {
        report_panics();
        *self.0.borrow_mut() = Some(made()?);
        Ok(())
    }

    /// Calls the instance.
    ///
    /// # Panics
    /// Before `configure`: a mistake of the host, reported like every panic.
    #[expect(clippy::expect_used, reason = "the contract promises configure first")]
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> R) -> R {
        call(self.0.borrow_mut().as_mut().expect("called before configure"))
    }
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Sends every panic's message and place to the gateway's log before the trap, which carries neither. Without the feature
/// `last-words` nothing is sent, and nothing of the log is imported.
fn report_panics() {
    // Set anew with each role of a plugin that has several: that costs less than to remember it.
    #[cfg(all(target_arch = "wasm32", feature = "last-words"))]
    std::panic::set_hook(Box::new(|info| crate::log::error(info.to_string())));
}
