//! What operators let plugins look up: a file of keys and values, swapped whole while instances go on.
//!
//! ```text
//! file ─▶ read (bounded) ─▶ TableContent::parse ─▶ one version: text + index ─┐
//!                             broken: the old version stays                   ├─▶ PluginTable ◀─ get ─ instances
//! PUT ──▶ parse ─▶ write the file ────────────────────────────────────────────┘
//! ```

mod content;
mod file;

pub use content::{MOST_TABLE_KEYS, TableContent, TableFault};
pub use file::{PluginTable, TableError, TableStatus};
