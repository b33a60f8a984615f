//! Seeing that a file changed, and waiting until it has.
//!
//! ```text
//! event (or every 2 s) ──▶ unsettled ──▶ same fingerprints for 100 ms, nothing torn ──▶ other content? ──▶ changed()
//! ```

mod fingerprint;
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

use fingerprint::Fingerprints;

/// How long files must look the same before they count as written.
const QUIET: Duration = Duration::from_millis(100);
/// How long a file may be missing or empty, or wasm that grows no more may end within a section, before that counts as
/// meant.
const TORN: Duration = Duration::from_secs(1);
/// How often files are looked at where the system reports no events.
const POLL: Duration = Duration::from_secs(2);

/// Watches files by name, through symbolic links, and reports when what they hold has changed and settled.
pub struct Watcher {
    files: Vec<PathBuf>,
    /// What the files held when a change was last reported.
    reported: Fingerprints,
    unsettled: Option<Unsettled>,
    /// Something may have happened since the files were read last. Outlives a cancelled wait.
    dirty: bool,
    source: Option<EventSource>,
    signal: Arc<EventSignal>,
}

/// A change under way.
struct Unsettled {
    fingerprints: Fingerprints,
    /// When the fingerprints were last seen to differ.
    since: Instant,
    /// When the change began.
    began: Instant,
}

/// The system's events, and the folders they are asked for: path and identity, as a folder may be replaced.
struct EventSource {
    watcher: RecommendedWatcher,
    folders: BTreeMap<PathBuf, FolderId>,
}

/// Device and number.
type FolderId = Option<(u64, u64)>;

/// From the event thread to the waiting task.
#[derive(Default)]
struct EventSignal {
    woken: Notify,
    /// Paths whose events matter: every step of every trail, and the folders above them.
    steps: Mutex<BTreeSet<PathBuf>>,
}

impl Watcher {
    /// Watches `files`, from what they hold now. If the system gives no events (inotify limits), it polls.
    #[must_use]
    pub fn new(files: Vec<PathBuf>) -> Self {
        let signal = Arc::new(EventSignal::default());
        let events = Arc::clone(&signal);
        let source = match notify::recommended_watcher(move |event| events.receive(event)) {
            Ok(watcher) => Some(EventSource { watcher, folders: BTreeMap::new() }),
            Err(error) => {
                warn!(%error, "no file events, polling every 2 s");
                None
            }
        };
        let mut watcher =
            Self { files: Vec::new(), reported: Fingerprints::new(), unsettled: None, dirty: false, source, signal };
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

    /// Watches these files instead. What stays is compared with what was last reported, what is new with what it holds
    /// now.
    pub fn watch(&mut self, files: Vec<PathBuf>) {
        let fresh: Vec<_> = files.iter().filter(|path| !self.reported.contains_key(*path)).cloned().collect();
        self.reported.retain(|path, _| files.contains(path));
        self.files = files;
        // Events first, then the look: what changes in between is seen by one of them.
        self.follow();
        self.reported.extend(fingerprint::take(&fresh));
        self.unsettled = None;
        self.dirty = true;
    }

    /// Takes what the files hold now for reported: they were read without the watcher's report. A change to what was
    /// reported before that reading, such as a file that is missing again, would go unseen otherwise.
    pub fn rebase(&mut self) {
        self.reported = fingerprint::take(&self.files);
        self.unsettled = None;
        self.dirty = true;
    }

    /// Forgets what the files held: every file is reported once more, when all have settled.
    pub fn invalidate(&mut self) {
        self.reported.values_mut().for_each(|fingerprint| *fingerprint = None);
        self.unsettled = None;
        self.dirty = true;
    }

    /// Waits for the next settled change and returns the files that hold something else, or are gone. Cancel safe.
    pub async fn changed(&mut self) -> Vec<PathBuf> {
        loop {
            let Some(unsettled) = &self.unsettled else {
                if !self.dirty {
                    self.wait().await;
                    self.dirty = true;
                }
                let all_followed = self.follow();
                let now = self.look().await;
                if all_followed {
                    self.dirty = false;
                } else {
                    // A folder went away in between; look again soon.
                    sleep(QUIET).await;
                }
                if !fingerprint::changed(&self.reported, &now).is_empty() {
                    let at = Instant::now();
                    self.unsettled = Some(Unsettled { fingerprints: now, since: at, began: at });
                }
                continue;
            };
            sleep_until(unsettled.since + QUIET).await;
            // Events first, then the look: what changes after it is an event again.
            self.dirty |= !self.follow();
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
    fn settle(&mut self, now: Fingerprints, at: Instant) -> Option<Vec<PathBuf>> {
        let unsettled = self.unsettled.as_mut()?;
        if unsettled.fingerprints != now {
            unsettled.fingerprints = now;
            unsettled.since = at;
            return None;
        }
        if fingerprint::is_torn(&self.reported, &now) && at.duration_since(unsettled.began) < TORN {
            return None;
        }
        if fingerprint::is_partial(&self.reported, &now) && at.duration_since(unsettled.since) < TORN {
            return None;
        }
        self.unsettled = None;
        let files = fingerprint::changed(&self.reported, &now);
        if files.is_empty() {
            return None;
        }
        self.reported = now;
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
    async fn look(&self) -> Fingerprints {
        let files = self.files.clone();
        match tokio::task::spawn_blocking(move || fingerprint::take(&files)).await {
            Ok(fingerprints) => fingerprints,
            Err(error) => {
                warn!(%error, "watched files could not be read");
                self.reported.clone()
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

impl EventSource {
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

impl EventSignal {
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
