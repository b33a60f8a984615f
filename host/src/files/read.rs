//! Reading a file whole, if it is one and no longer than it may be.

use std::fmt;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// How many bytes a file may have, by what it is for. Each is far beyond what is of use.
pub mod limit {
    /// The configuration: some 40,000 routes.
    pub const CONFIGURATION: u64 = 4 << 20;
    /// Certificates, keys, authorities: the whole store of a browser is a quarter of it.
    pub const PEM: u64 = 1 << 20;
    /// A page in place of an error's sentence: many are sent at a time, of one copy.
    pub const PAGE: u64 = 1 << 20;
    /// A plugin. Interpreters that are compiled to wasm have some 20 MiB.
    pub const PLUGIN: u64 = 64 << 20;
    /// A secret of a plugin, such as a set of keys.
    pub const SECRET: u64 = 64 << 10;
    /// Names and hashes of passwords: some 100,000 users.
    pub const PASSWORDS: u64 = 8 << 20;
    /// The admin token, with blanks around it.
    pub const TOKEN: u64 = 8 << 10;
    /// Runtime changes: as many as there may be are a tenth of it.
    pub const CHANGES: u64 = 16 << 20;
    /// What plugins look up: some millions of keys and values.
    pub const TABLE: u64 = 256 << 20;
    /// A file of an Apache configuration: as long as Apache lets one line be.
    pub const APACHE: u64 = 16 << 20;
    /// Any of these.
    pub const ANY: u64 = TABLE;
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// What the system said.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It is no file.
    #[error(transparent)]
    Irregular(#[from] Irregular),
    /// It has more bytes than this.
    #[error("it is larger than {}", ShownSize(*.0))]
    Large(u64),
    /// Text was expected.
    #[error("it is not UTF-8 text: byte {0} is none of a character")]
    Binary(usize),
}

/// What was found where a regular file was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is a {0}, expected a regular file")]
pub struct Irregular(&'static str);

impl ReadError {
    /// What the system said, in one word.
    #[must_use]
    pub fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::System(error) => Some(error.kind()),
            _ => None,
        }
    }
}

/// Everything in the file at `path`, through symbolic links, if that is at most `limit` bytes. Does not wait for other
/// processes.
///
/// # Errors
/// [`ReadError`]
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let (file, length) = open(path, limit)?;
    // It may grow meanwhile.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default().saturating_add(1));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(ReadError::Large(limit)) } else { Ok(bytes) }
}

/// The file at `path`, to be read in pieces, if it has at most `limit` bytes now; and how many it has.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path, limit: u64) -> Result<(File, u64), ReadError> {
    // Looked at before it is opened, as opening alone makes some devices act; and after it, as it may be another by
    // then.
    is_regular(&std::fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let found = file.metadata()?;
    is_regular(&found)?;
    if found.len() > limit {
        return Err(ReadError::Large(limit));
    }
    Ok((file, found.len()))
}

/// What [`read`] reads, as text.
///
/// # Errors
/// [`ReadError`]
pub fn read_text(path: &Path, limit: u64) -> Result<String, ReadError> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes).map_err(|error| ReadError::Binary(error.utf8_error().valid_up_to().saturating_add(1)))
}

/// Whether what was found is a regular file.
///
/// # Errors
/// What it is instead.
pub fn is_regular(found: &Metadata) -> Result<(), Irregular> {
    let kind = found.file_type();
    if kind.is_file() { Ok(()) } else { Err(Irregular(name(kind))) }
}

fn name(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "folder",
        kind if kind.is_fifo() => "FIFO",
        kind if kind.is_socket() => "socket",
        _ => "device",
    }
}

/// A number of bytes in the largest unit that divides it.
struct ShownSize(u64);

impl fmt::Display for ShownSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes % (1 << 20) == 0 => write!(f, "{} MiB", bytes >> 20),
            bytes if bytes % (1 << 10) == 0 => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn refusal(path: &Path) -> String {
        read(path, limit::PEM).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_file_is_refused_by_its_kind_and_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        symlink(at("fifo"), at("link")).unwrap();

        for (path, kind) in [
            (at("fifo"), "a FIFO"),
            (at("link"), "a FIFO"),
            (at("socket"), "a socket"),
            (at("zero"), "a device"),
            ("/dev/null".into(), "a device"),
            ("/dev/tty".into(), "a device"),
            (folder.path().to_owned(), "a folder"),
        ] {
            let refused = refusal(&path);

            assert_eq!(refused, format!("it is {kind}, expected a regular file"), "{}", path.display());
        }
    }

    #[test]
    fn what_is_too_long_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(40 << 30).unwrap();

        assert_eq!(refusal(&path), "it is larger than 1 MiB");
    }

    #[test]
    fn a_file_may_be_as_long_as_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();

        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "it is larger than 4 bytes");
    }

    #[test]
    fn what_says_that_it_is_empty_is_not_read_beyond_the_limit_either() {
        // As all files there, it has no length, and is some hundred bytes long.
        let refused = read(Path::new("/proc/self/status"), 10).unwrap_err();

        assert!(matches!(refused, ReadError::Large(10)), "{refused}");
    }

    #[test]
    fn text_is_told_where_it_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"ab\xff").unwrap();

        let refused = read_text(&path, limit::CONFIGURATION).unwrap_err();

        assert_eq!(refused.to_string(), "it is not UTF-8 text: byte 3 is none of a character");
    }

    #[test]
    fn what_the_system_says_is_told() {
        let refused = read(Path::new("/no/such/file"), 1).unwrap_err();

        assert_eq!(refused.kind(), Some(io::ErrorKind::NotFound));
    }
}
