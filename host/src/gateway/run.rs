//! The gateway's own life: accept, watch, reload, drain, end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Gateway, Shared};
use crate::config::Watcher;

/// How long tasks that were cut off may take to notice. They only have to be polled once more.
const AFTER_CUT: Duration = Duration::from_secs(1);

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
        self.start();
        self.start_admin();
        let mut watcher = Watcher::new(self.generation().config().watched_files());
        // What changed since the first reading is what the watcher takes for granted.
        if self.shared.is_outdated() {
            watcher.distrust();
        }
        loop {
            tokio::select! {
                name = ends.next() => {
                    tracing::info!(signal = name, "draining");
                    break;
                }
                _ = hangup.recv() => {
                    tracing::info!(signal = "SIGHUP", "rereading");
                    if let Err(error) = self.shared.base.observers.access.reopen() {
                        tracing::error!(%error, "access log cannot be opened anew");
                    }
                    self.reread(&mut watcher).await;
                }
                files = watcher.changed() => {
                    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
                    tracing::info!(files = files.join(", "), "changed, rereading");
                    self.reread(&mut watcher).await;
                }
                () = self.shared.changed.notified() => watcher.watch(self.generation().config().watched_files()),
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

    /// Stops accepting, asks everybody to finish, and cuts off who has not after `patience`.
    pub async fn stop(&self, patience: Duration) -> Stopped {
        let drain = &self.shared.base.drain;
        self.shared.stop_listening();
        let cut = drain.finish(patience).await;
        if cut > 0 {
            tracing::warn!(cut, "drain deadline passed");
            drain.finish(AFTER_CUT).await;
        }
        if let Some(admin) = &self.admin {
            admin.finish().await;
        }
        Stopped { cut }
    }

    /// Reloads off this thread: it may compile for seconds.
    async fn reread(&self, watcher: &mut Watcher) {
        let shared: Arc<Shared> = self.shared.clone();
        // A refusal has been counted and logged.
        let reloaded = tokio::task::spawn_blocking(move || shared.reload().is_ok()).await.unwrap_or(false);
        watcher.watch(self.generation().config().watched_files());
        // A file that is watched only from now on may have changed since it was read.
        if reloaded && self.shared.is_outdated() {
            watcher.distrust();
        }
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
