//! The thread that writes lines: whoever has one leaves its bytes, the thread takes them in batches.
//!
//! ```text
//! push ──▶ pending bytes (bounded; beyond: dropped and counted) │ thread: ──▶ file, FIFO, pipe, terminal
//! ```
//!
//! A reader who has stopped stops nobody but the thread. One who has left a FIFO may come back: what is pending waits.

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
pub(super) struct Plan {
    /// Of the thread.
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
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Nothing is pending or being written, or the thread has ended.
    settled: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    writing: bool,
    /// Another sink is wanted, from this byte of what is pending.
    reopen: Option<usize>,
    closed: Option<Instant>,
    ended: bool,
}

/// A sink, and whether the last line in it broke off.
struct End {
    sink: Sink,
    torn: bool,
}

/// What is done where a sink is full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Full {
    Wait,
    GiveUp,
}

impl State {
    fn is_settled(&self) -> bool {
        self.ended || (self.pending.is_empty() && !self.writing)
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(plan: Plan) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name(plan.name.to_owned()).spawn(move || theirs.run(plan))?;
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
        drop(state);
        if before == 0 || (before < BATCH && after >= BATCH) {
            self.shared.wake.notify_one();
        }
    }

    /// What was left so far goes to the old sink, the rest to one that is opened now. If that fails, the log says so, and
    /// all goes on to the old one.
    pub(super) fn reopen(&self) {
        let mut state = self.shared.state.lock();
        let from = state.pending.len();
        state.reopen.get_or_insert(from);
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Waits until all that was left is written, but no longer than `within`.
    pub(super) fn flush(&self, within: Duration) {
        let until = Instant::now() + within;
        let mut state = self.shared.state.lock();
        self.shared.wake.notify_one();
        while !state.is_settled() && !self.shared.settled.wait_until(&mut state, until).timed_out() {}
    }

    /// Lines lost so far.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.state.lock().closed = Some(Instant::now());
        self.flush(LAST_WAIT);
    }
}

