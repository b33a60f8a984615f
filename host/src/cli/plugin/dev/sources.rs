//! Seeing that an author has saved something.
//!
//! Files are looked at again and again: it takes microseconds for a project, sees new folders, and works where there
//! are no file events (network folders, containers, inotify limits).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::project::{DevProject, Recipe, has_extension};

/// Between two looks. A change counts once two looks in a row see the same.
const LOOK: Duration = Duration::from_millis(150);

/// How many builds in a row may be ended by changes of the same files.
const INTERRUPTIONS: u8 = 3;

/// Files that are compared by what they hold; larger ones by size and time.
const READ_BYTES: u64 = 8 << 20;

/// Folders that builds, package managers and version control fill. Hidden ones are left out whatever their name.
const FOLDERS: [&str; 6] = ["target", "node_modules", "__pycache__", "zig-cache", "zig-out", "venv"];

/// What builds and editors leave behind.
const EXTENSIONS: [&str; 12] = ["wasm", "cwasm", "o", "a", "obj", "pyc", "log", "tmp", "swp", "swo", "swx", "bak"];

/// A project's files, and others that matter to it.
#[derive(Debug)]
pub(super) struct Sources {
    project: DevProject,
    /// Beside the project's.
    others: Vec<PathBuf>,
    /// What was built last.
    built: Look,
    /// What changed during the build before, which led to the latest.
    during: BTreeSet<PathBuf>,
    /// Folders in which files came or went during that build.
    busy: BTreeSet<PathBuf>,
    /// What builds write themselves.
    written: BTreeSet<PathBuf>,
    /// Folders in which builds write files with names of their own each time.
    filled: BTreeSet<PathBuf>,
    /// What ended builds one after the other, and how often.
    interrupted: (Vec<PathBuf>, u8),
}

type Look = BTreeMap<PathBuf, SourceFingerprint>;

#[derive(Clone, Debug)]
struct SourceFingerprint {
    size: u64,
    modified: Option<SystemTime>,
    content: u64,
}

/// Time alone is no change: many tools write files anew as they were.
impl PartialEq for SourceFingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.content == other.content
    }
}

impl Sources {
    pub(super) fn new(project: DevProject) -> Self {
        Self {
            project,
            others: Vec::new(),
            built: Look::new(),
            during: BTreeSet::new(),
            busy: BTreeSet::new(),
            written: BTreeSet::new(),
            filled: BTreeSet::new(),
            interrupted: (Vec::new(), 0),
        }
    }

    /// These files matter, too, from what they hold now.
    pub(super) fn also(&mut self, others: Vec<PathBuf>) {
        let mut fresh = Look::new();
        for path in others.iter().filter(|path| !self.built.contains_key(*path)) {
            add(path.clone(), &self.built, &mut fresh);
        }
        self.built.extend(fresh);
        self.others = others;
    }

    /// A build begins: it builds what is there now.
    pub(super) fn begin(&mut self) {
        self.built = self.look();
    }

    /// A build has ended. What changed during it is seen by [`Self::changed`], but for what changed during the one
    /// before as well, if that led to this one: builds themselves write that. The same holds for folders in which files
    /// come and go. Returns what is known to be so from now on.
    pub(super) fn end(&mut self) -> Vec<PathBuf> {
        self.interrupted = (Vec::new(), 0);
        let now = self.look();
        let changed: BTreeSet<_> = differences(&self.built, &now).into_iter().collect();
        let came_or_went = |path: &&PathBuf| !(self.built.contains_key(*path) && now.contains_key(*path));
        let homes: BTreeMap<_, _> =
            changed.iter().filter(came_or_went).map(|path| (path.clone(), self.home(path))).collect();
        let busy: BTreeSet<_> = homes.values().cloned().collect();
        let filled: Vec<_> =
            busy.intersection(&self.busy).filter(|folder| !self.filled.contains(*folder)).cloned().collect();
        self.filled.extend(filled.iter().cloned());
        let is_of_filled = |path: &PathBuf| homes.get(path).is_some_and(|home| self.filled.contains(home));
        let known =
            changed.intersection(&self.during).filter(|path| !is_of_filled(path) && !self.written.contains(*path));
        let known: Vec<_> = known.cloned().collect();
        self.written.extend(known.iter().cloned());
        for path in &changed {
            if self.written.contains(path) || is_of_filled(path) {
                match now.get(path) {
                    Some(fingerprint) => self.built.insert(path.clone(), fingerprint.clone()),
                    None => self.built.remove(path),
                };
            }
        }
        (self.during, self.busy) = (changed, busy);
        [known, filled].concat()
    }

