//! Why a call failed, by kind and in words.

use wasmtime::{Trap, WasmBacktrace};

use super::limits::{ANSWER_BYTES, MemoryMeter};
use super::text::printable;
use crate::policy::FaultKind;

/// Frames of the plugin's own backtrace that are shown.
const FRAMES: usize = 16;

/// A failed call, before it is counted.
#[derive(Clone, Debug)]
pub(super) struct CallError {
    pub(super) kind: FaultKind,
    pub(super) detail: String,
}

impl CallError {
    /// A result that the contract does not permit.
    pub(super) fn answer(expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Self {
        Self { kind: FaultKind::Answer, detail: format!("expected {expected}, found {found}") }
    }

    /// From what the engine returns, by the kind of trap.
    pub(super) fn classify(error: &wasmtime::Error, meter: &MemoryMeter) -> Self {
        let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
        let cause = error.root_cause().to_string();
        if matches!(error.downcast_ref::<Trap>(), Some(Trap::Interrupt)) {
            return Self {
                kind: FaultKind::Deadline,
                detail: format!("expected an answer within the deadline, found it still running{backtrace}"),
            };
        }
        if let Some(denial) = meter.denial() {
            return Self { kind: FaultKind::Memory, detail: format!("{denial}; then: {cause}{backtrace}") };
        }
        if cause.contains("fuel allocated for hostcalls") {
            return Self::answer(format_args!("at most {} bytes in one answer", ANSWER_BYTES), "more");
        }
        Self { kind: FaultKind::Trap, detail: format!("expected an answer, found a trap: {cause}{backtrace}") }
    }
}

/// `, in inner < outer`; nothing if the plugin has no frame on the stack.
fn frames(backtrace: &WasmBacktrace) -> String {
    let frames = backtrace.frames();
    if frames.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = frames
        .iter()
        .take(FRAMES)
        .map(|frame| match frame.func_name() {
            Some(name) => printable(name).into_owned(),
            None => format!("function {}", frame.func_index()),
        })
        .collect();
    if frames.len() > FRAMES {
        names.push("…".to_owned());
    }
    format!(", in {}", names.join(" < "))
}
