//! The thread that writes lines: whoever has one leaves its bytes, the thread takes them in batches.
//!
//! ```text
//! push ──▶ pending bytes (bounded; beyond: dropped and counted) │ thread: ──▶ file, FIFO, pipe, terminal
//! ```
//!
//! A reader that has stopped stops only the thread. One that has left a FIFO may come back: what is pending waits.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Bytes that may wait; a line beyond is dropped. Some 10,000 lines.
const PENDING_LIMIT: usize = 4 << 20;
/// With so much waiting, the thread does not gather any longer.
const BATCH: usize = 64 << 10;
/// A buffer that grew beyond this in a burst is given back.
const KEEP: usize = 256 << 10;
/// Longest wait for the last bytes when a writer closes: a stuck pipe must not hold the process.
pub(super) const LAST_WAIT: Duration = Duration::from_secs(1);
/// Pauses before a full pipe is tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Where the bytes go.
pub(super) type Sink = Box<dyn Write + Send>;

/// Opens the sink again, after its file was moved away.
pub(super) type Reopen = Box<dyn Fn() -> io::Result<Sink> + Send>;

/// Standard output or error, as a descriptor of our own: no lock of the library's is held while a reader is waited for.
pub(super) fn standard(stream: &impl AsFd) -> io::Result<Sink> {
    Ok(Box::new(File::from(stream.as_fd().try_clone_to_owned()?)))
}

/// A way to write lines.
pub(super) struct WriterPlan {
    /// Of the thread and of the log.
    pub(super) name: &'static str,
    pub(super) sink: Sink,
    /// None: there is only this sink.
    pub(super) reopen: Option<Reopen>,
    /// How long lines are gathered, so that many cost one system call.
    pub(super) gather: Duration,
}

/// The end of those who have lines. Dropping it writes out what is pending, for at most [`LAST_WAIT`].
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
    /// Nothing is pending or being written, or the thread has ended.
    settled: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct QueueState {
    pending: Vec<u8>,
    writing: bool,
    /// Another sink is wanted, from this byte of what is pending.
    reopen: Option<usize>,
    closed: Option<Instant>,
    ended: bool,
}

/// A sink, and whether the last line in it broke off.
struct OpenSink {
    sink: Sink,
    torn: bool,
}

/// What is done where a sink is full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenFull {
    Wait,
    GiveUp,
}

impl QueueState {
    fn is_settled(&self) -> bool {
        self.ended || (self.pending.is_empty() && !self.writing)
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(plan: WriterPlan) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let theirs = Arc::clone(&queue);
        thread::Builder::new().name(plan.name.to_owned()).spawn(move || theirs.run(plan))?;
        Ok(Self { queue })
    }

    /// Leaves one line, newline included.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.queue.state.lock();
        let before = state.pending.len();
        let after = before.saturating_add(line.len());
        if after > PENDING_LIMIT {
            drop(state);
            self.queue.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.pending.extend_from_slice(line);
        drop(state);
        if before == 0 || (before < BATCH && after >= BATCH) {
            self.queue.wake.notify_one();
        }
    }

    /// What was left so far goes to the old sink, the rest to one that is opened now. If that fails, the log says so,
    /// and all goes on to the old one.
    pub(super) fn reopen(&self) {
        let mut state = self.queue.state.lock();
        let from = state.pending.len();
        state.reopen.get_or_insert(from);
        drop(state);
        self.queue.wake.notify_one();
    }

    /// Waits until all that was left is written, but no longer than `within`.
    pub(super) fn flush(&self, within: Duration) {
        let until = Instant::now() + within;
        let mut state = self.queue.state.lock();
        self.queue.wake.notify_one();
        while !state.is_settled() && !self.queue.settled.wait_until(&mut state, until).timed_out() {}
    }

    /// Lines lost so far.
    pub(super) fn dropped(&self) -> u64 {
        self.queue.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.state.lock().closed = Some(Instant::now());
        self.flush(LAST_WAIT);
    }
}

impl Queue {
    fn run(&self, plan: WriterPlan) {
        let WriterPlan { name, sink, reopen, gather } = plan;
        let mut open = OpenSink { sink, torn: false };
        let mut batch = Vec::new();
        loop {
            let mut state = self.state.lock();
            state.writing = false;
            if state.is_settled() {
                self.settled.notify_all();
            }
            while state.pending.is_empty() && state.reopen.is_none() && state.closed.is_none() {
                self.wake.wait(&mut state);
            }
            if state.pending.len() < BATCH && state.reopen.is_none() && state.closed.is_none() && !gather.is_zero() {
                self.wake.wait_for(&mut state, gather);
            }
            std::mem::swap(&mut state.pending, &mut batch);
            state.writing = true;
            let (anew, closed) = (state.reopen.take(), state.closed.is_some());
            drop(state);

            let (before, after) = batch.split_at_checked(anew.unwrap_or(batch.len())).unwrap_or((&batch, &[]));
            self.put(&mut open, before, if anew.is_some() { WhenFull::GiveUp } else { WhenFull::Wait });
            if anew.is_some()
                && let Some(reopen) = &reopen
            {
                match reopen() {
                    Ok(sink) => open = OpenSink { sink, torn: false },
                    Err(error) => tracing::error!(log = name, %error, "log cannot be opened anew"),
                }
            }
            self.put(&mut open, after, WhenFull::Wait);
            batch.clear();
            batch.shrink_to(KEEP);
            if closed {
                let mut state = self.state.lock();
                state.ended = true;
                self.settled.notify_all();
                return;
            }
        }
    }

    /// Writes whole lines, and counts those that could not be.
    fn put(&self, open: &mut OpenSink, lines: &[u8], full: WhenFull) {
        if open.torn && !lines.is_empty() {
            // What is left of a line that broke off must not swallow the next one.
            open.torn = self.write(&mut open.sink, b"\n", full) == 0;
        }
        let written = if open.torn { 0 } else { self.write(&mut open.sink, lines, full) };
        let (done, left) = lines.split_at_checked(written).unwrap_or((lines, &[]));
        open.torn |= !done.is_empty() && !done.ends_with(b"\n");
        self.dropped.fetch_add(memchr::memchr_iter(b'\n', left).count() as u64, Ordering::Relaxed);
    }

    /// Writes `bytes`, and returns how many of them. Where the sink is full it waits, if it may, until
    /// another sink or an end is asked for.
    fn write(&self, sink: &mut Sink, bytes: &[u8], full: WhenFull) -> usize {
        let (mut rest, mut pause) = (bytes, PAUSES.0);
        while !rest.is_empty() {
            match sink.write(rest) {
                Ok(written @ 1..) => {
                    rest = rest.get(written..).unwrap_or_default();
                    pause = PAUSES.0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && full == WhenFull::Wait => {
                    let mut state = self.state.lock();
                    if state.reopen.is_some() || state.closed.is_some_and(|closed| closed.elapsed() >= LAST_WAIT) {
                        break;
                    }
                    self.wait(&mut state, pause);
                    pause = pause.saturating_mul(2).min(PAUSES.1);
                }
                Ok(0) | Err(_) => break,
            }
        }
        bytes.len().saturating_sub(rest.len())
    }

    /// Waits so long, unless a new sink or the end is asked for; lines that come meanwhile change nothing.
    fn wait(&self, state: &mut MutexGuard<'_, QueueState>, pause: Duration) {
        let (until, closed) = (Instant::now() + pause, state.closed);
        while state.reopen.is_none() && state.closed == closed && !self.wake.wait_until(state, until).timed_out() {}
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("dropped", &self.dropped).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