    /// The folder nearest around `path` that held something when the build began.
    fn home(&self, path: &Path) -> PathBuf {
        let mut around = path.ancestors().skip(1);
        let held = around.find(|folder| self.built.keys().any(|built| built.starts_with(folder)));
        held.unwrap_or(&self.project.folder).to_owned()
    }

    /// Waits until a source that the build under way began with holds something else, and returns what has changed. What
    /// has ended [`INTERRUPTIONS`] builds in a row ends no more: builds write it. Cancel safe.
    pub(super) async fn interrupted(&mut self) -> Vec<PathBuf> {
        let mut before: Option<Look> = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.look();
            let mut edited = differences(&self.built, &now);
            edited.retain(|path| {
                path.starts_with(&self.project.folder)
                    && self.built.contains_key(path)
                    && now.contains_key(path)
                    && !self.written.contains(path)
            });
            let times = if self.interrupted.0 == edited { self.interrupted.1 } else { 0 };
            if !edited.is_empty() && times < INTERRUPTIONS && before.as_ref() == Some(&now) {
                self.interrupted = (edited.clone(), times.saturating_add(1));
                self.during.clear();
                self.busy.clear();
                return edited;
            }
            before = Some(now);
        }
    }

    /// Waits until something has been saved since the latest build began, and returns what. Cancel safe.
    pub(super) async fn changed(&mut self) -> Vec<PathBuf> {
        let mut before: Option<Look> = None;
        let mut is_first = true;
        loop {
            let now = self.look();
            let changed = differences(&self.built, &now);
            if !changed.is_empty() && before.as_ref() == Some(&now) {
                return changed;
            }
            if changed.is_empty() && !is_first {
                // Nothing is left of what changed during the build, so that the next change is an author's.
                self.during.clear();
                self.busy.clear();
            }
            is_first = false;
            before = Some(now);
            tokio::time::sleep(LOOK).await;
        }
    }

    fn look(&self) -> Look {
        let mut now = Look::new();
        match &self.project.recipe {
            Recipe::File(file) => add(file.clone(), &self.built, &mut now),
            Recipe::Script | Recipe::Cargo => walk(&self.project.folder, &self.built, &mut now),
        }
        for path in &self.others {
            add(path.clone(), &self.built, &mut now);
        }
        now
    }
}

/// Everything in `folder` that may be a source. Links to folders are not followed: they may lead round in a circle.
fn walk(folder: &Path, known: &Look, into: &mut Look) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !name.starts_with('.') && !FOLDERS.contains(&name.as_str()) {
            walk(&entry.path(), known, into);
        }
        if !is_folder && is_source(&name) {
            add(entry.path(), known, into);
        }
    }
}

/// Whether somebody may have written a file of this name.
fn is_source(name: &str) -> bool {
    let is_left_behind = EXTENSIONS.iter().any(|extension| has_extension(Path::new(name), extension));
    // Lock files and backups of editors; `4913` is what vim tries a folder with.
    let is_editors = name.starts_with(".#") || name.starts_with('#') || name.ends_with('~') || name == "4913";
    !is_left_behind && !is_editors
}

fn add(path: PathBuf, known: &Look, into: &mut Look) {
    let Some(found) = fs::metadata(&path).ok().filter(fs::Metadata::is_file) else { return };
    let (size, modified) = (found.len(), found.modified().ok());
    let same = known.get(&path).filter(|known| known.size == size && known.modified == modified);
    let content = match same {
        Some(known) => known.content,
        None => content(&path, size).unwrap_or_else(|| hash(&[format!("{modified:?}").as_bytes()])),
    };
    into.insert(path, SourceFingerprint { size, modified, content });
}

fn content(path: &Path, size: u64) -> Option<u64> {
    if size > READ_BYTES {
        return None;
    }
    Some(hash(&[&crate::files::read(path, READ_BYTES).ok()?]))
}

fn hash(pieces: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    pieces.iter().for_each(|piece| hasher.write(piece));
    hasher.finish()
}

