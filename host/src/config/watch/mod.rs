//! Seeing that a file changed, and waiting until it has.
//!
//! ```text
//! event (or every 2 s) ──▶ unsettled ──▶ same prints for 100 ms, nothing torn ──▶ other content? ──▶ changed()
//! ```

mod print;
mod trail;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use print::Prints;

/// How long files must look the same before they count as written.
const QUIET: Duration = Duration::from_millis(100);
/// How long a file may be missing or empty before that counts as meant.
const TORN: Duration = Duration::from_secs(1);
/// How often files are looked at when the system does not tell.
const POLL: Duration = Duration::from_secs(2);

/// Watches files by name, through symbolic links, and tells when what they hold has changed and settled.
pub struct Watcher {
    files: Vec<PathBuf>,
    /// What the files held when a change was last told.
    told: Prints,
    unsettled: Option<Unsettled>,
    /// Something may have happened, and nobody has looked yet. Outlives a cancelled wait.
    stirred: bool,
    source: Option<Source>,
    signal: Arc<Signal>,
}

/// A change under way.
struct Unsettled {
    prints: Prints,
    /// When the prints were last seen to differ.
    since: Instant,
    /// When the change began.
    began: Instant,
}

/// The system's events, and the folders they are asked for: path and identity, as a folder may be replaced.
struct Source {
    watcher: RecommendedWatcher,
    folders: BTreeMap<PathBuf, FolderId>,
}

/// Device and number.
type FolderId = Option<(u64, u64)>;

/// From the event thread to the waiting task.
#[derive(Default)]
struct Signal {
    woken: Notify,
    /// Paths whose events matter: every step of every trail, and the folders above them.
    steps: Mutex<BTreeSet<PathBuf>>,
}

impl Watcher {
    /// Watches `files`, from what they hold now. If the system gives no events (inotify limits), it polls.
    #[must_use]
    pub fn new(files: Vec<PathBuf>) -> Self {
        let signal = Arc::new(Signal::default());
        let events = Arc::clone(&signal);
        let source = match notify::recommended_watcher(move |event| events.receive(event)) {
            Ok(watcher) => Some(Source { watcher, folders: BTreeMap::new() }),
            Err(error) => {
                warn!(%error, "no file events, polling every 2 s");
                None
            }
        };
        let mut watcher =
            Self { files: Vec::new(), told: Prints::new(), unsettled: None, stirred: false, source, signal };
        watcher.watch(files);
        watcher
    }

    /// The same without events.
    #[cfg(test)]
    fn polling(files: Vec<PathBuf>) -> Self {
        let mut watcher = Self::new(Vec::new());
        watcher.source = None;
        watcher.watch(files);
        watcher
    }

    /// Watches these files instead. What stays is compared with what was last told, what is new with what it holds now.
    pub fn watch(&mut self, files: Vec<PathBuf>) {
        let fresh: Vec<_> = files.iter().filter(|path| !self.told.contains_key(*path)).cloned().collect();
        self.told.retain(|path, _| files.contains(path));
        self.files = files;
        // Events first, then the look: what changes in between is seen by one of them.
        self.follow();
        self.told.extend(print::take(&fresh));
        self.unsettled = None;
        self.stirred = true;
    }

    /// Takes nothing for granted: every file is told once more, when all have settled.
    pub fn distrust(&mut self) {
        self.told.values_mut().for_each(|print| *print = None);
        self.unsettled = None;
        self.stirred = true;
    }

