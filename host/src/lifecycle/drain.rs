//! One signal that everything which must end listens to.

use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::WorkerId;

/// The end of the gateway, in two steps: *started* asks connections and tunnels to finish, *deadline* cuts them off.
/// Tunnels do not all finish when they are asked, but each at a moment of its own: see [`Drain::moment`].
///
/// Cloning is cheap. Tasks that must be waited for are spawned through [`Drain::spawn`].
#[derive(Clone, Debug)]
pub struct Drain {
    signals: Arc<DrainSignals>,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct DrainSignals {
    started: DrainSignal,
    deadline: DrainSignal,
    /// From the start on.
    spread: OnceLock<DrainSpread>,
}

/// The time over which tunnels are closed.
#[derive(Clone, Copy, Debug)]
struct DrainSpread {
    from: Instant,
    over: Duration,
}

/// Something that happens once, and that every connection waits for.
///
/// Connections register with their own worker's token: with one for all, workers would wait for each other's lock at
/// every connection. The flag makes the usual case, "not yet", cost one load.
#[derive(Debug)]
struct DrainSignal {
    given: AtomicBool,
    tokens: Box<[CancellationToken]>,
}

impl DrainSignal {
    fn new(workers: NonZeroUsize) -> Self {
        let tokens = std::iter::repeat_with(CancellationToken::new).take(workers.get()).collect();
        Self { given: AtomicBool::new(false), tokens }
    }

    fn give(&self) {
        // First the flag: a task that a token wakes must see it.
        self.given.store(true, Release);
        for token in &self.tokens {
            token.cancel();
        }
    }

    fn is_given(&self) -> bool {
        self.given.load(Acquire)
    }

    /// Resolves when it is given. To be polled by one task only: later polls do not look at the waker again.
    async fn given(&self) {
        let worker = WorkerId::current().number() % self.tokens.len();
        let Some(token) = self.tokens.get(worker) else { return };
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
        let (started, deadline) = (DrainSignal::new(workers), DrainSignal::new(workers));
        let signals = Arc::new(DrainSignals { started, deadline, spread: OnceLock::new() });
        Self { signals, tasks: TaskTracker::new() }
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
        self.signals.started.given()
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.signals.started.is_given()
    }

    /// Whether what has not finished is cut off.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.signals.deadline.is_given()
    }

    /// When a tunnel is to be closed that draws `chance`, a number from 0 up to 1: that far into the time over which they
    /// are spread. None is at once, as it is where that moment has passed.
    #[must_use]
    pub fn moment(&self, chance: f64) -> Option<Instant> {
        let spread = self.signals.spread.get().filter(|spread| !spread.over.is_zero())?;
        let moment = spread.from + spread.over.mul_f64(chance.clamp(0.0, 1.0));
        (moment > Instant::now()).then_some(moment)
    }

    /// Resolves when what has not finished is to be cut off. To be polled by one task only.
    pub fn deadline(&self) -> impl Future<Output = ()> + '_ {
        self.signals.deadline.given()
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

    /// Asks all that it waits for to finish, tunnels too.
    pub fn begin(&self) {
        self.begin_over(Duration::ZERO);
    }

    /// Asks all that it waits for to finish, and tunnels to do so one after the other in the time that comes. Once it has
    /// begun, that time stays what it is.
    pub fn begin_over(&self, spread: Duration) {
        // First the spread: who sees the signal looks at it.
        _ = self.signals.spread.set(DrainSpread { from: Instant::now(), over: spread });
        self.signals.started.give();
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
        self.signals.deadline.give();
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn each_tunnel_has_a_moment_of_its_own_within_the_spread() {
        let drain = Drain::new(NonZeroUsize::MIN);
        let began = Instant::now();
        assert_eq!(drain.moment(0.5), None, "it has not begun");

        drain.begin_over(10 * SECOND);
        tokio::time::advance(4 * SECOND).await;

        for (chance, moment) in [(0.0, None), (0.3, None), (0.5, Some(5)), (0.75, Some(7)), (1.0, Some(10))] {
            let seconds = drain.moment(chance).map(|moment| (moment - began).as_secs());
            assert_eq!(seconds, moment, "{chance}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_begin_says_over_how_long() {
        for (first, then, moment) in [(0, 10, None), (10, 0, Some(5))] {
            let drain = Drain::new(NonZeroUsize::MIN);
            let began = Instant::now();

            drain.begin_over(first * SECOND);
            drain.begin_over(then * SECOND);
            drain.begin();

            assert_eq!(drain.moment(0.5).map(|moment| (moment - began).as_secs()), moment, "{first} {then}");
        }
    }
}