/// Files that are there in one of them alone, or hold something else.
fn differences(before: &Look, now: &Look) -> Vec<PathBuf> {
    let gone = before.keys().filter(|path| !now.contains_key(*path));
    let other = now.iter().filter(|(path, fingerprint)| before.get(*path) != Some(fingerprint)).map(|(path, _)| path);
    gone.chain(other).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("build.sh"), "").unwrap();
        let mut sources = Sources::new(DevProject::find(folder.path()).unwrap());
        sources.begin();
        (folder, sources)
    }

    fn names(paths: &[PathBuf]) -> Vec<String> {
        paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_saved_is_seen_and_what_builds_and_editors_leave_is_not() {
        let (folder, mut sources) = project();
        for ignored in ["p.wasm", ".p.c.swp", "p.c~", "#p.c#", ".#p.c", "4913", "p.o"] {
            fs::write(folder.path().join(ignored), "x").unwrap();
        }
        for ignored in ["target", "node_modules", ".git", "__pycache__", ".zig-cache", "zig-out"] {
            fs::create_dir(folder.path().join(ignored)).unwrap();
            fs::write(folder.path().join(ignored).join("p.c"), "x").unwrap();
        }
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/p.c"), "x").unwrap();

        assert_eq!(names(&sources.changed().await), ["p.c"]);

        sources.begin();
        fs::remove_file(folder.path().join("src/p.c")).unwrap();
        assert_eq!(names(&sources.changed().await), ["p.c"], "a file that is gone is a change");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_written_as_it_was_is_no_change() {
        let (folder, mut sources) = project();
        fs::write(folder.path().join("p.c"), "x").unwrap();
        sources.begin();

        let file = fs::File::options().write(true).open(folder.path().join("p.c")).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        fs::write(folder.path().join("q.c"), "x").unwrap();

        assert_eq!(names(&sources.changed().await), ["q.c"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_during_a_build_leads_to_one_more_but_what_each_build_writes_does_not() {
        let (folder, mut sources) = project();
        let write = |text: &str| fs::write(folder.path().join("stamp.c"), text).unwrap();

        write("1");
        assert!(sources.end().is_empty(), "it may have been the author");
        assert_eq!(names(&sources.changed().await), ["stamp.c"]);

        sources.begin();
        write("2");
        assert_eq!(names(&sources.end()), ["stamp.c"]);
        fs::write(folder.path().join("p.c"), "x").unwrap();
        assert_eq!(names(&sources.changed().await), ["p.c"], "and nothing else");

        sources.begin();
        write("3");
        assert!(sources.end().is_empty(), "it is known by now");
        write("4");
        assert_eq!(names(&sources.changed().await), ["stamp.c"], "between builds it is somebody's edit");
    }

    #[tokio::test(start_paused = true)]
    async fn files_with_new_names_at_each_build_end_in_rest() {
        for clears in [false, true] {
            let (folder, mut sources) = project();
            let generated = folder.path().join("gen");
            let mut builds = 0;
            loop {
                sources.begin();
                if clears && generated.exists() {
                    fs::remove_dir_all(&generated).unwrap();
                }
                fs::create_dir_all(&generated).unwrap();
                fs::write(generated.join(format!("{builds}.c")), builds.to_string()).unwrap();
                builds += 1;
                if sources.end() == [generated.clone()] {
                    break;
                }
                assert!(!sources.changed().await.is_empty() && builds < 5, "build {builds}");
            }

            fs::write(folder.path().join("p.c"), "x").unwrap();
            assert_eq!(names(&sources.changed().await), ["p.c"], "and nothing else");
            sources.begin();
            fs::write(generated.join("later.c"), "x").unwrap();
            assert!(sources.end().is_empty(), "it is known by now");
            fs::write(generated.join("mine.c"), "x").unwrap();
            assert_eq!(names(&sources.changed().await), ["mine.c"], "between builds it is somebody's");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_interrupts_a_build_but_what_builds_write_does_not_for_ever() {
        let (folder, mut sources) = project();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("p.c", "1");
        sources.begin();
        write("made.c", "1");
        write("p.c", "2");
        assert_eq!(names(&sources.interrupted().await), ["p.c"]);

        for times in 1..INTERRUPTIONS {
            sources.begin();
            write("p.c", &format!("again {times}"));
            assert_eq!(names(&sources.interrupted().await), ["p.c"], "an author may need more than one attempt");
        }
        sources.begin();
        write("p.c", "once more");
        let waited = tokio::time::timeout(Duration::from_secs(60), sources.interrupted()).await;
        assert!(waited.is_err(), "{waited:?}");
        assert!(sources.end().is_empty());
        assert_eq!(names(&sources.changed().await), ["p.c"]);
    }

    #[tokio::test(start_paused = true)]
    async fn other_files_matter_from_what_they_hold() {
        let (folder, mut sources) = project();
        let other = tempfile::NamedTempFile::new().unwrap();
        sources.also(vec![other.path().to_owned()]);
        fs::write(other.path(), "x").unwrap();

        let changed = sources.changed().await;

        assert_eq!(changed, [other.path()]);
        drop(folder);
    }
}
