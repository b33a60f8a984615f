//! Where a path of a configuration leads, on the machine that the configuration is from or on another.

use std::path::{Path, PathBuf};

/// Folders that Apache's own packages have as their server root.
const USUAL: [&str; 5] =
    ["/etc/apache2", "/etc/httpd", "/usr/local/apache2", "/usr/local/etc/apache24", "/opt/homebrew/etc/httpd"];

/// Folders of a server root that files are in which are read by an Include.
const INSIDE: [&str; 12] = [
    "sites-enabled",
    "sites-available",
    "conf-enabled",
    "conf-available",
    "mods-enabled",
    "mods-available",
    "conf.d",
    "vhosts.d",
    "conf.modules.d",
    "conf",
    "extra",
    "vhosts",
];

/// What relative paths are relative to.
#[derive(Debug)]
pub(super) struct ServerRoot {
    /// What the person said, or the folder that was to be read: absolute paths below the usual root lead below it too.
    given: Option<PathBuf>,
    /// What the configuration says.
    declared: Option<PathBuf>,
    /// What is left.
    guessed: PathBuf,
}

impl ServerRoot {
    /// For a configuration whose first file is `file`.
    pub(super) fn new(given: Option<&Path>, file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        let is_inside = folder.file_name().is_some_and(|name| INSIDE.iter().any(|inside| name == *inside));
        let guessed = if is_inside { folder.parent().unwrap_or(folder) } else { folder };
        Self { given: given.map(Path::to_owned), declared: None, guessed: guessed.to_owned() }
    }

    /// `ServerRoot PATH`
    pub(super) fn declare(&mut self, path: &str) {
        self.declared = Some(PathBuf::from(path));
    }

    /// Where `path` may lead, the best first.
    pub(super) fn leads(&self, path: &str) -> Vec<PathBuf> {
        let path = Path::new(path);
        if path.is_relative() {
            let declared = self.declared.as_deref().filter(|declared| declared.is_dir());
            return vec![self.given.as_deref().or(declared).unwrap_or(&self.guessed).join(path)];
        }
        let mut leads = Vec::new();
        if let Some(given) = &self.given {
            let roots = self.declared.iter().map(PathBuf::as_path).chain(USUAL.iter().map(Path::new));
            leads.extend(roots.filter_map(|root| path.strip_prefix(root).ok()).map(|below| given.join(below)).take(1));
        }
        leads.push(path.to_owned());
        leads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_below_the_root_that_is_known_best() {
        let here = tempfile::tempdir().unwrap();
        let lead = |root: &ServerRoot| root.leads("conf.d/x").remove(0);

        let mut root = ServerRoot::new(None, Path::new("etc/apache2.conf"));
        assert_eq!(lead(&root), Path::new("etc/conf.d/x"));
        assert_eq!(lead(&ServerRoot::new(None, Path::new("etc/sites-enabled/a"))), Path::new("etc/conf.d/x"));
        root.declare("/no/such/folder");
        assert_eq!(lead(&root), Path::new("etc/conf.d/x"), "the root of another machine");
        root.declare(here.path().to_str().unwrap());
        assert_eq!(lead(&root), here.path().join("conf.d/x"));
        root.given = Some("mine".into());
        assert_eq!(lead(&root), Path::new("mine/conf.d/x"));
    }

    #[test]
    fn a_copy_is_looked_at_before_the_place_that_it_was_taken_from() {
        let copy = ServerRoot::new(Some(Path::new("copy")), Path::new("copy/apache2.conf"));

        assert_eq!(
            copy.leads("/etc/apache2/ports.conf"),
            [Path::new("copy/ports.conf"), Path::new("/etc/apache2/ports.conf")]
        );
        assert_eq!(copy.leads("/srv/x.conf"), [Path::new("/srv/x.conf")]);
    }
}
