//! Changes while it runs: each makes a generation, and lasts as long as it is wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::composed::Composed;
use super::error::PrepareError;
use super::generation::Generation;
use super::history::ReplacementCause;
use super::prepare::prepare_members;
use super::running::{Draining, Replacement, RunningSet};
use crate::config::{self, Change, ChangeError, Changes, ChangesFileError, Dropped, Edit, MemberChange};

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefused {
    /// It cannot be.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// It cannot be served.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// It could not be kept.
    #[error(transparent)]
    Persist(#[from] ChangesFileError),
    /// The gateway is ending.
    #[error("the gateway is draining")]
    Draining,
}

impl From<Draining> for ChangeRefused {
    fn from(_draining: Draining) -> Self {
        Self::Draining
    }
}

/// What to change.
#[derive(Debug)]
pub(super) enum ChangeRequest<'a> {
    /// One thing of one cluster.
    Edit(&'a str, &'a Edit),
    /// Everything back to what the file says.
    UndoAll,
}

/// A change that was made.
#[derive(Debug)]
pub(super) struct ChangeOutcome {
    pub(super) members: Vec<MemberChange>,
    pub(super) generation: u64,
    /// Whether it survives a restart.
    pub(super) persisted: bool,
}

/// What operators changed over the file, while it runs and over restarts.
#[derive(Debug)]
pub(super) struct RuntimeChanges {
    set: Arc<RunningSet>,
    /// Where they are kept over restarts; without one, a restart forgets them.
    path: Option<PathBuf>,
    /// Those that were given up when a file was read last.
    dropped: Mutex<Vec<Dropped>>,
}

/// Those that are kept in `path` for a configuration in `folder`; none without a path.
pub(super) fn load(path: Option<&Path>, folder: &Path) -> Result<Changes, ChangesFileError> {
    Ok(path.map(|path| Changes::load(path, folder)).transpose()?.unwrap_or_default())
}

impl RuntimeChanges {
    /// Begins with those of the live generation.
    pub(super) fn new(set: Arc<RunningSet>, path: Option<PathBuf>) -> Self {
        let dropped = set.generations.live().composed.dropped.clone();
        Self { set, path, dropped: Mutex::new(dropped) }
    }

    /// Makes a change. Blocks.
    pub(super) fn make(&self, request: &ChangeRequest<'_>) -> Result<ChangeOutcome, ChangeRefused> {
        let mut members = Vec::new();
        let outcome = self.set.replace_with(|basis| -> Result<_, ChangeRefused> {
            let live = &*basis.live;
            let changes = match request {
                ChangeRequest::Edit(cluster, edit) => {
                    live.changes().edited(live.file(), live.config(), cluster, edit)?
                }
                ChangeRequest::UndoAll => Changes::default(),
            };
            let composed = self.set.names.compose(live.file().clone(), &changes);
            if composed.used == *live.config() && composed.changes == *live.changes() {
                return Ok(None);
            }
            members = differences(live, &composed);
            let cause = ReplacementCause::Changed(members.iter().map(ToString::to_string).collect());
            let prepared = prepare_members(&self.set.services, composed, basis.number, live, &basis.open)?;
            // Before the commit, which cannot fail: what an operator asked to be kept is kept, or not done.
            if let Some(path) = &self.path {
                prepared.changes().store(path)?;
            }
            Ok(Some(Replacement { prepared, cause }))
        })?;
        Ok(ChangeOutcome { members, generation: outcome.live().id, persisted: self.path.is_some() })
    }

    /// The changes that hold, and those that were given up when the file was read last.
    pub(super) fn list(&self) -> (Vec<Change>, Vec<Dropped>) {
        (list(&self.set.generations.live()), self.dropped.lock().clone())
    }

    /// Where they are kept over restarts.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Logs which of the kept changes hold after a restart, and writes them anew if some were given up.
    pub(super) fn report_kept(&self) {
        let live = self.set.generations.live();
        log_overrides(&live, &live.composed.dropped);
        if !live.composed.dropped.is_empty() {
            self.store(live.changes());
        }
    }

    /// Keeps `changes`, with which another file is about to go live in the place of `before`. If they cannot be
    /// written, that is logged, and the file goes live all the same. `dropped` are those that do not hold any more.
    pub(super) fn follow(&self, changes: &Changes, before: &Generation, dropped: &[Dropped]) {
        dropped.clone_into(&mut self.dropped.lock());
        if *changes != **before.changes() {
            self.store(changes);
        }
    }

    fn store(&self, changes: &Changes) {
        if let Some(path) = &self.path
            && let Err(error) = changes.store(path)
        {
            tracing::error!(%error, "runtime changes are not kept");
        }
    }
}

/// Logs the runtime changes that lie over the file of `generation`, and those that were given up.
pub(super) fn log_overrides(generation: &Generation, dropped: &[Dropped]) {
    for Dropped { cluster, url, what, why } in dropped {
        tracing::warn!(cluster, endpoint = url, change = what, "runtime change dropped: {why}");
    }
    for Change { cluster, endpoint, change, file, runs, .. } in list(generation) {
        let show = |settings: Option<config::Said>| {
            settings.map_or_else(|| "-".to_owned(), |one| format!("{} {} {}", one.state, one.weight, one.group))
        };
        let (file, runs) = (show(file), show(runs));
        tracing::warn!(cluster, endpoint, change, file, runs, "runtime change stays over what the file says");
    }
}

fn list(generation: &Generation) -> Vec<Change> {
    generation.changes().list(generation.file(), generation.config())
}

/// What is different for members: those that are meant, and addresses whose settings are others.
fn differences(before: &Generation, after: &Composed) -> Vec<MemberChange> {
    let meant = |file, changes: &Changes| changes.apply(file).config;
    let (old, new) = (meant(before.file(), before.changes()), meant(&after.file, &after.changes));
    let mut all = MemberChange::between(&old, &new);
    let found = MemberChange::between(before.config(), &after.used).into_iter();
    let found = found.filter(|change| change.before.is_some() && change.after.is_some());
    let found: Vec<_> = found.filter(|change| !all.contains(change)).collect();
    all.extend(found);
    all
}
