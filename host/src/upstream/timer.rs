//! How long an endpoint may take: one timer for each connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Thirty years: what tokio takes for never. More would overflow.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// One timer for all that a connection waits for. It is moved only when it would ring too late, or has rung too early:
/// putting a timer in for each request and taking it out again costs more than all that reading the clock for each.
#[derive(Debug)]
pub(super) struct LazyTimer {
    timer: Pin<Box<Sleep>>,
    due: Instant,
    allowed: Duration,
}

impl LazyTimer {
    /// Rings in `within` from now.
    pub(super) fn new(within: Duration) -> Self {
        let timer = Box::pin(tokio::time::sleep(within));
        let due = timer.deadline();
        Self { timer, due, allowed: within }
    }

    /// Rings in `within` from now, and not before.
    pub(super) fn allow(&mut self, within: Duration) {
        self.due = Instant::now() + within.min(LONGEST);
        self.allowed = within;
    }

    /// How long was allowed last.
    pub(super) fn allowed(&self) -> Duration {
        self.allowed
    }

    /// Ready once what was allowed is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.timer.deadline() > self.due {
                self.timer.as_mut().reset(self.due);
            }
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() == self.due {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.due);
        }
    }

    /// What `work` comes to; none if the timer rings first.
    pub(super) async fn race<T>(&mut self, mut work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll(cx).map(|()| None),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    async fn rings_after(timer: &mut LazyTimer) -> Duration {
        let began = Instant::now();
        poll_fn(|cx| timer.poll(cx)).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_allowed_last_counts() {
        let mut timer = LazyTimer::new(Duration::from_secs(5));
        assert_eq!(rings_after(&mut timer).await, Duration::from_secs(5));

        timer.allow(Duration::from_secs(60));
        assert_eq!(rings_after(&mut timer).await, Duration::from_secs(60), "later than before");

        timer.allow(Duration::from_secs(60));
        timer.allow(Duration::from_secs(2));
        assert_eq!(rings_after(&mut timer).await, Duration::from_secs(2), "earlier than before");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_too_long_comes_to_nothing() {
        let mut timer = LazyTimer::new(Duration::from_secs(5));
        assert_eq!(timer.race(pin!(tokio::time::sleep(Duration::from_secs(4)))).await, Some(()));
        assert_eq!(timer.race(pin!(tokio::time::sleep(Duration::from_secs(4)))).await, None);
    }
}
