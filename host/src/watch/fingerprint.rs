//! Fingerprints: whether a file is what it was.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::files::{self, limit};

/// What is read of a file at once: a table of some hundred MiB is not held for the look at it.
const PIECE: u64 = 1 << 20;

/// How wasm begins. It is looked at whole.
const WASM: &[u8] = b"\0asm";

/// What a file looks like. None: it is missing, cannot be read, or is none.
pub(super) type Fingerprints = BTreeMap<PathBuf, Option<Fingerprint>>;

/// Size, time and content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    size: u64,
    modified: Option<SystemTime>,
    digest: [u8; 32],
    /// It ends within a section of wasm.
    is_cut: bool,
}

impl Fingerprint {
    fn of(path: &Path) -> Option<Self> {
        let (file, _length) = files::open(path, limit::ANY).ok()?;
        let modified = file.metadata().ok()?.modified().ok();
        let mut rest = file.take(limit::ANY.saturating_add(1));
        let mut piece = Vec::new();
        rest.by_ref().take(PIECE).read_to_end(&mut piece).ok()?;
        if piece.starts_with(WASM) {
            rest.read_to_end(&mut piece).ok()?;
        }
        let is_cut = is_cut(&piece);
        let (mut size, mut hasher) = (0_u64, Sha256::new());
        while !piece.is_empty() {
            size = size.saturating_add(piece.len() as u64);
            hasher.update(&piece);
            piece.clear();
            rest.by_ref().take(PIECE).read_to_end(&mut piece).ok()?;
        }
        (size <= limit::ANY).then(|| Self { size, modified, digest: hasher.finalize().into(), is_cut })
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

/// Whether a wasm file that is not what it was ends within a section: as in the middle of a slow write.
pub(super) fn is_partial(before: &Fingerprints, now: &Fingerprints) -> bool {
    let cut = |path: &PathBuf| now.get(path).and_then(Option::as_ref).is_some_and(|fingerprint| fingerprint.is_cut);
    changed(before, now).iter().any(cut)
}

/// Whether `content` is wasm that ends before its last section does: sections are a byte, a length and as many bytes,
/// in modules and components alike (WebAssembly core specification, binary format, §5.5.2).
fn is_cut(content: &[u8]) -> bool {
    let Some(mut rest) = content.strip_prefix(WASM) else { return false };
    let Some(sections) = rest.get(4..) else { return true };
    rest = sections;
    while let Some((_id, after)) = rest.split_first() {
        let Some((length, body)) = leb128(after) else { return true };
        match usize::try_from(length).ok().and_then(|length| body.get(length..)) {
            Some(next) => rest = next,
            None => return true,
        }
    }
    false
}

/// A number of up to five bytes, and what follows it; none if it is cut. What is longer is no number.
fn leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at_checked(end.checked_add(1)?)?;
    let value = number.iter().rev().fold(0_u64, |value, byte| (value << 7) | u64::from(byte & 0x7f));
    Some((value, rest))
}

/// Whether a file that held something is missing or empty now: as in the middle of a replacement.
pub(super) fn is_torn(before: &Fingerprints, now: &Fingerprints) -> bool {
    let filled = |fingerprint: Option<&Option<Fingerprint>>| {
        fingerprint.and_then(Option::as_ref).is_some_and(|fingerprint| fingerprint.size > 0)
    };
    now.iter().any(|(path, fingerprint)| filled(before.get(path)) && !filled(Some(fingerprint)))
}
