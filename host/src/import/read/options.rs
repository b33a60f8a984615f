//! What is read with beyond the files.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What Apache would know from its command line and its machine.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// `-D NAME` or `-D NAME=VALUE`: names that are defined, and what `${NAME}` stands for.
    pub defines: Vec<(String, Option<String>)>,
    /// The environment, for `${NAME}` that no Define sets.
    pub environment: BTreeMap<String, String>,
    /// What relative paths are relative to; none: what the configuration says, or the folder that it is in.
    pub server_root: Option<PathBuf>,
    /// What is done about files that an Include names and that cannot be read.
    pub missing_include: MissingInclude,
}

/// What is done about files that an Include names and that cannot be read. `IncludeOptional` is not meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingInclude {
    /// They are told, and the rest is read.
    #[default]
    Report,
    /// Nothing is read, as Apache does not start either.
    Error,
}
