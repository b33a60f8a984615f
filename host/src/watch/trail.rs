//! What a path goes through: every symbolic link on the way, and where it ends.
//!
//! ```text
//! /tls/cert.pem ─▶ ..data/cert.pem      /tls/..data ─▶ ..2024      /tls/..2024/cert.pem
//!  a link in /tls                        a link in /tls             the file, in /tls/..2024
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// More links than this are a loop (Linux gives up at 40).
const MOST_LINKS: usize = 40;

/// Every link on the way from `path`, and the file at its end, whether it exists or not.
pub(super) fn trail(path: &Path) -> Vec<PathBuf> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut left: VecDeque<OsString> = parts(&path);
    let (mut walked, mut found) = (PathBuf::from("/"), Vec::new());
    while let Some(part) = left.pop_front() {
        if part == ".." {
            walked.pop();
            continue;
        }
        let here = walked.join(&part);
        match std::fs::read_link(&here) {
            Ok(target) if found.len() < MOST_LINKS => {
                found.push(here);
                if target.is_absolute() {
                    walked = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    left.push_front(part);
                }
            }
            _ => walked = here,
        }
    }
    found.push(walked);
    found
}

/// The folders that must be watched to see anything on these trails change: of each step the folder it is in, or the
/// nearest above it that exists.
pub(super) fn folders<'p>(steps: impl IntoIterator<Item = &'p PathBuf>) -> BTreeSet<PathBuf> {
    let existing = |step: &PathBuf| step.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned);
    steps.into_iter().filter_map(existing).collect()
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    parts.collect()
}
