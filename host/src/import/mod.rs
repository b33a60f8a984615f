//! Configurations of other servers, turned into this gateway's.
//!
//! ```text
//! PATH ──▶ read ──▶ Tree ──▶ translate ──▶ draft ──▶ write ──▶ TOML
//!            └─────────────────┴──▶ Report: each line that was refused, changed or dropped, and why
//! ```

mod read;
mod report;
mod tree;

pub use read::{MissingInclude, ReadOptions, parse, read};
pub use report::{Finding, Report, Severity};
pub use tree::{Directive, Node, Place, Section, Tree, Word};
