//! Fingerprints: whether a file is what it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::files;

/// What a file looks like. None: it is missing, cannot be read, or is none.
pub(super) type Fingerprints = BTreeMap<PathBuf, Option<Fingerprint>>;

/// Size, time and content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    size: u64,
    modified: Option<SystemTime>,
    digest: [u8; 32],
}

impl Fingerprint {
    fn of(path: &Path) -> Option<Self> {
        let content = files::read(path, files::limit::ANY).ok()?;
        let modified = std::fs::metadata(path).ok()?.modified().ok();
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        Some(Self { size, modified, digest: Sha256::digest(&content).into() })
    }

    /// Whether it holds the same, whenever it was written.
    fn holds(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// Reads all files.
pub(super) fn take(files: &[PathBuf]) -> Fingerprints {
    files.iter().map(|path| (path.clone(), Fingerprint::of(path))).collect()
}

/// Which files hold something else now.
pub(super) fn changed(before: &Fingerprints, now: &Fingerprints) -> Vec<PathBuf> {
    let differs = |(path, fingerprint): &(&PathBuf, &Option<Fingerprint>)| match (
        before.get(*path).and_then(Option::as_ref),
        fingerprint,
    ) {
        (Some(before), Some(now)) => !before.holds(now),
        (before, now) => before.is_some() != now.is_some(),
    };
    now.iter().filter(differs).map(|(path, _)| path.clone()).collect()
}

/// Whether a file that held something is missing or empty now: as in the middle of a replacement.
pub(super) fn is_torn(before: &Fingerprints, now: &Fingerprints) -> bool {
    let filled = |fingerprint: Option<&Option<Fingerprint>>| {
        fingerprint.and_then(Option::as_ref).is_some_and(|fingerprint| fingerprint.size > 0)
    };
    now.iter().any(|(path, fingerprint)| filled(before.get(path)) && !filled(Some(fingerprint)))
}
