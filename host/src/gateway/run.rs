//! The gateway's own life: accept, watch, reload, drain, end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::Gateway;
use super::reload::{Reloads, Trigger};
use crate::config::{CLOSED_PER_SECOND, CLOSING, show_duration};
use crate::telemetry::Gauge;
use crate::watch::Watcher;

/// How long tasks that were cut off may take to notice. They only have to be polled once more.
const AFTER_CUT: Duration = Duration::from_secs(1);

/// How often a configuration that was refused is looked at again: a file that it names may have arrived since.
const RETRY: Duration = Duration::from_secs(2);

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections and tunnels that did not end by themselves before the deadline.
    pub cut: usize,
}

impl Gateway {
    /// Serves until SIGTERM or SIGINT, then drains. SIGHUP rereads; so does a change of any file that the configuration
    /// names. A second SIGINT or SIGTERM ends the drain at once.
    ///
    /// # Errors
    /// If signals cannot be listened for.
    pub async fn run(&self) -> io::Result<Stopped> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut ends =
            Ends { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        // Without a handler, it ends the process at the first write beyond `ulimit -f`: of the access log, say. With
        // one, that write fails as on a full disk.
        let _too_long = signal(SignalKind::from_raw(libc::SIGXFSZ))?;
        // First, for the admin server keeps some descriptors from the clients of the listeners.
        self.start_admin();
        self.start();
        let mut watcher = Watcher::new(self.reloads.files_to_watch());
        // What changed since the first reading is what the watcher takes for granted.
        if self.reloads.is_outdated() {
            watcher.invalidate();
        }
        let mut reload = ReloadTask::default();
        let mut tables = pin!(self.set.tables.watch());
        loop {
            tokio::select! {
                name = ends.next() => {
                    tracing::info!(signal = name, "draining");
                    break;
                }
                _ = hangup.recv() => {
                    tracing::info!(signal = "SIGHUP", "rereading");
                    self.set.services.observers.access.reopen();
                    reload.begin(&self.reloads, Trigger::Request);
                }
                files = watcher.changed() => {
                    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
                    tracing::info!(files = files.join(", "), "changed, rereading");
                    reload.begin(&self.reloads, Trigger::Request);
                }
                () = tokio::time::sleep(RETRY), if self.reloads.is_refused() && !reload.is_under_way() => {
                    reload.begin(&self.reloads, Trigger::Retry);
                }
                outcome = reload.end(&self.reloads), if reload.is_under_way() => {
                    watcher.watch(self.reloads.files_to_watch());
                    if matches!(outcome, ReloadResult::Served(Trigger::Retry)) {
                        watcher.rebase();
                    }
                    // A file that is watched only from now on may have changed since it was read.
                    match outcome {
                        ReloadResult::Served(_) if self.reloads.is_outdated() => watcher.invalidate(),
                        ReloadResult::Refused(Trigger::Request) => reload.begin(&self.reloads, Trigger::Retry),
                        ReloadResult::Served(_) | ReloadResult::Refused(Trigger::Retry) => {}
                    }
                }
                () = &mut tables => {}
                () = self.reloads.notified() => watcher.watch(self.reloads.files_to_watch()),
            }
        }
        let patience = self.generation().config().gateway.drain;
        tokio::select! {
            stopped = self.stop(patience) => Ok(stopped),
            name = ends.next() => {
                tracing::warn!(signal = name, "second signal, stopping now");
                Ok(self.stop(Duration::ZERO).await)
            }
        }
    }

    /// Takes up what changes in the files of tables of plugins, as [`Self::run`] does. Never ends.
    pub async fn follow_tables(&self) {
        self.set.tables.watch().await;
    }

    /// Stops accepting, lets connections and tunnels finish, and cuts off those that have not after `patience`. Websockets
    /// are closed one after the other, over the time that the configuration leaves for it and `patience` has.
    pub async fn stop(&self, patience: Duration) -> Stopped {
        self.end(patience, |cut| tracing::warn!(cut, "drain deadline passed")).await
    }