impl Shared {
    fn run(&self, plan: Plan) {
        let Plan { sink, reopen, gather, .. } = plan;
        let mut end = End { sink, torn: false };
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
            self.put(&mut end, before, if anew.is_some() { Full::GiveUp } else { Full::Wait });
            if anew.is_some()
                && let Some(open) = &reopen
            {
                match open() {
                    Ok(sink) => end = End { sink, torn: false },
                    Err(error) => tracing::error!(%error, "access log cannot be opened anew"),
                }
            }
            self.put(&mut end, after, Full::Wait);
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
    fn put(&self, end: &mut End, lines: &[u8], full: Full) {
        if end.torn && !lines.is_empty() {
            // What is left of a line that broke off must not swallow the next one.
            end.torn = self.write(&mut end.sink, b"\n", full) == 0;
        }
        let written = if end.torn { 0 } else { self.write(&mut end.sink, lines, full) };
        let (done, left) = lines.split_at_checked(written).unwrap_or((lines, &[]));
        end.torn |= !done.is_empty() && !done.ends_with(b"\n");
        self.dropped.fetch_add(memchr::memchr_iter(b'\n', left).count() as u64, Ordering::Relaxed);
    }

    /// Writes `bytes`, and returns how many of them. Where the sink is full it waits, if it may, until somebody wants
    /// another sink or an end.
    fn write(&self, sink: &mut Sink, bytes: &[u8], full: Full) -> usize {
        let (mut rest, mut pause) = (bytes, PAUSES.0);
        while !rest.is_empty() {
            match sink.write(rest) {
                Ok(written @ 1..) => {
                    rest = rest.get(written..).unwrap_or_default();
                    pause = PAUSES.0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && full == Full::Wait => {
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
    fn wait(&self, state: &mut MutexGuard<'_, State>, pause: Duration) {
        let (until, closed) = (Instant::now() + pause, state.closed);
        while state.reopen.is_none() && state.closed == closed && !self.wake.wait_until(state, until).timed_out() {}
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("dropped", &self.dropped).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn writer(sink: impl Write + Send + 'static, reopen: Option<Reopen>) -> Writer {
        Writer::start(Plan { name: "lines", sink: Box::new(sink), reopen, gather: Duration::ZERO }).unwrap()
    }

    /// Takes what it is given into one buffer, as often as it gets leave; without leave it is full.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<(usize, Vec<u8>)>>);

    impl Pipe {
        fn holds(&self, text: &str) -> bool {
            let limit = Instant::now() + LIMIT;
            while Instant::now() < limit {
                if self.0.lock().1 == text.as_bytes() {
                    return true;
                }
                thread::yield_now();
            }
            false
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut inner = self.0.lock();
            let taken = inner.0.min(bytes.len());
            inner.0 -= taken;
            inner.1.extend_from_slice(&bytes[..taken]);
            if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Stops whoever writes to it.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_slow_reader_cannot_take_is_counted() {
        let (release, gate) = channel();
        let writer = writer(Stuck(gate), None);

        let line = vec![b'x'; 1 << 20];
        for _ in 0..32 {
            writer.push(&line);
        }

        assert!(writer.dropped() >= 20, "at most a batch and the pending limit are held: {}", writer.dropped());
        drop(release);
    }

    #[test]
    fn what_is_full_is_written_on_where_it_stopped() {
        let pipe = Pipe::default();
        let writer = writer(pipe.clone(), None);

        writer.push(b"one\n");
        writer.push(b"two\n");
        pipe.0.lock().0 = 5;
        assert!(pipe.holds("one\nt"));
        pipe.0.lock().0 = 1000;

        assert!(pipe.holds("one\ntwo\n"));
        assert_eq!(writer.dropped(), 0);
    }

    #[test]
    fn a_full_sink_is_given_up_for_a_new_one_and_what_it_did_not_take_is_counted() {
        let (old, new) = (Pipe::default(), Pipe::default());
        new.0.lock().0 = 1000;
        let fresh = new.clone();
        let writer = writer(old.clone(), Some(Box::new(move || Ok(Box::new(fresh.clone()) as Sink))));
        old.0.lock().0 = 6;
        writer.push(b"one\ntwo\nthree\n");
        assert!(old.holds("one\ntw"));

        writer.reopen();
        writer.push(b"four\n");

        assert!(new.holds("four\n"), "a new file begins with a whole line");
        assert_eq!(writer.dropped(), 2);
    }

    #[test]
    fn a_line_that_broke_off_does_not_swallow_the_next() {
        struct Failing(Pipe, bool);
        impl Write for Failing {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                match self.0.write(bytes) {
                    Err(_full) if !std::mem::replace(&mut self.1, true) => Err(io::ErrorKind::StorageFull.into()),
                    other => other,
                }
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let pipe = Pipe::default();
        pipe.0.lock().0 = 2;
        let writer = writer(Failing(pipe.clone(), false), None);
        writer.push(b"first\n");
        assert!(pipe.holds("fi"));
        writer.flush(LIMIT);
        pipe.0.lock().0 = 1000;

        writer.push(b"second\n");

        assert!(pipe.holds("fi\nsecond\n"));
        assert_eq!(writer.dropped(), 1);
    }

    #[test]
    fn the_end_waits_for_what_is_pending_but_not_for_a_reader_who_has_stopped() {
        let pipe = Pipe::default();
        let first = writer(pipe.clone(), None);
        pipe.0.lock().0 = 1000;
        first.push(b"last\n");
        drop(first);
        assert_eq!(pipe.0.lock().1, b"last\n", "written when it has been dropped");

        let full = writer(Pipe::default(), None);
        full.push(b"never\n");
        let began = Instant::now();
        drop(full);
        assert!(began.elapsed() < LIMIT, "dropping gives up");
    }
}
