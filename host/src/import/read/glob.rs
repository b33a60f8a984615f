//! Files that a pattern of Include names, in Apache's order.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use crate::files::{self, ReadError};

/// How deep folders are looked into. Apache's number.
const DEEPEST: usize = 20;

/// More files or folders are there than will be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Whether `path` is a pattern.
pub(super) fn is_pattern(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let bracket = bytes.iter().position(|byte| *byte == b'[');
    let is_closed = bracket.is_some_and(|at| bytes.get(at..).unwrap_or_default().contains(&b']'));
    is_closed || bytes.iter().any(|byte| b"*?".contains(byte))
}

/// The files that `path` names, at most `most`: itself, what matches it, and all that is in folders, by their names.
/// What is not there is not among them, unless it is named without a pattern. A folder that may not be read is: reading it
/// says why ([`read`]).
///
/// # Errors
/// There are more.
pub(super) fn files(path: &Path, most: usize) -> Result<Vec<PathBuf>, TooMany> {
    let mut found = vec![PathBuf::new()];
    let mut closed = Vec::new();
    let mut seen = 0_usize;
    for component in path.components() {
        let Component::Normal(name) = component else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        if !is_pattern(Path::new(name)) {
            found.iter_mut().for_each(|path| path.push(name));
            continue;
        }
        let mut matching = Vec::new();
        for folder in &found {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let Some(names) = entries(folder) else {
                closed.push(folder.to_owned());
                continue;
            };
            let names = names.into_iter().filter(|entry| is_match(name.as_bytes(), entry.as_bytes()));
            matching.extend(names.map(|entry| folder.join(entry)));
            seen = seen.saturating_add(matching.len());
            if seen > most.saturating_mul(DEEPEST) {
                return Err(TooMany);
            }
        }
        found = matching;
    }
    let mut files = closed;
    let mut visited = 0;
    for path in found {
        below(path, 0, most, &mut visited, &mut files)?;
    }
    Ok(files)
}

/// What is in a file that [`files`] has found; of a folder among them, why it may not be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(ReadError::System(error)),
        _ => files::read(path, files::limit::APACHE),
    }
}

/// Adds `path`, or if it is a folder, all files in it.
fn below(
    path: PathBuf,
    depth: usize,
    most: usize,
    visited: &mut usize,
    into: &mut Vec<PathBuf>,
) -> Result<(), TooMany> {
    *visited = visited.saturating_add(1);
    if *visited > most || depth > DEEPEST {
        return Err(TooMany);
    }
    if !path.is_dir() {
        into.push(path);
        return Ok(());
    }
    let Some(entries) = entries(&path) else {
        into.push(path);
        return Ok(());
    };
    for entry in entries {
        below(path.join(entry), depth.saturating_add(1), most, visited, into)?;
    }
    Ok(())
}

/// What is in a folder, by name: nothing if there is no such folder, none if it is there and may not be read.
fn entries(folder: &Path) -> Option<Vec<OsString>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
        Err(_) => return Some(Vec::new()),
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    Some(names)
}

/// Whether `name` is one that `pattern` stands for: `*`, `?`, `[…]`, `\` before what stands for itself. A dot at the
/// beginning stands for itself alone.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut at, mut of) = (0_usize, 0_usize);
    // Where to go on if what is behind the last `*` does not match: it may stand for one more.
    let mut again: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(of) {
        let rest = pattern.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'*') {
            at = at.saturating_add(1);
            again = Some((at, of));
            continue;
        }
        if let Some(taken) = one(rest, *byte) {
            at = at.saturating_add(taken);
            of = of.saturating_add(1);
        } else if let Some((behind, from)) = again {
            at = behind;
            of = from.saturating_add(1);
            again = Some((behind, of));
        } else {
            return false;
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// How long the part at the beginning of `pattern` is, if that stands for `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', inside @ ..] => match set(inside, byte) {
            Some((is_in, length)) => is_in.then(|| length.saturating_add(1)),
            None => (byte == b'[').then_some(1),
        },
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// Whether `byte` is in the set that begins with `inside`, and how long that is with its `]`.
fn set(inside: &[u8], byte: u8) -> Option<(bool, usize)> {
    let is_not = matches!(inside.first(), Some(b'!' | b'^'));
    let mut at = usize::from(is_not);
    let first = at;
    let mut is_in = false;
    loop {
        let low = *inside.get(at)?;
        if low == b']' && at > first {
            return Some((is_in != is_not, at.saturating_add(1)));
        }
        let range = inside.get(at.saturating_add(1)..).unwrap_or_default();
        match range {
            [b'-', high, ..] if *high != b']' => {
                is_in |= (low..=*high).contains(&byte);
                at = at.saturating_add(3);
            }
            _ => {
                is_in |= low == byte;
                at = at.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn shown(folder: &Path, pattern: &str) -> Vec<String> {
        let found = files(&folder.join(pattern), 1000).unwrap();
        found.iter().map(|path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn patterns_name_what_they_name_for_apache() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            (".c*", ".conf", true),
            ("*", ".hidden", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[a", "[a", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            ("*a*b*c", "xaxbxxc", true),
            ("*a*b*c", "xaxbxx", false),
        ] {
            assert_eq!(is_match(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        let (pattern, name) = ("*a".repeat(500), "a".repeat(5000) + "b");
        assert!(!is_match(pattern.as_bytes(), name.as_bytes()), "and at once");
    }

    #[test]
    fn files_come_by_name_and_those_of_folders_with_them() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["sites/b/x.conf", "sites/a/x.conf", "sites/a/y.conf", "sites/a/z.txt", "one.conf"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }

        let found = |pattern| shown(folder.path(), pattern);
        assert_eq!(found("sites/*/*.conf"), ["sites/a/x.conf", "sites/a/y.conf", "sites/b/x.conf"]);
        assert_eq!(found("sites"), ["sites/a/x.conf", "sites/a/y.conf", "sites/a/z.txt", "sites/b/x.conf"]);
        assert_eq!(found("one.conf"), ["one.conf"]);
        assert_eq!(found("none.conf"), ["none.conf"], "it is named, so that it can be told");
        assert!(found("none*.conf").is_empty());
    }

    #[test]
    fn folders_that_lead_into_themselves_end() {
        let folder = tempfile::tempdir().unwrap();
        symlink(folder.path(), folder.path().join("again")).unwrap();
        symlink(folder.path(), folder.path().join("more")).unwrap();

        assert_eq!(files(folder.path(), 1000), Err(TooMany));
    }
}
