//! One signal that everything which must end listens to.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The end of the gateway, in two steps: *started* asks everybody to finish, *deadline* no longer asks.
///
/// Cloning is cheap. Tasks that must be waited for are spawned through [`Drain::spawn`].
#[derive(Clone, Debug, Default)]
pub struct Drain {
    started: CancellationToken,
    deadline: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// A drain that nobody has begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Spawns a task that a drain waits for, on the worker this is called on. It must end soon after
    /// [`Self::deadline`].
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(self.tasks.track_future(task)));
    }

    /// Something that a drain waits for and that is no task yet. Dropping it ends the wait.
    pub fn hold(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Resolves when the drain begins.
    pub fn started(&self) -> impl Future<Output = ()> + '_ {
        self.started.cancelled()
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.started.is_cancelled()
    }

    /// Resolves when patience is at its end.
    pub fn deadline(&self) -> impl Future<Output = ()> + '_ {
        self.deadline.cancelled()
    }

    /// Asks everybody to finish.
    pub fn begin(&self) {
        self.started.cancel();
        self.tasks.close();
    }

    /// Waits until every task is through, or cuts them off after `patience`. Returns how many had to be cut.
    pub async fn finish(&self, patience: Duration) -> usize {
        self.begin();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_ok() {
            return 0;
        }
        let cut = self.tasks.len();
        self.cut();
        cut
    }

    /// Ends what is still there, now.
    pub fn cut(&self) {
        self.begin();
        self.deadline.cancel();
    }

    /// Tasks that are not through.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.tasks.len()
    }
}

/// Spawns a task that nobody waits for, on the worker this is called on. It must end by itself soon after what it serves:
/// a connection's own task with its connection, a sweep with its pool.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}
