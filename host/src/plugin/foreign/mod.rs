//! Files that were made for something else: what gives them away, and what their authors do about it.
//!
//! ```text
//! an import that no plugin gets ──▶ imports: the host or the tool that it belongs to ──╮
//! no role among the exports ──────▶ exports: a slip of the pen, or another contract ───┴─▶ "; what to do"
//! ```

mod exports;
mod imports;

pub(super) use exports::{Exported, export_remedy};
pub(super) use imports::{IMPORTS, SHORT, contract_remedy, import_remedy};
