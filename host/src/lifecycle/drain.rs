//! One signal that everything which must end listens to.

use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::task::Poll;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::WorkerId;

/// The end of the gateway, in two steps: *started* asks connections and tunnels to finish, *deadline* cuts them off.
///
/// Cloning is cheap. Tasks that must be waited for are spawned through [`Drain::spawn`].
#[derive(Clone, Debug)]
pub struct Drain {
    started: DrainSignal,
    deadline: DrainSignal,
    tasks: TaskTracker,
}

/// Something that happens once, and that every connection waits for.
///
/// Connections register with their own worker's token: with one for all, workers would wait for each other's lock at
/// every connection. The flag makes the usual case, "not yet", cost one load.
#[derive(Clone, Debug)]
struct DrainSignal(Arc<SignalState>);

#[derive(Debug)]
struct SignalState {
    given: AtomicBool,
    tokens: Box<[CancellationToken]>,
}

impl DrainSignal {
    fn new(workers: NonZeroUsize) -> Self {
        let tokens = std::iter::repeat_with(CancellationToken::new).take(workers.get()).collect();
        Self(Arc::new(SignalState { given: AtomicBool::new(false), tokens }))
    }

    fn give(&self) {
        // First the flag: a task that a token wakes must see it.
        self.0.given.store(true, Release);
        for token in &self.0.tokens {
            token.cancel();
        }
    }

    fn is_given(&self) -> bool {
        self.0.given.load(Acquire)
    }

    /// Resolves when it is given. To be polled by one task only: later polls do not look at the waker again.
    async fn given(&self) {
        let worker = WorkerId::current().number() % self.0.tokens.len();
        let Some(token) = self.0.tokens.get(worker) else { return };
        let mut waiting = pin!(token.cancelled());
        let mut registered = false;
        poll_fn(|cx| {
            if registered && !self.is_given() {
                return Poll::Pending;
            }
            registered = true;
            waiting.as_mut().poll(cx)
        })
        .await;
    }
}

impl Drain {
    /// A drain that has not begun, for a gateway of so many workers.
    #[must_use]
    pub fn new(workers: NonZeroUsize) -> Self {
        Self { started: DrainSignal::new(workers), deadline: DrainSignal::new(workers), tasks: TaskTracker::new() }
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

    /// Resolves when the drain begins. To be polled by one task only.
    pub fn started(&self) -> impl Future<Output = ()> + '_ {
        self.started.given()
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.started.is_given()
    }

    /// Whether what has not finished is cut off.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.deadline.is_given()
    }

    /// Resolves when what has not finished is to be cut off. To be polled by one task only.
    pub fn deadline(&self) -> impl Future<Output = ()> + '_ {
        self.deadline.given()
    }

    /// What `work` comes to; none if the deadline is first.
    pub async fn unless_cut<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut cut = pin!(self.deadline());
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => cut.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Asks all that it waits for to finish.
    pub fn begin(&self) {
        self.started.give();
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
        self.deadline.give();
    }

    /// Tasks that are not through.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.tasks.len()
    }
}

/// Spawns a task that no drain waits for, on the worker this is called on. It must end by itself soon after what it
/// serves: a connection's own task with its connection, a sweep with its pool.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}