    /// The same; `on_cut` gets the number of those that are cut off, if there are any.
    pub async fn end(&self, patience: Duration, on_cut: impl FnOnce(usize)) -> Stopped {
        let drain = &self.set.services.drain;
        self.set.listeners.stop();
        if let Some(heartbeats) = &self.heartbeats {
            heartbeats.keep_no_socket();
        }
        let tunnels = self.set.services.observers.metrics.level(Gauge::TunnelsOpen);
        let spread = spread(self.generation().config().gateway.drain_spread, tunnels, patience);
        if !spread.is_zero() {
            tracing::info!(tunnels, over = show_duration(spread), "closing websockets");
        }
        drain.begin_over(spread);
        let cut = drain.finish(patience).await;
        if cut > 0 {
            on_cut(cut);
            drain.finish(AFTER_CUT).await;
        }
        if let Some(admin) = &self.admin {
            admin.finish().await;
        }
        Stopped { cut }
    }
}

/// Over how long the websockets of a drain are closed: as `written`, else by how many `tunnels` there are, and in half of
/// `patience` at the most. The last closing handshake has its time in any case.
fn spread(written: Option<Duration>, tunnels: u64, patience: Duration) -> Duration {
    let most = patience.saturating_sub(CLOSING);
    let by_number = || Duration::from_millis(tunnels.saturating_mul(1000 / CLOSED_PER_SECOND));
    written.unwrap_or_else(|| by_number().min(patience / 2)).min(most)
}

/// A reload off this thread: it may compile for seconds, and signals must be received meanwhile.
#[derive(Default)]
struct ReloadTask {
    task: Option<JoinHandle<ReloadResult>>,
    /// Something changed after it began to read.
    again: bool,
}

/// What came of a reload.
enum ReloadResult {
    /// What was read is served now.
    Served(Trigger),
    /// Nothing changed. It has been counted and logged.
    Refused(Trigger),
}

impl ReloadTask {
    fn is_under_way(&self) -> bool {
        self.task.is_some()
    }

    /// Begins one, or another after the one that is under way.
    fn begin(&mut self, reloads: &Arc<Reloads>, trigger: Trigger) {
        if self.is_under_way() {
            // The one under way is as good as a retry.
            self.again |= trigger == Trigger::Request;
            return;
        }
        let reloads = reloads.clone();
        self.task = Some(tokio::task::spawn_blocking(move || match reloads.reload(trigger) {
            Ok(_generation) => ReloadResult::Served(trigger),
            Err(_logged) => ReloadResult::Refused(trigger),
        }));
    }

    /// Waits for its end. Cancel safe.
    async fn end(&mut self, reloads: &Arc<Reloads>) -> ReloadResult {
        let Some(task) = &mut self.task else { return ReloadResult::Refused(Trigger::Retry) };
        let outcome = task.await.unwrap_or(ReloadResult::Refused(Trigger::Retry));
        self.task = None;
        if std::mem::take(&mut self.again) {
            self.begin(reloads, Trigger::Request);
        }
        outcome
    }
}

/// The signals that end it.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn websockets_are_spread_over_what_their_number_calls_for_and_the_patience_has() {
        let seconds = Duration::from_secs;
        let milliseconds = Duration::from_millis;
        for (written, tunnels, patience, expected) in [
            (None, 0, seconds(30), Duration::ZERO),
            (None, 20, seconds(30), milliseconds(20)),
            (None, 9_000, seconds(30), seconds(9)),
            (None, 100_000, seconds(30), seconds(15)),
            (None, u64::MAX, seconds(30), seconds(15)),
            (None, 9_000, seconds(3), seconds(1)),
            (None, 9_000, milliseconds(100), Duration::ZERO),
            (Some(Duration::ZERO), 9_000, seconds(30), Duration::ZERO),
            (Some(seconds(20)), 3, seconds(30), seconds(20)),
            (Some(seconds(20)), 3, seconds(10), seconds(8)),
            (Some(seconds(20)), 3, Duration::ZERO, Duration::ZERO),
        ] {
            assert_eq!(spread(written, tunnels, patience), expected, "{written:?} {tunnels} {patience:?}");
        }
    }
}
