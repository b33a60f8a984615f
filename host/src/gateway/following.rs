//! Names of endpoints, followed: when they have other addresses, another generation is made.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::error::PrepareError;
use super::history::ReplacementCause;
use super::names::WORKER;
use super::prepare::prepare_members;
use super::running::{Draining, Replacement, RunningSet};
use crate::config::MemberChange;
use crate::discovery::Follower;
use crate::lifecycle;

/// Shortest time between two generations that names make, however they flap.
const BETWEEN: Duration = Duration::from_secs(1);

/// Asks for the names of the live generation from now on, until the gateway ends.
pub(super) fn follow_names(set: &Arc<RunningSet>) {
    set.names.follow(&set.generations.live());
    let (running, drain) = (Arc::downgrade(set), set.services.drain.clone());
    let follower = set.names.follower();
    set.services.workers.run_on(WORKER, move || {
        lifecycle::spawn(async move {
            tokio::select! {
                () = drain.started() => {}
                () = follow(running, follower) => {}
            }
        });
    });
}

async fn follow(set: Weak<RunningSet>, mut follower: Follower) {
    let mut next = Instant::now();
    loop {
        follower.changed().await;
        tokio::time::sleep_until(next).await;
        let Some(set) = set.upgrade() else { return };
        // Balancers are configured anew, which may take a while: others wait for this worker.
        let made = tokio::task::spawn_blocking(move || names_changed(&set)).await;
        if let Err(error) = made {
            tracing::error!(%error, "names could not be followed");
        }
        next = Instant::now() + BETWEEN;
    }
}

/// Why no generation was made.
#[derive(Debug)]
enum NamesError {
    Prepare(PrepareError),
    Draining,
}

impl From<PrepareError> for NamesError {
    fn from(error: PrepareError) -> Self {
        Self::Prepare(error)
    }
}

impl From<Draining> for NamesError {
    fn from(_draining: Draining) -> Self {
        Self::Draining
    }
}

/// Makes a generation of what is known now, if that is something else than what is served.
fn names_changed(set: &RunningSet) {
    let replaced = set.replace_with(|basis| -> Result<_, NamesError> {
        let composed = set.names.compose_anew(&basis.live);
        if composed.used == *basis.live.config() {
            return Ok(None);
        }
        let members = MemberChange::between(basis.live.config(), &composed.used);
        let cause = ReplacementCause::Names(members.iter().map(ToString::to_string).collect());
        let prepared = prepare_members(&set.services, composed, basis.number, &basis.live, &basis.open)?;
        Ok(Some(Replacement { prepared, cause }))
    });
    match replaced {
        Ok(_) | Err(NamesError::Draining) => {}
        Err(NamesError::Prepare(error)) => {
            tracing::error!(%error, "names have other addresses, which cannot be served; nothing changed");
        }
    }
}
