//! Names of endpoints, followed: when they have other addresses, another generation is made.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::commit::Cause;
use super::compose::Composed;
use super::generation::Generation;
use super::prepare::vary;
use super::{Base, Shared};
use crate::config::{Changes, Config, MemberChange};
use crate::discovery::{self, Follower, Name};
use crate::lifecycle;

/// How long a start or a change waits for names that nobody has asked for yet. Then they are dialled by name, until their
/// addresses are known.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shortest time between two generations that names make, however they flap.
const BETWEEN: Duration = Duration::from_secs(1);

/// Where names are asked for: what a lookup opens belongs to the runtime that it began on.
const WORKER: usize = 0;

impl Base {
    /// What `file` with `changes` amounts to, new names asked for. Blocks.
    pub(super) fn compose(&self, file: Arc<Config>, changes: &Changes) -> Composed {
        let names = discovery::names(&changes.apply(&file).config);
        self.meet(names);
        Composed::new(file, changes, self.discovery.known())
    }

    fn meet(&self, names: BTreeSet<Name>) {
        if names.is_empty() {
            return;
        }
        let discovery = self.discovery.clone();
        let (tell, told) = std::sync::mpsc::channel();
        self.workers.run_on(WORKER, move || {
            lifecycle::spawn(async move {
                discovery.meet(&names, PATIENCE).await;
                // Nobody waits any more if it took too long.
                let _gone = tell.send(());
            });
        });
        // Somewhat longer: a worker may have other things to do.
        let _not_in_time = told.recv_timeout(2 * PATIENCE);
    }
}

impl Shared {
    /// Asks for the names of `generation` from now on, and for no others.
    pub(super) fn ask_for_names_of(&self, generation: &Generation) {
        self.base.discovery.use_servers(&generation.file.gateway.resolver);
        self.base.discovery.want(&generation.names, &generation.known);
    }

    /// Goes on asking until the gateway ends.
    pub(super) fn follow_names(self: &Arc<Self>) {
        self.ask_for_names_of(&self.current.load());
        let (shared, drain) = (Arc::downgrade(self), self.base.drain.clone());
        let follower = self.base.discovery.follow();
        self.base.workers.run_on(WORKER, move || {
            lifecycle::spawn(async move {
                tokio::select! {
                    () = drain.started() => {}
                    () = follow(shared, follower) => {}
                }
            });
        });
    }

    /// Makes a generation of what is known now, if that is something else than what is served.
    fn names_changed(self: &Arc<Self>) {
        let mut last = self.changing.lock();
        if self.base.drain.has_started() {
            return;
        }
        let current = self.current.load_full();
        let composed = Composed::new(current.file.clone(), &current.changes, self.base.discovery.known());
        if composed.used == *current.config {
            return;
        }
        let said = MemberChange::between(&current.config, &composed.used).iter().map(ToString::to_string).collect();
        match vary(&self.base, composed, *last + 1, &current) {
            Ok(prepared) => {
                *last += 1;
                self.commit(prepared, Cause::Names(said));
            }
            Err(error) => {
                tracing::error!(%error, "names have other addresses, which cannot be served; nothing changed")
            }
        }
    }
}

async fn follow(shared: Weak<Shared>, mut follower: Follower) {
    let mut next = Instant::now();
    loop {
        follower.changed().await;
        tokio::time::sleep_until(next).await;
        let Some(shared) = shared.upgrade() else { return };
        // Balancers are configured anew, which may take a while: others wait for this worker.
        let made = tokio::task::spawn_blocking(move || shared.names_changed()).await;
        if let Err(error) = made {
            tracing::error!(%error, "names could not be followed");
        }
        next = Instant::now() + BETWEEN;
    }
}
