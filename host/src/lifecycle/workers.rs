//! The worker threads: one current-thread runtime each.
//!
//! Measured before this was built: a forwarder of this shape spends 19.6 µs of CPU on a 16 KiB echo where a
//! work-stealing runtime spends 29 to 35. What stealing would even out is evened out at accept instead: see
//! [`Workers::worker_for`].

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::WorkerId;

/// Something to do on a worker, within its runtime.
type Job = Box<dyn FnOnce() + Send>;

/// Connections that a worker may hold above the mean before new ones go to the least loaded instead: this many, and
/// this share. Moving an accepted socket costs about four system calls, an even spread more than pays for it on long
/// tunnels. With less slack, short connections are moved for what chance evens out (measured: 12 % of them, where 16
/// were open).
const SLACK: usize = 3;
const SLACK_SHARE: usize = 16;

/// A handle to the worker threads. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Workers {
    inboxes: Arc<[UnboundedSender<Job>]>,
    loads: Arc<[Load]>,
}

/// The one owner of the worker threads. Dropping it ends them and whatever still runs on them.
#[derive(Debug)]
pub struct WorkerThreads {
    workers: Workers,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
}

/// Connections of one worker, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Load(AtomicUsize);

/// Counts a connection as load of its worker until it is dropped.
#[derive(Debug)]
#[must_use = "a connection counts as its worker's load only while its guard is held"]
pub struct LoadGuard {
    loads: Arc<[Load]>,
    worker: usize,
}

impl WorkerThreads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// If the system gives no thread or no event queue.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        let loads = std::iter::repeat_with(Load::default).take(count.get()).collect();
        let stop = CancellationToken::new();
        let mut inboxes = Vec::new();
        let mut threads = Vec::new();
        for number in 0..count.get() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (inbox, jobs) = unbounded_channel();
            let stop = stop.clone();
            threads.push(std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                WorkerId::assume(number);
                runtime.block_on(stop.run_until_cancelled(work(jobs)));
                // A name server that does not respond must not hold up the end.
                runtime.shutdown_timeout(Duration::from_secs(1));
            })?);
            inboxes.push(inbox);
        }
        Ok(Self { workers: Workers { inboxes: inboxes.into(), loads }, stop, threads })
    }

    /// The threads, for those who give them work.
    #[must_use]
    pub fn workers(&self) -> &Workers {
        &self.workers
    }
}

impl Drop for WorkerThreads {
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl Workers {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.inboxes.len()).unwrap_or(NonZeroUsize::MIN)
    }

    /// Runs `job` on worker `number`, within its runtime: what it spawns, runs there.
    pub fn run_on(&self, number: usize, job: impl FnOnce() + Send + 'static) {
        if let Some(inbox) = self.inboxes.get(number) {
            // A worker that is gone takes no jobs; the process is ending.
            drop(inbox.send(Box::new(job)));
        }
    }

    /// The worker that a new connection accepted on `current` should go to: `current`, unless it holds clearly more
    /// than its share.
    #[must_use]
    pub fn worker_for(&self, current: usize) -> usize {
        let loads = || self.loads.iter().map(|load| load.0.load(Relaxed)).enumerate();
        let mean = loads().map(|(_, load)| load).sum::<usize>() / self.loads.len().max(1);
        let here = self.loads.get(current).map_or(usize::MAX, |load| load.0.load(Relaxed));
        if here <= mean + SLACK + mean / SLACK_SHARE {
            return current;
        }
        loads().min_by_key(|(_, load)| *load).map_or(current, |(least, _)| least)
    }

    /// Counts a connection on `worker`.
    pub fn count_on(&self, worker: usize) -> LoadGuard {
        if let Some(load) = self.loads.get(worker) {
            load.0.fetch_add(1, Relaxed);
        }
        LoadGuard { loads: self.loads.clone(), worker }
    }

    /// Connections on each worker.
    #[must_use]
    pub fn loads(&self) -> Vec<usize> {
        self.loads.iter().map(|load| load.0.load(Relaxed)).collect()
    }
}

impl Drop for LoadGuard {
    fn drop(&mut self) {
        if let Some(load) = self.loads.get(self.worker) {
            load.0.fetch_sub(1, Relaxed);
        }
    }
}

/// How often a worker wakes for nothing.
///
/// When a timer is set that ends before all others, tokio wakes its own event queue: one write and one empty turn for
/// nearly every connect timeout (measured: 0.8 a connection). With a timer always due within a second, no timeout of
/// ours is ever the first.
const HEARTBEAT: Duration = Duration::from_secs(1);

async fn work(mut jobs: UnboundedReceiver<Job>) {
    super::spawn(async {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
        }
    });
    while let Some(job) = jobs.recv().await {
        job();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_spread_however_the_kernel_hashes() {
        let threads = WorkerThreads::start(NonZeroUsize::new(4).unwrap()).unwrap();
        let workers = threads.workers();
        for total in [64, 5000] {
            let guards: Vec<_> = (0..total).map(|_| workers.count_on(workers.worker_for(0))).collect();

            let most = workers.loads().into_iter().max().unwrap();
            assert!(most * 4 * 4 <= total * 5, "worker 0 accepts all {total}, and holds {most}");
            drop(guards);
        }
        assert_eq!(workers.loads(), [0; 4]);
    }

    #[test]
    fn jobs_run_on_their_worker() {
        let threads = WorkerThreads::start(NonZeroUsize::new(2).unwrap()).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();

        threads.workers().run_on(1, move || sender.send(WorkerId::current().number()).unwrap());

        assert_eq!(receiver.recv().unwrap(), 1);
    }
}
