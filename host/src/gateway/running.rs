//! The running set: the generation that serves, with its sockets, probes and names. One way to replace it.
//!
//! ```text
//! turn ─▶ is it draining? ─▶ prepare (may fail) ─▶ commit (cannot) ─▶ names, sockets and probes follow
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::generation::Generation;
use super::generations::Generations;
use super::history::ReplacementCause;
use super::listeners::Listeners;
use super::names::EndpointNames;
use super::prepare::Prepared;
use super::probing::Probing;
use super::services::Services;
use super::tables::PluginTables;
use crate::proxy::ListenerKey;

/// Whatever is another when another generation serves.
#[derive(Debug)]
pub(super) struct RunningSet {
    pub(super) services: Arc<Services>,
    pub(super) generations: Arc<Generations>,
    pub(super) listeners: Listeners,
    pub(super) probing: Probing,
    pub(super) names: EndpointNames,
    pub(super) tables: PluginTables,
}

/// What a replacement is prepared from.
pub(super) struct Basis {
    pub(super) live: Arc<Generation>,
    /// The number that a new generation gets.
    pub(super) number: u64,
    /// The sockets that need not be bound.
    pub(super) open: BTreeSet<ListenerKey>,
}

/// A generation that is to take the place of the live one.
#[derive(Debug)]
pub(super) struct Replacement {
    pub(super) prepared: Prepared,
    pub(super) cause: ReplacementCause,
}

/// What came of [`RunningSet::replace_with`].
#[derive(Debug)]
pub(super) enum ReplacementOutcome {
    /// Nothing had to change.
    Unchanged(Arc<Generation>),
    /// This one went live.
    Replaced(Arc<Generation>),
}

/// The gateway is ending: nothing is replaced any more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the gateway is draining")]
pub(super) struct Draining;

impl RunningSet {
    /// Puts what `prepare` makes in the place of the live generation; if that is none, nothing happens. One replacement
    /// at a time: of two at once, the later prepares later and stays. Requests in flight finish under the generation
    /// they began with, and tunnels notice nothing. Blocks.
    pub(super) fn replace_with<E: From<Draining>>(
        &self,
        prepare: impl FnOnce(&Basis) -> Result<Option<Replacement>, E>,
    ) -> Result<ReplacementOutcome, E> {
        let mut turn = self.generations.turn();
        if self.services.drain.has_started() {
            return Err(Draining.into());
        }
        let live = Arc::clone(&self.generations.live());
        let basis = Basis { live, number: turn.next_number(), open: self.listeners.keys() };
        let replacement = match prepare(&basis) {
            Ok(replacement) => replacement,
            Err(error) => {
                // It may have asked for names that are not to be followed.
                self.names.follow(&basis.live);
                return Err(error);
            }
        };
        let Some(Replacement { prepared, cause }) = replacement else {
            return Ok(ReplacementOutcome::Unchanged(basis.live));
        };
        let (generation, sockets) = prepared.into_parts();
        self.listeners.adopt(sockets);
        take_over(&generation, &basis.live, self.services.registry.clock().now());
        let record = turn.commit(&generation, cause);
        self.services.observers.metrics.set_generation(generation.id);
        self.follow(&generation);
        tracing::info!(generation = record.id, changes = record.changes.join(", "), "generation is live");
        Ok(ReplacementOutcome::Replaced(generation))
    }

    /// Begins to accept connections and to probe endpoints.
    pub(super) fn start(&self) {
        let live = self.generations.live();
        self.probing.follow(&live);
        self.tables.follow(&live);
        self.listeners.start();
    }

    fn follow(&self, generation: &Generation) {
        self.names.follow(generation);
        self.listeners.follow(generation);
        self.tables.follow(generation);
        if self.listeners.have_started() {
            self.probing.follow(generation);
        }
    }
}

impl ReplacementOutcome {
    /// The generation that serves after it.
    pub(super) fn live(self) -> Arc<Generation> {
        match self {
            Self::Unchanged(live) | Self::Replaced(live) => live,
        }
    }
}

/// The clusters of `generation` take the places of those of `before`, at `now`.
fn take_over(generation: &Generation, before: &Generation, now: Instant) {
    for (name, prepared) in &generation.clusters {
        prepared.cluster.take_over(before.cluster(name).map(|before| &*before.cluster), now);
    }
}
