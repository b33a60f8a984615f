//! What responses of the gateway's own show in place of a sentence.

use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Pages, the first of which counts that is for a status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorPagesConfig {
    /// Those of a route come before the gateway's, and those for one status before those for a class.
    pub pages: Vec<ErrorPageConfig>,
    /// Whether endpoints' responses show them as well. Default off.
    pub intercept: bool,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPageConfig {
    /// What it is for, within 400 to 599.
    pub statuses: RangeInclusive<u16>,
    /// Where its content is, at most 1 MiB.
    pub file: PathBuf,
    /// Media type, by the name of the file.
    pub content_type: &'static str,
}
