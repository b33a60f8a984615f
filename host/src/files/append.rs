//! Opening what lines are appended to.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Permissions of a file that is made: lines hold paths and queries, which are no other user's business. Its group may
/// read, for those who collect logs.
const MODE: u32 = 0o640;

/// Opens `path` for appending, and makes the file if there is none. A FIFO or a device is taken too; nothing waits for
/// its reader, here or when it is written to: a write that would have to wait is [`io::ErrorKind::WouldBlock`].
///
/// # Errors
/// What the system said. A socket cannot be opened.
pub fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(MODE).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let found = std::fs::metadata(path).ok();
    let is = |kind: fn(&Metadata) -> bool| found.as_ref().is_some_and(kind);
    if is(|found| found.file_type().is_socket()) {
        let hint =
            "it is a socket, which cannot be opened; for the one that is standard output, write `access = \"stdout\"`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, hint));
    }
    // For writing alone, a FIFO can only be opened while a reader is there. For both it can always be, and what waits
    // in it outlives its reader (Linux, fifo(7)).
    options.read(is(|found| found.file_type().is_fifo()));
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_fifo_without_a_reader_is_opened_and_what_is_written_waits_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());

        let mut open = append(&path).unwrap();
        open.write_all(b"line\n").unwrap();
        let full = loop {
            if let Err(error) = open.write(&[b'x'; 4096]) {
                break error;
            }
        };

        assert_eq!(full.kind(), io::ErrorKind::WouldBlock, "a full one does not stop its writer");
        let mut first = [0; 5];
        File::open(&path).unwrap().read_exact(&mut first).unwrap();
        assert_eq!(&first, b"line\n");
    }

    #[test]
    fn a_new_file_is_private_and_an_old_one_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        fs::write(&old, "before\n").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o664)).unwrap();

        append(&new).unwrap().write_all(b"1\n").unwrap();
        append(&old).unwrap().write_all(b"after\n").unwrap();

        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&new) & !0o640, 0, "no other user may read, and only we write");
        assert_eq!(mode(&old), 0o664);
        assert_eq!(fs::read_to_string(old).unwrap(), "before\nafter\n");
    }

    #[test]
    fn a_socket_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();

        assert!(append(&path).unwrap_err().to_string().contains("access = \"stdout\""));
    }
}
