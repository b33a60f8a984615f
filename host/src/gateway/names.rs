//! Names of endpoints: what a configuration amounts to with them, and which are asked for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::composed::Composed;
use super::generation::Generation;
use crate::config::{Changes, Config};
use crate::discovery::{self, Discovery, Follower, KnownNames, Name};
use crate::lifecycle::{self, Workers};

/// How long a start or a change waits for names that have not been asked for yet. Then they are dialled by name, until
/// their addresses are known.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where names are asked for: what a lookup opens belongs to the runtime that it began on.
pub(super) const WORKER: usize = 0;

/// The names of the generation that serves, and of the one that is being prepared.
#[derive(Debug)]
pub(super) struct EndpointNames {
    discovery: Arc<Discovery>,
    workers: Workers,
}

impl EndpointNames {
    pub(super) fn new(discovery: Arc<Discovery>, workers: Workers) -> Self {
        Self { discovery, workers }
    }

    /// What `file` with `changes` amounts to, new names asked for. Blocks.
    pub(super) fn compose(&self, file: Arc<Config>, changes: &Changes) -> Composed {
        self.resolve_missing(discovery::names(&changes.apply(&file).config));
        Composed::new(file, changes, self.discovery.known())
    }

    /// What the file and the changes of `generation` amount to now.
    pub(super) fn compose_anew(&self, generation: &Generation) -> Composed {
        Composed::new(generation.file().clone(), generation.changes(), self.discovery.known())
    }

    /// Asks the servers that `file` names from now on.
    pub(super) fn use_servers(&self, file: &Config) {
        self.discovery.use_servers(&file.gateway.resolver);
    }

    /// Asks for the names of `generation` from now on, and for no others.
    pub(super) fn follow(&self, generation: &Generation) {
        self.use_servers(generation.file());
        self.discovery.want(&generation.composed.names, &generation.composed.known);
    }

    /// What is known now.
    pub(super) fn known(&self) -> KnownNames {
        self.discovery.known()
    }

    /// Begins to ask, and to go on asking.
    pub(super) fn follower(&self) -> Follower {
        self.discovery.follow()
    }

    fn resolve_missing(&self, names: BTreeSet<Name>) {
        if names.is_empty() {
            return;
        }
        let discovery = self.discovery.clone();
        let (done, wait) = std::sync::mpsc::channel();
        self.workers.run_on(WORKER, move || {
            lifecycle::spawn(async move {
                discovery.resolve_missing(&names, PATIENCE).await;
                // Whoever waited is gone if it took too long.
                let _gone = done.send(());
            });
        });
        // Somewhat longer: a worker may have other things to do.
        let _not_in_time = wait.recv_timeout(2 * PATIENCE);
    }
}
