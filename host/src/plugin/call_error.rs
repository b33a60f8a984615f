//! Why a call failed, by kind and in words: what the plugin said last, what the engine says, and where.

use wasmtime::{Trap, WasmBacktrace};

use super::abi_words::{ValueOrigin, abi_words};
use super::backtrace;
use super::last_words;
use super::limits::{ANSWER_BYTES, MemoryMeter};
use super::output::Output;
use crate::policy::FaultKind;

/// What runs before any export is called, as messages name it.
pub(super) const START: &str = "the start of the plugin";

/// A failed call, before it is counted.
#[derive(Clone, Debug)]
pub(super) struct CallError {
    pub(super) kind: FaultKind,
    pub(super) detail: String,
}

/// The plugin ended itself, with this code.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the plugin called exit with code {0}")]
pub(super) struct Exit(pub(super) u32);

/// The plugin called an import with what the contract does not permit, or where it does not: that ends the call, as a
/// result would that the contract does not permit.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RefusedArgument(String);

impl RefusedArgument {
    /// `expected` names the import: "of `take` a burst of at least 1".
    pub(super) fn new(expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Self {
        Self(format!("expected {expected}, found {found}"))
    }

    /// What is wrong with an argument of `import`, as found by a check of results.
    pub(super) fn of(import: &str, wrong: &CallError) -> Self {
        let sentence = wrong.detail.strip_prefix("expected ").unwrap_or(&wrong.detail);
        Self(format!("expected of `{import}` {sentence}"))
    }
}

impl CallError {
    /// A result that the contract does not permit.
    pub(super) fn answer(expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Self {
        Self { kind: FaultKind::Answer, detail: format!("expected {expected}, found {found}") }
    }

    /// From what the engine returns of `call` (an export of the plugin, or [`START`]), by the kind of trap.
    pub(super) fn classify(error: &wasmtime::Error, call: &str, meter: &MemoryMeter, output: &Output) -> Self {
        let mut failed = Self::of_engine(error, call, meter);
        if let Some(words) = output.last_words() {
            let remedy = last_words::remedy(&words).unwrap_or_default();
            failed.detail = format!("{words}{remedy}; {}", failed.detail);
        }
        if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
            failed.detail.push_str(&backtrace::frames(backtrace));
        }
        failed
    }

    fn of_engine(error: &wasmtime::Error, call: &str, meter: &MemoryMeter) -> Self {
        let cause = error.root_cause().to_string();
        if is_interrupt(error) {
            return Self {
                kind: FaultKind::Deadline,
                detail: format!("expected {call} to end within its deadline, found it still running"),
            };
        }
        if let Some(denial) = meter.denial() {
            return Self { kind: FaultKind::Memory, detail: format!("{denial}; then {call} trapped: {cause}") };
        }
        if let Some(Exit(code)) = error.downcast_ref::<Exit>() {
            return Self {
                kind: FaultKind::Trap,
                detail: format!("{call} called exit with code {code} instead of returning"),
            };
        }
        if let Some(RefusedArgument(sentence)) = error.downcast_ref::<RefusedArgument>() {
            return Self { kind: FaultKind::Answer, detail: sentence.clone() };
        }
        if cause.contains("fuel allocated for hostcalls") {
            return Self::answer(format_args!("at most {ANSWER_BYTES} bytes in one answer"), "more");
        }
        let origin = ValueOrigin::of(call, error.downcast_ref::<WasmBacktrace>());
        let remedy = match error.downcast_ref::<Trap>() {
            // Imports of a bare module that need its memory are connected once its memory is there.
            Some(Trap::IndirectCallToNull) if call == START => {
                "; nothing that logs, prints or calls another import may run in `(start)`: export it as `_initialize`"
            }
            _ => "",
        };
        Self { kind: FaultKind::Trap, detail: format!("{call} trapped: {}{remedy}", abi_words(&cause, &origin)) }
    }
}

/// Whether the deadline ended the call.
pub(super) fn is_interrupt(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref::<Trap>(), Some(Trap::Interrupt))
}
