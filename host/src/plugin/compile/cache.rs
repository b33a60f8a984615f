//! Compiled code on disk, so that the next start compiles nothing.
//!
//! ```text
//! entry: magic │ SHA-256 of the rest │ environment │ input │ length of the measures │ measures (JSON) │ code
//! ```
//!
//! An entry is written beside its place and renamed, so that it is there whole or not at all; the checksum is for
//! disks, not for attackers: against those stands the folder, to which no other user may write.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use super::super::contract;
use super::folder::{self, FolderError};
use super::{CODE_BYTES, CompiledCode, Measured};
use crate::text;

const MAGIC: &[u8] = b"tidegate plugin\n";

/// To be raised when what is made of a file changes and the version of the program does not.
const FORMAT: u32 = 1;

/// Bytes of all entries together, and how many there may be. The oldest go first.
const BYTES: u64 = 1 << 30;
const ENTRIES: usize = 256;

/// Bytes of an entry that are not code.
const HEAD_BYTES: usize = 4096;

/// After this long a file that is still being written is left over.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct CacheKey {
    /// SHA-256 of everything but the input that code depends on.
    environment: [u8; 32],
    /// SHA-256 of the plugin's file.
    input: [u8; 32],
}

/// A folder of entries.
#[derive(Debug)]
pub(in super::super) struct CodeCache {
    folder: PathBuf,
    environment: [u8; 32],
    most: CacheLimits,
}

/// Limits of all entries together.
#[derive(Clone, Copy, Debug)]
struct CacheLimits {
    bytes: u64,
    entries: usize,
}

impl CodeCache {
    /// The cache in `folder`; none, after a warning, if it cannot be used or others may write to it.
    pub(in super::super) fn open(folder: &Path, engine: &Engine) -> Option<Self> {
        match Self::try_open(folder, engine) {
            Ok(cache) => Some(cache),
            Err(error) => {
                let folder = folder.display();
                tracing::warn!(%folder, %error, "no cache for compiled plugins, each start compiles them");
                None
            }
        }
    }

    fn try_open(folder: &Path, engine: &Engine) -> Result<Self, FolderError> {
        let folder = folder::open(&std::path::absolute(folder)?)?;
        let most = CacheLimits { bytes: BYTES, entries: ENTRIES };
        Ok(Self { folder, environment: environment(engine, &contract::FILES), most })
    }

    /// What the entry for a file is called, by the SHA-256 of the file.
    pub(in super::super) fn key(&self, input: [u8; 32]) -> CacheKey {
        CacheKey { environment: self.environment, input }
    }

