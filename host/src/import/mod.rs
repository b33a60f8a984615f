//! Configurations of other servers, turned into this gateway's.
//!
//! ```text
//! PATH ──▶ read ──▶ Tree ──▶ translate ──▶ draft ──▶ write ──▶ TOML
//!            └─────────────────┴──▶ Report: each line that was refused, changed or dropped, and why
//! ```

mod draft;
mod read;
mod report;
mod translate;
mod tree;
mod write;

pub use draft::Draft;
pub use read::{MissingInclude, ReadOptions, parse, read};
pub use report::{Finding, Report, Severity};
pub use translate::{ImportOptions, translate};
pub use tree::{Directive, Node, Place, Section, Tree, Word};
pub use write::write;
