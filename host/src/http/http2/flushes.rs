//! Waiting until a connection has written what it holds.

use std::task::{Context, Poll, Waker};

/// How often all has gone out that could, and who waits for the next time.
#[derive(Debug, Default)]
pub(super) struct Flushes {
    count: u64,
    waiting: Vec<Waker>,
}

impl Flushes {
    /// Ready once all has gone out since the first poll, whose `since` is none.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, since: &mut Option<u64>) -> Poll<()> {
        if self.count > *since.get_or_insert(self.count) {
            return Poll::Ready(());
        }
        self.waiting.push(cx.waker().clone());
        Poll::Pending
    }

    /// All has gone out that could.
    pub(super) fn done(&mut self) {
        if !self.waiting.is_empty() {
            self.count += 1;
            self.waiting.drain(..).for_each(Waker::wake);
        }
    }
}