    /// Waits for the next settled change and returns the files that hold something else, or are gone. Cancel safe.
    pub async fn changed(&mut self) -> Vec<PathBuf> {
        loop {
            let Some(unsettled) = &self.unsettled else {
                if !self.stirred {
                    self.wait().await;
                    self.stirred = true;
                }
                let all_followed = self.follow();
                let now = self.look().await;
                if all_followed {
                    self.stirred = false;
                } else {
                    // A folder went away in between; look again soon.
                    sleep(QUIET).await;
                }
                if !print::changed(&self.told, &now).is_empty() {
                    let at = Instant::now();
                    self.unsettled = Some(Unsettled { prints: now, since: at, began: at });
                }
                continue;
            };
            sleep_until(unsettled.since + QUIET).await;
            // Events first, then the look: what changes after it is an event again.
            self.stirred |= !self.follow();
            let now = self.look().await;
            if let Some(files) = self.settle(now, Instant::now()) {
                return files;
            }
            if self.unsettled.as_ref().is_some_and(|unsettled| unsettled.since.elapsed() >= QUIET) {
                // Torn: quiet, but not whole. Look again soon.
                sleep(QUIET).await;
            }
        }
    }

    /// Decides whether a change is complete.
    fn settle(&mut self, now: Prints, at: Instant) -> Option<Vec<PathBuf>> {
        let unsettled = self.unsettled.as_mut()?;
        if unsettled.prints != now {
            unsettled.prints = now;
            unsettled.since = at;
            return None;
        }
        if print::is_torn(&self.told, &now) && at.duration_since(unsettled.began) < TORN {
            return None;
        }
        self.unsettled = None;
        let files = print::changed(&self.told, &now);
        if files.is_empty() {
            return None;
        }
        self.told = now;
        Some(files)
    }

    /// Until something may have happened.
    async fn wait(&self) {
        match &self.source {
            Some(_) => self.signal.woken.notified().await,
            None => sleep(POLL).await,
        }
    }

    /// Reads all files, off the worker.
    async fn look(&self) -> Prints {
        let files = self.files.clone();
        match tokio::task::spawn_blocking(move || print::take(&files)).await {
            Ok(prints) => prints,
            Err(error) => {
                warn!(%error, "watched files could not be read");
                self.told.clone()
            }
        }
    }

    /// Resolves all links again, and asks for the events of the folders they lead through. False if one of these was
    /// gone before it could be asked for.
    fn follow(&mut self) -> bool {
        let Some(source) = &mut self.source else { return true };
        let steps: BTreeSet<_> = self.files.iter().flat_map(|path| trail::trail(path)).collect();
        let folders = trail::folders(&steps);
        let above = steps.iter().flat_map(|step| step.ancestors().map(Path::to_owned).collect::<Vec<_>>());
        *self.signal.steps.lock() = above.collect();
        match source.ask(folders) {
            Ok(all_followed) => all_followed,
            Err(error) => {
                warn!(%error, "no file events, polling every 2 s");
                self.source = None;
                true
            }
        }
    }
}

impl Source {
    fn ask(&mut self, wanted: BTreeSet<PathBuf>) -> notify::Result<bool> {
        let wanted: BTreeMap<_, _> = wanted.into_iter().map(|folder| (folder.clone(), identity(&folder))).collect();
        for folder in self.folders.iter().filter(|(path, id)| wanted.get(*path) != Some(*id)).map(|(path, _)| path) {
            // It may be gone already, and its watch with it.
            let _ = self.watcher.unwatch(folder);
        }
        let mut gone = Vec::new();
        let fresh = wanted.iter().filter(|(path, id)| self.folders.get(*path) != Some(*id)).map(|(path, _)| path);
        for folder in fresh {
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => gone.push(folder.clone()),
                other => other?,
            }
        }
        self.folders = wanted;
        self.folders.retain(|folder, _| !gone.contains(folder));
        Ok(gone.is_empty())
    }
}

impl Signal {
    fn receive(&self, event: notify::Result<notify::Event>) {
        let matters = match event {
            Ok(event) => {
                // Our own reading makes events too: only a close after writing counts.
                let is_look =
                    matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
                let steps = self.steps.lock();
                !is_look && (event.need_rescan() || event.paths.iter().any(|path| steps.contains(path)))
            }
            Err(_) => true,
        };
        if matters {
            self.woken.notify_one();
        }
    }
}

#[cfg(unix)]
fn identity(folder: &Path) -> FolderId {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> FolderId {
    None
}