    /// The entry for `key`; a damaged one is removed.
    pub(in super::super) fn find(&self, key: &CacheKey) -> Option<CompiledCode> {
        // The file is compiled then, and a warning says why the code is not kept.
        self.recheck_folder().ok()?;
        let path = self.place(key);
        let found = read(&path).map(|bytes| decode(&bytes, key));
        match found {
            Ok(Some(code)) => {
                // For the order in which entries go.
                let _as_old_as_it_was = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                Some(code)
            }
            Ok(None) => {
                tracing::warn!(file = %path.display(), "a damaged file in the cache for compiled plugins is removed");
                let _gone = fs::remove_file(&path);
                None
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %path.display(), %error, "a compiled plugin cannot be read");
                }
                None
            }
        }
    }

    /// Keeps `code` for the next start. If that fails there is a warning, and the next start compiles again.
    pub(in super::super) fn keep(&self, key: &CacheKey, code: &CompiledCode) {
        let warn = |error: &dyn std::error::Error| {
            tracing::warn!(folder = %self.folder.display(), %error, "a compiled plugin is not kept");
        };
        if let Err(error) = self.recheck_folder() {
            return warn(&error);
        }
        if let Err(error) = self.write(key, code) {
            warn(&error);
        }
        self.clean();
    }

    /// Whether the folder is still what it was: a gateway runs for long, and a mode or a link is changed in a moment.
    /// Made again if it has gone.
    fn recheck_folder(&self) -> Result<(), FolderError> {
        if folder::open(&self.folder)? == self.folder {
            return Ok(());
        }
        Err(io::Error::other("a link has taken its place; restart the gateway to use what it leads to").into())
    }

    fn write(&self, key: &CacheKey, code: &CompiledCode) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let unique = (std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let beside = self.folder.join(format!("{}-{}.new", unique.0, unique.1));
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            let (head, code) = encode(key, code)?;
            file.write_all(&head)?;
            file.write_all(code)?;
            fs::rename(&beside, self.place(key))
        };
        write().inspect_err(|_error| {
            let _gone = fs::remove_file(&beside);
        })
    }

    fn place(&self, key: &CacheKey) -> PathBuf {
        let name = Sha256::new().chain_update(key.environment).chain_update(key.input).finalize();
        self.folder.join(format!("{}.plugin", text::hex(&name)))
    }

    /// Removes the oldest entries beyond the limits, and what was never finished. Other files are left alone.
    fn clean(&self) {
        let Ok(listed) = fs::read_dir(&self.folder) else { return };
        let mut entries = Vec::new();
        for (path, metadata) in listed.flatten().filter_map(|file| Some((file.path(), file.metadata().ok()?))) {
            let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("plugin") => entries.push((written, metadata.len(), path)),
                Some("new") if written.elapsed().is_ok_and(|age| age > ABANDONED) => {
                    let _gone = fs::remove_file(path);
                }
                _ => {}
            }
        }
        entries.sort_by(|one, other| other.cmp(one));
        let mut bytes: u64 = 0;
        for (number, (_, length, path)) in entries.into_iter().enumerate() {
            bytes = bytes.saturating_add(length);
            if number >= self.most.entries || bytes > self.most.bytes {
                let _gone = fs::remove_file(path);
            }
        }
    }
}

/// What code depends on beside its input: how the engine is configured, its version and the machine (all in its own
/// hash), and what this program makes of a file before the engine sees it: a bare module becomes a component of
/// `contract`, whose types are in its code.
fn environment(engine: &Engine, contract: &[(&str, &str)]) -> [u8; 32] {
    struct Whole(Sha256);
    impl Hasher for Whole {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Whole(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(env!("CARGO_PKG_VERSION"));
    hasher.0.update(FORMAT.to_le_bytes());
    for text in contract.iter().flat_map(|(name, text)| [name, text]) {
        hasher.0.update(text.len().to_le_bytes());
        hasher.0.update(text);
    }
    hasher.0.finalize().into()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Not followed: only this user makes files here, and this program makes no links.
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("no regular file; remove it"));
    }
    let most = CODE_BYTES.saturating_add(HEAD_BYTES) as u64;
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All of an entry before the code; and the code.
fn encode<'a>(key: &CacheKey, code: &'a CompiledCode) -> io::Result<(Vec<u8>, &'a [u8])> {
    let measured = serde_json::to_vec(&code.measured)?;
    let length = u32::try_from(measured.len()).map_err(io::Error::other)?.to_le_bytes();
    let rest = [&key.environment[..], &key.input, &length, &measured].concat();
    let sum = Sha256::new().chain_update(&rest).chain_update(&code.bytes).finalize();
    Ok(([MAGIC, &sum, &rest].concat(), &code.bytes))
}

