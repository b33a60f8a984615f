//! Whether this user and root alone can put something into a folder.

use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Write permission of the group and of everybody; and the bit by which only its owner may replace a file.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// The folder cannot be made or looked at.
    #[error("cannot be used: {0}")]
    Unusable(#[from] io::Error),
    /// Another user owns it or a folder above it.
    #[error(
        "{} belongs to user {owner}; make it belong to the user that runs the gateway, or name another folder",
        path.display()
    )]
    Foreign { path: PathBuf, owner: u32 },
    /// Another user may write to it or to a folder above it.
    #[error(
        "others may write to {} (mode {mode:o}); remove what is in it and `chmod go-w` it, or name another folder",
        path.display()
    )]
    Open { path: PathBuf, mode: u32 },
}

/// Makes `folder` where there is none, for this user alone, and returns its real path.
///
/// # Errors
/// If another user could put files into it, or exchange it or a folder above it.
pub(super) fn open(folder: &Path) -> Result<PathBuf, FolderError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // From here on the real path: what was a link is none any more.
    let folder = std::fs::canonicalize(folder)?;
    let user = rustix::process::geteuid().as_raw();
    for path in folder.ancestors() {
        let metadata = path.metadata()?;
        check(path, &metadata, user, path != folder)?;
    }
    Ok(folder)
}

fn check(path: &Path, metadata: &Metadata, user: u32, is_parent: bool) -> Result<(), FolderError> {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if owner != user && owner != 0 {
        return Err(FolderError::Foreign { path: path.to_owned(), owner });
    }
    if !metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
    }
    let kept_apart = is_parent && mode & STICKY != 0;
    if mode & OTHERS_WRITE != 0 && !kept_apart {
        return Err(FolderError::Open { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_made_for_this_user_alone() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/b");

        let opened = open(&folder).unwrap();

        assert_eq!(opened.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(open(&folder).unwrap(), opened, "the second time it is there");
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_used() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("cache");
        create_dir(&folder).unwrap();
        for (of_folder, of_parent, fine) in [
            (0o700, 0o700, true),
            (0o755, 0o755, true),
            (0o777, 0o755, false),
            (0o775, 0o755, false),
            (0o1777, 0o755, false),
            (0o700, 0o777, false),
            (0o700, 0o1777, true),
        ] {
            mode(&folder, of_folder);
            mode(above.path(), of_parent);

            let opened = open(&folder);

            assert_eq!(opened.is_ok(), fine, "{of_folder:o} in {of_parent:o}: {opened:?}");
            assert_eq!(folder.metadata().unwrap().mode() & 0o7777, of_folder, "it is left as it is");
        }
    }

    #[test]
    fn links_are_followed_to_what_they_stand_for() {
        let above = tempfile::tempdir().unwrap();
        let (real, link) = (above.path().join("real"), above.path().join("link"));
        create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        mode(&real, 0o700);
        assert_eq!(open(&link).unwrap(), std::fs::canonicalize(&real).unwrap());

        mode(&real, 0o777);

        assert!(matches!(open(&link), Err(FolderError::Open { .. })));
    }

    #[test]
    fn another_users_folder_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = folder.path().metadata().unwrap();

        let refused = check(folder.path(), &metadata, metadata.uid() + 1, false);

        // Root's folder is everybody's to use.
        assert_eq!(refused.is_ok(), metadata.uid() == 0, "{refused:?}");
        let error = FolderError::Foreign { path: "/x".into(), owner: 65_534 };
        assert!(error.to_string().contains("/x belongs to user 65534"));
    }
}
