//! The table of one plugin: the file it comes from, and the version that instances look into.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::content::{TableContent, TableFault};
use crate::files::{self, ReadError, limit};
use crate::text;

/// The table of a plugin. All instances of the plugin look into one, whatever generation they are of, and find what was
/// swapped in last.
#[derive(Debug)]
pub struct PluginTable {
    path: PathBuf,
    current: ArcSwap<TableVersion>,
    /// How often another version was taken.
    swaps: AtomicU64,
    /// Why what is in the file now is not taken; none if it is.
    refusal: Mutex<Option<String>>,
    /// Held while a version is read and put in place: what was read later stays.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct TableVersion {
    content: TableContent,
    since: SystemTime,
}

/// Why a file gives no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// It cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It is no table.
    #[error("{}: {source}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TableFault,
    },
}

/// A table as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStatus {
    /// The file that it is read from.
    pub path: PathBuf,
    /// Keys.
    pub entries: usize,
    /// What it holds of memory, in bytes.
    pub memory: usize,
    /// SHA-256 of the file that it was read from.
    pub digest: [u8; 32],
    /// Since when instances look into it.
    pub since: SystemTime,
    /// How often another version has taken the place of one.
    pub swaps: u64,
    /// Why what is in the file now is not taken, if it is not.
    pub refusal: Option<String>,
}

impl PluginTable {
    /// Reads the file at `path`. Blocks: a second for millions of keys.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let current = ArcSwap::from_pointee(TableVersion::new(read(path)?));
        Ok(Self {
            path: path.to_owned(),
            current,
            swaps: AtomicU64::new(0),
            refusal: Mutex::default(),
            turn: Mutex::default(),
        })
    }

    /// Where it is read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        self.current.load().content.get(key).map(str::to_owned)
    }

    /// Reads the file anew, and says whether it held something else. Blocks.
    ///
    /// # Errors
    /// [`TableError`]: the version before stays.
    pub fn reread(&self) -> Result<bool, TableError> {
        let _turn = self.turn.lock();
        let content = read(&self.path).inspect_err(|error| *self.refusal.lock() = Some(error.to_string()))?;
        Ok(self.take(content))
    }

    /// Makes `bytes` the file, and the version that instances look into. Blocks.
    ///
    /// # Errors
    /// [`TableError`]: file and version are as they were.
    pub fn fill(&self, bytes: Vec<u8>) -> Result<(), TableError> {
        let _turn = self.turn.lock();
        let content = parse(&self.path, bytes)?;
        files::replace(&self.path, content.text().as_bytes())
            .map_err(|source| TableError::Write { path: self.path.clone(), source })?;
        self.take(content);
        Ok(())
    }

    /// How it is now.
    #[must_use]
    pub fn status(&self) -> TableStatus {
        let current = self.current.load();
        TableStatus {
            path: self.path.clone(),
            entries: current.content.entries(),
            memory: current.content.memory(),
            digest: *current.content.digest(),
            since: current.since,
            swaps: self.swaps.load(Relaxed),
            refusal: self.refusal.lock().clone(),
        }
    }

    fn take(&self, content: TableContent) -> bool {
        *self.refusal.lock() = None;
        if content.digest() == self.current.load().content.digest() {
            return false;
        }
        self.current.store(Arc::new(TableVersion::new(content)));
        self.swaps.fetch_add(1, Relaxed);
        true
    }
}

impl TableVersion {
    fn new(content: TableContent) -> Self {
        Self { content, since: SystemTime::now() }
    }
}

impl TableStatus {
    /// SHA-256 of the file, hex.
    #[must_use]
    pub fn version(&self) -> String {
        text::hex(&self.digest)
    }
}

fn read(path: &Path) -> Result<TableContent, TableError> {
    let bytes = files::read(path, limit::TABLE).map_err(|source| TableError::Read { path: path.to_owned(), source })?;
    parse(path, bytes)
}

fn parse(path: &Path, bytes: Vec<u8>) -> Result<TableContent, TableError> {
    TableContent::parse(bytes).map_err(|source| TableError::Content { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use tempfile::TempDir;

    use super::*;

    fn table(folder: &TempDir, text: &str) -> PluginTable {
        let path = folder.path().join("tenants.tsv");
        fs::write(&path, text).unwrap();
        PluginTable::open(&path).unwrap()
    }

    #[test]
    fn a_broken_file_leaves_the_version_before_it_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(&folder, "blue\ta\n");
        let before = table.status();
        let path = table.path();
        let cases: [(&str, &dyn Fn()); 5] = [
            ("line 2 has the same key", &|| fs::write(path, "blue\tb\nblue\tb\n").unwrap()),
            ("line 1 is not UTF-8", &|| fs::write(path, b"\xff\tb\n").unwrap()),
            ("larger than 256 MiB", &|| File::create(path).unwrap().set_len(2 << 30).unwrap()),
            ("No such file", &|| fs::remove_file(path).unwrap()),
            ("it is a folder", &|| fs::create_dir(path).unwrap()),
        ];

        for (sentence, break_it) in cases {
            break_it();
            let refused = table.reread().unwrap_err().to_string();

            assert!(refused.contains(sentence) && refused.contains("tenants.tsv"), "{refused}");
            assert_eq!(table.get("blue").as_deref(), Some("a"));
            assert_eq!(table.status(), TableStatus { refusal: Some(refused), ..before.clone() });
        }
        fs::remove_dir(table.path()).unwrap();
        fs::write(table.path(), "blue\tc\n").unwrap();

        assert!(table.reread().unwrap());

        assert_eq!(table.get("blue").as_deref(), Some("c"));
        assert_eq!((table.status().swaps, table.status().refusal), (1, None));
    }

    #[test]
    fn what_is_filled_in_is_in_the_file_and_what_is_broken_in_neither() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(&folder, "blue\ta\n");

        table.fill(b"blue\tb\nred\tc\n".to_vec()).unwrap();
        let refused = table.fill(b"blue\n".to_vec()).unwrap_err();

        assert!(refused.to_string().ends_with("line 1 has no TAB, expected a key, a TAB and a value"), "{refused}");
        assert_eq!(fs::read_to_string(table.path()).unwrap(), "blue\tb\nred\tc\n");
        assert_eq!((table.get("red").as_deref(), table.status().swaps), (Some("c"), 1));
        assert!(!table.reread().unwrap(), "the file is what was filled in");
        assert_eq!(table.status().refusal, None);
    }
}
