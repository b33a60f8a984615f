//! The files of names and passwords, read once for a generation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::{BasicAuthConfig, Config};
use crate::files::{self, limit};
use crate::gateway::error::PrepareError;
use crate::proxy::{BasicAuth, PasswordChecks, PasswordFile};

/// What there is of each file, by its path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passwords {
    files: BTreeMap<PathBuf, ReadPasswords>,
    /// What works in them, but deserves a warning: one sentence each.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug)]
struct ReadPasswords {
    file: Arc<PasswordFile>,
    digest: Vec<u8>,
}

impl Passwords {
    /// Reads every file that `config` names.
    pub(super) fn read(config: &Config) -> Result<Self, PrepareError> {
        let mut passwords = Self::default();
        for path in config.password_files() {
            if passwords.files.contains_key(path) {
                continue;
            }
            let content = files::read(path, limit::PASSWORDS);
            let content = content.map_err(|source| PrepareError::File { path: path.clone(), source })?;
            let warn = |warning| passwords.warnings.push(format!("{}:{warning}", path.display()));
            let file = PasswordFile::read(&content, warn);
            let file = file.map_err(|fault| PrepareError::Passwords { path: path.clone(), fault })?;
            let read = ReadPasswords { file: Arc::new(file), digest: Sha256::digest(&content).to_vec() };
            passwords.files.insert(path.clone(), read);
        }
        for route in &config.routes {
            if let Some(basic) = &route.access.basic {
                passwords.warn_of_nobody(&route.name, basic);
            }
        }
        Ok(passwords)
    }

    /// SHA-256 of what a file holds, if it is one of these.
    pub(super) fn digest(&self, path: &PathBuf) -> Option<&[u8]> {
        self.files.get(path).map(|read| read.digest.as_slice())
    }

    /// Whether a file of both has changed.
    pub(crate) fn has_changed(&self, before: &Self) -> bool {
        self.files.iter().any(|(path, read)| before.digest(path).is_some_and(|digest| digest != read.digest))
    }

    /// The users that a route lets in. Without a file, nobody.
    pub(crate) fn basic_auth(&self, config: &BasicAuthConfig, checks: &Arc<PasswordChecks>) -> BasicAuth {
        let read = config.file.as_ref().and_then(|path| self.files.get(path));
        let file = read.map_or_else(|| Arc::new(PasswordFile::default()), |read| read.file.clone());
        BasicAuth::new(file, config.users.as_deref(), &config.realm, checks.clone())
    }

    /// Warns of users that are not in the file. No fault: whoever takes somebody out of the file has to be obeyed at once.
    fn warn_of_nobody(&mut self, route: &str, basic: &BasicAuthConfig) {
        let Some((path, read)) = basic.file.as_ref().and_then(|path| self.files.get_key_value(path)) else { return };
        let shown = path.display();
        let users = basic.users.iter().flatten().filter(|user| !read.file.has(user));
        let absent = users.map(|user| format!("`users` of the route {route}: there is no {user:?} in {shown}"));
        let empty = read.file.is_empty().then(|| format!("{shown} has no users: the route {route} lets nobody in"));
        self.warnings.extend(absent.chain(empty));
    }
}
