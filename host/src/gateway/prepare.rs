//! Everything that may fail before a generation goes live: files, certificates, plugins, sockets.
//!
//! Nothing here touches what runs. A failure leaves no trace but its message.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::composed::Composed;
use super::descriptors::shortage_of_descriptors;
use super::error::PrepareError;
use super::generation::Generation;
use super::log_names::unknown_log_names;
use super::parts::clusters;
use super::parts::deciders::Deciders;
use super::parts::files::NamedFiles;
use super::parts::from_files::FromFiles;
use super::parts::listeners::{self, NewSockets};
use super::parts::plugins::LoadedPlugins;
use super::services::Services;
use super::snapshot::snapshot;
use crate::config::Changes;
use crate::proxy::ListenerKey;

/// A generation that is ready to go live, and the sockets it needs beyond those that are open.
#[derive(Debug)]
#[must_use = "a prepared generation serves no request until it is committed"]
pub(super) struct Prepared {
    generation: Arc<Generation>,
    sockets: Vec<NewSockets>,
}

impl Prepared {
    /// The runtime changes in it.
    pub(super) fn changes(&self) -> &Changes {
        self.generation.changes()
    }

    pub(super) fn into_parts(self) -> (Arc<Generation>, Vec<NewSockets>) {
        (self.generation, self.sockets)
    }
}

/// Makes generation `id` of a configuration that was read anew, and of the `files` that it names. What has not changed
/// since `previous` is taken over. `open` are the sockets that need not be bound.
pub(super) fn prepare(
    services: &Services,
    composed: Composed,
    files: &NamedFiles,
    id: u64,
    previous: Option<&Generation>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Prepared, PrepareError> {
    let loaded = previous.map(|previous| LoadedPlugins {
        artifacts: &previous.from_files.artifacts,
        sections: &previous.composed.used.plugins,
    });
    let from_files = Arc::new(FromFiles::make(services, &composed.used, files, loaded)?);
    let prepared = assemble(services, composed, from_files, id, previous, open)?;
    let config = prepared.generation.config();
    for warning in config.warnings.iter().chain(&shortage_of_descriptors(config)).chain(&unknown_log_names(config)) {
        tracing::warn!("{warning}");
    }
    Ok(prepared)
}

/// Makes generation `id` of `previous` with other members in its clusters. No file is read: what has become of the
/// files since does not matter.
pub(super) fn prepare_members(
    services: &Services,
    composed: Composed,
    id: u64,
    previous: &Generation,
    open: &BTreeSet<ListenerKey>,
) -> Result<Prepared, PrepareError> {
    assemble(services, composed, previous.from_files.clone(), id, Some(previous), open)
}

/// Binds again what `generation` listens on and is not among `open`, so that it can go live once more.
pub(super) fn prepare_rollback(
    services: &Services,
    generation: Arc<Generation>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Prepared, PrepareError> {
    let sockets = listeners::bind(services, generation.from_files.listeners.keys(), open)?;
    Ok(Prepared { generation, sockets })
}

/// The one way in which a generation is made.
fn assemble(
    services: &Services,
    composed: Composed,
    from_files: Arc<FromFiles>,
    id: u64,
    previous: Option<&Generation>,
    open: &BTreeSet<ListenerKey>,
) -> Result<Prepared, PrepareError> {
    let config = &composed.used;
    let before = previous.map(|previous| &previous.deciders);
    let deciders = Deciders::prepare(services, config, &from_files, before)?;
    let sockets = listeners::bind(services, from_files.listeners.keys(), open)?;
    let mut warnings = from_files.warnings.clone();
    // Last, because it asks running balancers what their successors should know: the later, the fewer picks are
    // missing.
    let before = previous.map(|previous| &previous.clusters);
    let clusters = clusters::prepare(services, config, &from_files, before, &mut warnings)?;
    let snapshot = Arc::new(snapshot(services, config, id, &deciders, &clusters, &from_files));
    let digest = from_files.digest(config);
    let generation = Generation { id, digest, composed, from_files, deciders, clusters, snapshot, warnings };
    Ok(Prepared { generation: Arc::new(generation), sockets })
}