/// The entry in `bytes`, if it is whole and for `key`.
fn decode(bytes: &[u8], key: &CacheKey) -> Option<CompiledCode> {
    let (sum, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<32>()?;
    if *sum != *Sha256::digest(rest) {
        return None;
    }
    let (environment, rest) = rest.split_first_chunk::<32>()?;
    let (input, rest) = rest.split_first_chunk::<32>()?;
    if *key != (CacheKey { environment: *environment, input: *input }) {
        return None;
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (measured, code) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let measured: Measured = serde_json::from_slice(measured).ok()?;
    Some(CompiledCode { measured, bytes: code.to_vec() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    fn cache(folder: &Path) -> CodeCache {
        CodeCache::try_open(folder, &Engine::default()).unwrap()
    }

    fn code(code: &[u8]) -> CompiledCode {
        let measured = Measured { instances: 1, held: 2, started: Duration::from_micros(3), compiler_peak: None };
        CompiledCode { measured, bytes: code.to_vec() }
    }

    #[test]
    fn another_contract_is_another_environment() {
        let engine = Engine::default();
        let of = |types| environment(&engine, &[("router.wit", "interface router {}"), ("types.wit", types)]);

        assert_eq!(of("enum scheme { http, https }"), of("enum scheme { http, https }"));
        assert_ne!(of("enum scheme { http, https }"), of("enum scheme { http, https, next }"));
    }

    #[test]
    fn what_is_kept_is_found_and_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let key = cache.key([1; 32]);
        assert!(cache.find(&key).is_none());

        cache.keep(&key, &code(b"code"));

        let found = cache.find(&key).unwrap();
        assert_eq!((&*found.bytes, found.measured.held), (&b"code"[..], 2));
        assert!(cache.find(&cache.key([2; 32])).is_none(), "another file");
        assert_eq!(cache.place(&key).metadata().unwrap().mode() & 0o777, 0o600);
        let beside = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 1, "nothing is left beside it");
    }

    #[test]
    fn damaged_and_exchanged_entries_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let (key, other) = (cache.key([1; 32]), cache.key([2; 32]));
        cache.keep(&other, &code(b"another's code"));
        cache.keep(&key, &code(b"code"));
        let (good, path) = (fs::read(cache.place(&key)).unwrap(), cache.place(&key));
        let foreign = fs::read(cache.place(&other)).unwrap();
        let mut flipped = Vec::new();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x55;
            flipped.push(bytes);
        }
        let cut = (0..good.len()).map(|length| good[..length].to_vec());

        for bad in flipped.into_iter().chain(cut).chain([foreign, [&good[..], b"x"].concat()]) {
            fs::write(&path, bad).unwrap();

            assert!(cache.find(&key).is_none());
            assert!(!path.exists(), "it is not looked at again");
        }
        cache.keep(&key, &code(b"code"));
        assert!(cache.find(&key).is_some());
    }

    #[test]
    fn a_folder_that_changes_while_it_is_used_is_used_no_more() {
        let above = tempfile::tempdir().unwrap();
        let (place, elsewhere) = (above.path().join("cache"), above.path().join("elsewhere"));
        let cache = cache(&place);
        let key = cache.key([1; 32]);
        cache.keep(&key, &code(b"code"));
        let mode = |mode| fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();

        mode(0o777);
        assert!(cache.find(&key).is_none(), "others may have put it there");
        mode(0o700);
        assert!(cache.find(&key).is_some());

        fs::rename(&place, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
        assert!(cache.find(&key).is_none());
        cache.keep(&cache.key([2; 32]), &code(b"code"));
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "nothing is put where a link leads");

        fs::remove_file(&place).unwrap();
        cache.keep(&key, &code(b"code"));
        assert!(cache.find(&key).is_some(), "one that was removed is made again");
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = cache(folder.path());
        cache.most = CacheLimits { bytes: u64::MAX, entries: 3 };
        fs::write(folder.path().join("notes.txt"), "not ours").unwrap();
        let keys: Vec<_> = (0..6).map(|number| cache.key([number; 32])).collect();
        for (age, key) in (0..6).rev().zip(&keys) {
            cache.keep(key, &code(b"code"));
            let file = File::open(cache.place(key)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(60 * (age + 1))).unwrap();
        }

        let left = |cache: &CodeCache| keys.iter().map(|key| cache.place(key).exists()).collect::<Vec<_>>();
        assert_eq!(left(&cache), [false, false, false, true, true, true]);
        let length = cache.place(&keys[5]).metadata().unwrap().len();
        cache.most = CacheLimits { bytes: 2 * length, entries: 256 };
        cache.clean();
        assert_eq!(left(&cache), [false, false, false, false, true, true]);
        assert!(folder.path().join("notes.txt").exists(), "what is not ours stays");
    }

    #[test]
    fn a_link_in_place_of_an_entry_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let key = cache.key([1; 32]);
        cache.keep(&key, &code(b"code"));
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(cache.place(&key), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, cache.place(&key)).unwrap();

        assert!(cache.find(&key).is_none());
    }
}
