//! Changes while it runs: each makes a generation, and lasts as long as it is wanted.

use std::sync::Arc;

use tokio::time::Instant;

use super::Shared;
use super::commit::Cause;
use super::compose::Composed;
use super::generation::Generation;
use super::prepare::{PrepareError, vary};
use crate::cluster::Live;
use crate::config::{Change, ChangeError, Changes, ChangesFileError, Dropped, Edit, MemberChange};

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

/// What to change.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    /// One thing of one cluster.
    Edit(&'a str, &'a Edit),
    /// Everything back to what the file says.
    Nothing,
}

/// A change that was made.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) members: Vec<MemberChange>,
    pub(super) generation: u64,
    /// Whether it survives a restart.
    pub(super) persisted: bool,
}

/// An endpoint whose failures were forgotten.
#[derive(Debug)]
pub(super) struct Reset {
    pub(super) endpoint: String,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

impl Shared {
    /// Makes a change. Requests in flight finish under the generation they began with, and tunnels notice nothing.
    /// Blocks.
    pub(super) fn change(self: &Arc<Self>, wanted: &Wanted<'_>) -> Result<Changed, ChangeRefused> {
        let mut last = self.changing.lock();
        if self.base.drain.has_started() {
            return Err(ChangeRefused::Draining);
        }
        let current = self.current.load_full();
        let changes = match wanted {
            Wanted::Edit(cluster, edit) => current.changes.edited(&current.file, &current.config, cluster, edit)?,
            Wanted::Nothing => Changes::default(),
        };
        let composed = self.base.compose(current.file.clone(), &changes);
        let persist = self.base.persist.as_deref();
        if composed.used == *current.config && composed.changes == current.changes {
            return Ok(Changed { members: Vec::new(), generation: current.id, persisted: persist.is_some() });
        }
        let members = differences(&current, &composed);
        let said = members.iter().map(ToString::to_string).collect();
        let prepared = vary(&self.base, composed, *last + 1, &current);
        let prepared = prepared.inspect_err(|_refused| self.ask_for_names_of(&current))?;
        // Before the commit, which cannot fail: what an operator asked to be kept is kept, or not done.
        if let Some(path) = persist {
            prepared.changes().store(path).inspect_err(|_refused| self.ask_for_names_of(&current))?;
        }
        *last += 1;
        let generation = self.commit(prepared, Cause::Changed(said));
        self.ask_for_names_of(&generation);
        Ok(Changed { members, generation: generation.id, persisted: persist.is_some() })
    }

    /// Forgets the failures of an endpoint, of all addresses of a name, or of all of a cluster.
    pub(super) fn reset(&self, cluster: &str, url: Option<&str>) -> Result<(u64, Vec<Reset>), ChangeError> {
        let generation = self.current.load_full();
        let meant = generation.changes.apply(&generation.file).config;
        let used = &*generation.config;
        let url = url.map(|url| Changes::find(&meant, used, cluster, url)).transpose()?.map(|found| found.url.clone());
        let (Some(kept), Some(of)) =
            (generation.clusters.get(cluster), used.clusters.iter().find(|known| known.name == cluster))
        else {
            let known = used.clusters.iter().map(|known| known.name.clone()).collect();
            return Err(ChangeError::NoCluster { name: cluster.to_owned(), known });
        };
        let now = Instant::now();
        let health = |live: &Live| live.standing(now).as_str();
        let members = of.endpoints.iter().zip(kept.cluster.members());
        let wanted = members.filter(|(endpoint, _)| {
            url.as_ref().is_none_or(|url| endpoint.url == *url || endpoint.found_by.as_ref() == Some(url))
        });
        let reset = wanted.map(|(endpoint, member)| {
            let before = health(&member.live);
            member.live.reset();
            Reset { endpoint: endpoint.url.clone(), before, after: health(&member.live) }
        });
        Ok((generation.id, reset.collect()))
    }

    /// What runs besides what the file says, and what was given up when it was read last.
    pub(super) fn changes(&self) -> (Vec<Change>, Vec<Dropped>) {
        let generation = self.current.load_full();
        (generation.changes.list(&generation.file, &generation.config), self.dropped.lock().clone())
    }

    /// Says what of the kept changes runs, and writes them anew if some were given up.
    pub(super) fn kept_over_restart(&self) {
        let generation = self.current.load_full();
        let dropped = self.dropped.lock().clone();
        tell(&generation, &dropped);
        if let Some(path) = self.base.persist.as_deref().filter(|_| !dropped.is_empty())
            && let Err(error) = generation.changes.store(path)
        {
            tracing::error!(%error, "runtime changes are not kept");
        }
    }

    /// Says what is laid over the file that `generation` came from, and keeps it.
    pub(super) fn laid_over(&self, generation: &Generation, before: &Generation, dropped: Vec<Dropped>) {
        self.ask_for_names_of(generation);
        tell(generation, &dropped);
        *self.dropped.lock() = dropped;
        if let Some(path) = &self.base.persist
            && generation.changes != before.changes
            && let Err(error) = generation.changes.store(path)
        {
            tracing::error!(%error, "runtime changes are not kept");
        }
    }
}

/// Says what of the file is not what runs.
fn tell(generation: &Generation, dropped: &[Dropped]) {
    for Dropped { cluster, url, what, why } in dropped {
        tracing::warn!(cluster, endpoint = url, change = what, "runtime change dropped: {why}");
    }
    for Change { cluster, endpoint, change, file, runs, .. } in
        generation.changes.list(&generation.file, &generation.config)
    {
        let show = |said: Option<crate::config::Said>| {
            said.map_or_else(|| "-".to_owned(), |said| format!("{} {} {}", said.state, said.weight, said.group))
        };
        let (file, runs) = (show(file), show(runs));
        tracing::warn!(cluster, endpoint, change, file, runs, "runtime change stays over what the file says");
    }
}

/// What is different for members: those that are meant, and addresses whose settings are others.
fn differences(before: &Generation, after: &Composed) -> Vec<MemberChange> {
    let meant = |file, changes: &Changes| changes.apply(file).config;
    let (old, new) = (meant(&before.file, &before.changes), meant(&after.file, &after.changes));
    let mut all = MemberChange::between(&old, &new);
    let found = MemberChange::between(&before.config, &after.used).into_iter();
    let found = found.filter(|change| change.before.is_some() && change.after.is_some());
    let found: Vec<_> = found.filter(|change| !all.contains(change)).collect();
    all.extend(found);
    all
}
