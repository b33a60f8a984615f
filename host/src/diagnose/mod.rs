//! What is wrong with a file that a person wrote: file, line, column, what was found, and the remedy.
//!
//! ```text
//! reader ──▶ FaultReport (spans, words) ──▶ FileFaults: all of them, in the order of the file
//! ```

mod fault;
mod report;
mod words;

pub use fault::{FileFault, FileFaults, Position};
pub(crate) use report::{FaultReport, Span};
pub(crate) use words::{closest, list, one_of};
