//! What a configuration file, runtime changes and resolved names amount to.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::{Changes, Config, Dropped};
use crate::discovery::{self, KnownNames, Name};

/// `file ⊕ changes ⊕ names`, with what it was made from.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    pub(super) file: Arc<Config>,
    /// Those that hold.
    pub(super) changes: Arc<Changes>,
    pub(super) known: Arc<KnownNames>,
    /// What must be asked for.
    pub(super) names: Arc<BTreeSet<Name>>,
    /// What is to be served.
    pub(super) used: Arc<Config>,
    /// Changes that do not hold any more.
    pub(super) dropped: Vec<Dropped>,
}

impl Composed {
    pub(super) fn new(file: Arc<Config>, changes: &Changes, known: KnownNames) -> Self {
        let applied = changes.apply(&file);
        let used = Arc::new(discovery::expand(&applied.config, &known, &applied.changes));
        let names = Arc::new(discovery::names(&applied.config));
        let (changes, known) = (Arc::new(applied.changes), Arc::new(known));
        Self { file, changes, known, names, used, dropped: applied.dropped }
    }
}
