//! Reading a configuration as Apache reads it, on the machine that it is from or on another.
//!
//! ```text
//! PATH ──▶ input: file | folder | dump ──▶ lines ──▶ words ──▶ carried out (Define, If…, Include, Macro) ──▶ Tree
//! ```

mod build;
mod conditions;
mod dump;
mod glob;
mod includes;
mod input;
mod line;
mod macros;
mod options;
mod parts;
mod reader;
mod roots;
mod sections;
mod spent;
mod stop;
mod template;
mod uses;
mod variables;
mod words;

use std::path::Path;

use super::report::Report;
use super::tree::Tree;
pub use options::{MissingInclude, ReadOptions};
use stop::ReadStop;

/// The configuration at `path`: a file, a folder with a main file or with files of sites, or what
/// `apachectl -t -D DUMP_CONFIG` printed. Adds to `report` what is odd about it. None if it cannot be read or Apache would
/// refuse it; then the report says where and why.
#[must_use]
pub fn read(path: &Path, options: &ReadOptions, report: &mut Report) -> Option<Tree> {
    let tree = input::read(path, options, report);
    told(tree, report)
}

/// The configuration in `bytes`, as if a file at `path` held them.
#[must_use]
pub fn parse(bytes: &[u8], path: &Path, options: &ReadOptions, report: &mut Report) -> Option<Tree> {
    let tree = input::parse(bytes, path, options, report);
    told(tree, report)
}

fn told(tree: Result<Tree, ReadStop>, report: &mut Report) -> Option<Tree> {
    tree.map_err(|failure| report.refuse(&failure.place, failure.what, failure.remedy)).ok()
}

#[cfg(test)]
mod tests;
