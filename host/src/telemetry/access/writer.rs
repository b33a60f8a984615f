//! The thread that writes: workers leave bytes, it takes them in batches.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Bytes that may wait; a line beyond is dropped. Some 10,000 lines.
const PENDING_LIMIT: usize = 4 << 20;
/// With so much waiting, the thread does not gather any longer.
const BATCH: usize = 64 << 10;
/// A buffer that grew beyond this in a burst is given back.
const KEEP: usize = 256 << 10;
/// How long lines are gathered, so that a busy gateway pays one system call for many.
const GATHER: Duration = Duration::from_millis(10);
/// Longest wait for the last bytes when the log closes: a stuck pipe must not hold the process.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Where the bytes go.
pub(super) type Sink = Box<dyn Write + Send>;

/// The workers' end.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    finished: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    lines: u64,
    replacement: Option<Sink>,
    closed: bool,
    finished: bool,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(sink: Sink) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("access-log".to_owned()).spawn(move || theirs.run(sink))?;
        Ok(Self { shared })
    }

    /// Leaves one line, newline included.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.shared.state.lock();
        let before = state.pending.len();
        let after = before.saturating_add(line.len());
        if after > PENDING_LIMIT {
            drop(state);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.pending.extend_from_slice(line);
        state.lines = state.lines.saturating_add(1);
        drop(state);
        if before == 0 || (before < BATCH && after >= BATCH) {
            self.shared.wake.notify_one();
        }
    }

    /// What was left so far goes to the old sink, the rest to `sink`.
    pub(super) fn replace(&self, sink: Sink) {
        self.shared.state.lock().replacement = Some(sink);
        self.shared.wake.notify_one();
    }

    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        self.shared.wake.notify_one();
        if !state.finished {
            self.shared.finished.wait_for(&mut state, LAST_WAIT);
        }
    }
}

impl Shared {
    fn run(&self, mut sink: Sink) {
        let mut batch = Vec::new();
        loop {
            let mut state = self.state.lock();
            while state.pending.is_empty() && state.replacement.is_none() && !state.closed {
                self.wake.wait(&mut state);
            }
            if state.pending.len() < BATCH && state.replacement.is_none() && !state.closed {
                self.wake.wait_for(&mut state, GATHER);
            }
            std::mem::swap(&mut state.pending, &mut batch);
            let lines = std::mem::take(&mut state.lines);
            let replacement = state.replacement.take();
            let closed = state.closed;
            drop(state);

            if !batch.is_empty() && sink.write_all(&batch).and_then(|()| sink.flush()).is_err() {
                self.dropped.fetch_add(lines, Ordering::Relaxed);
            }
            batch.clear();
            batch.shrink_to(KEEP);
            if let Some(replacement) = replacement {
                sink = replacement;
            }
            if closed {
                self.state.lock().finished = true;
                self.finished.notify_all();
                return;
            }
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("dropped", &self.dropped).finish_non_exhaustive()
    }
}
