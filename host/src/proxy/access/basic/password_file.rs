//! A file of users and hashes, as `htpasswd` writes it and Apache reads it (`AuthUserFile`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use super::hash::{HashFault, PasswordHash};
use crate::text::{printable, shortened};

/// Most of a user's name that is shown, in characters.
pub(super) const SHOWN: usize = 64;

/// How many lines with faults are named beside the first.
const NAMED: usize = 20;

/// Longest line. Apache reads no longer ones (`MAX_STRING_LEN`).
const LONGEST: usize = 8192;

/// Users and the hashes of their passwords. Default: nobody.
#[derive(Default)]
pub struct PasswordFile {
    users: HashMap<Box<[u8]>, Arc<PasswordHash>>,
    /// A hash that takes longest to try. None if there is nobody.
    dearest: Option<Arc<PasswordHash>>,
}

/// Why a file of passwords cannot be used. Shows no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {fault}{}", shown_others(.others))]
pub struct PasswordFileFault {
    line: usize,
    fault: LineFault,
    /// Numbers of the other lines that cannot be read.
    others: Vec<usize>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum LineFault {
    #[error("the line has no `:`, expected `name:hash`")]
    NoColon,
    #[error("the line has no name before the `:`")]
    NoName,
    #[error("the line has {0} bytes, expected at most {LONGEST}")]
    Long(usize),
    #[error("what stands behind the name `{user}` is {fault}")]
    Hash { user: String, fault: HashFault },
}

impl PasswordFile {
    /// Reads `content`. What deserves a warning is said to `warn`, one sentence with its line each.
    ///
    /// As Apache does: blanks around a line count for nothing, lines that begin with `#` are comments, what follows a
    /// second colon counts for nothing, and of several lines for one user the first counts.
    ///
    /// # Errors
    /// The first line that cannot be read, and where the others are: whether somebody is let in should not depend on what is left out.
    pub fn read(content: &[u8], mut warn: impl FnMut(String)) -> Result<Self, PasswordFileFault> {
        let mut users: HashMap<_, Arc<PasswordHash>> = HashMap::new();
        // Editors put it there.
        let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
        let mut first: Option<PasswordFileFault> = None;
        for (line, text) in (1_usize..).zip(content.split(|byte| *byte == b'\n')) {
            let text = text.trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let (user, hash) = match (user(text), &mut first) {
                (Ok(read), _) => read,
                (Err(fault), None) => {
                    first = Some(PasswordFileFault { line, fault, others: Vec::new() });
                    continue;
                }
                (Err(_), Some(first)) => {
                    first.others.push(line);
                    continue;
                }
            };
            match users.entry(Box::from(user)) {
                Entry::Vacant(free) => drop(free.insert(Arc::new(hash))),
                Entry::Occupied(_) => {
                    warn(format!(
                        "{line}: user `{}` is there before: the first line counts, as in Apache",
                        shown(user)
                    ));
                }
            }
        }
        if let Some(fault) = first {
            return Err(fault);
        }
        let dearest = users.values().max_by_key(|hash| hash.work()).cloned();
        Ok(Self { users, dearest })
    }

    /// The hash of a user's password.
    pub(super) fn hash_of(&self, user: &[u8]) -> Option<&Arc<PasswordHash>> {
        self.users.get(user)
    }

    /// A hash that takes longest to try: what a try for a user costs who is not there.
    pub(super) fn dearest(&self) -> Option<&Arc<PasswordHash>> {
        self.dearest.as_ref()
    }

    /// Whether there is a user of this name.
    #[must_use]
    pub fn has(&self, user: &str) -> bool {
        self.users.contains_key(user.as_bytes())
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl PasswordFileFault {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match &self.fault {
            LineFault::Hash { user, fault: HashFault::Costly(_) } => {
                format!("make another one: `htpasswd -B -C 10 FILE {user}`")
            }
            LineFault::Hash { user, .. } => format!("make one: `htpasswd -B FILE {user}`"),
            _ => "`htpasswd -B FILE NAME` adds a user; `#` begins a comment".to_owned(),
        }
    }
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordFile").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// Lines beside the first that cannot be read either.
fn shown_others(lines: &[usize]) -> String {
    let named: Vec<_> = lines.iter().take(NAMED).map(ToString::to_string).collect();
    match lines.len().saturating_sub(NAMED) {
        _ if lines.is_empty() => String::new(),
        0 => format!("; as little can be read of line {}", named.join(", ")),
        more => format!("; as little can be read of line {}, and of {more} more", named.join(", ")),
    }
}

/// The name and the hash of one line.
fn user(line: &[u8]) -> Result<(&[u8], PasswordHash), LineFault> {
    if line.len() > LONGEST {
        return Err(LineFault::Long(line.len()));
    }
    let mut parts = line.split(|byte| *byte == b':');
    let (user, hash) = (parts.next().unwrap_or_default(), parts.next().ok_or(LineFault::NoColon)?);
    if user.is_empty() {
        return Err(LineFault::NoName);
    }
    // What is no text is no hash.
    let hash = PasswordHash::read(str::from_utf8(hash).unwrap_or_default());
    hash.map(|hash| (user, hash)).map_err(|fault| LineFault::Hash { user: shown(user), fault })
}

/// A name as it is shown.
pub(super) fn shown(user: &[u8]) -> String {
    printable(&shortened(&String::from_utf8_lossy(user), SHOWN)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=";
    const OTHER: &str = "$apr1$1zHzzHI9$RV1yXR.1SZg4VbWz5aTn50";

    fn read(content: impl AsRef<[u8]>) -> (Result<PasswordFile, PasswordFileFault>, Vec<String>) {
        let mut warnings = Vec::new();
        let read = PasswordFile::read(content.as_ref(), |warning| warnings.push(warning));
        (read, warnings)
    }

    #[test]
    fn users_stand_one_on_a_line() {
        let content = format!(
            "\u{feff}# users\r\n\r\n  ann:{HASH}  \r\nbob:{OTHER}:more: of it\n\t#cid:x\nann:{OTHER}\n\nd e ß:{HASH}"
        );

        let (file, warnings) = read(content);

        let file = file.unwrap();
        let hash = |user: &str| file.hash_of(user.as_bytes()).map(|hash| hash.text());
        assert_eq!((file.len(), hash("ann"), hash("bob"), hash("d e ß")), (3, Some(HASH), Some(OTHER), Some(HASH)));
        assert_eq!((file.has("ann"), file.has("cid"), file.has("#cid")), (true, false, false));
        assert_eq!(file.dearest().map(|hash| hash.text()), Some(OTHER));
        assert_eq!(warnings, ["6: user `ann` is there before: the first line counts, as in Apache"]);
    }

    #[test]
    fn a_file_may_be_empty() {
        for content in ["", "\n\n", "# nobody\n"] {
            let file = read(content).0.unwrap();
            assert!(file.is_empty() && file.dearest().is_none());
        }
    }

    #[test]
    fn a_wrong_line_is_named_and_no_hash_shown() {
        let made = format!("ann:{HASH}\n");
        for (line, said) in [
            ("hunter2", "2: the line has no `:`, expected `name:hash`"),
            (":hunter2", "2: the line has no name before the `:`"),
            (
                "bob:hunter2",
                "2: what stands behind the name `bob` is no hash of a kind that is taken (bcrypt, apr1, SHA-512, SHA-256, \
                 SHA-1): passwords in clear and DES are not",
            ),
            ("b\u{1b}b:$2y$hunter2", "2: what stands behind the name `b\\u{1b}b` is no whole hash of bcrypt"),
            (
                "bob:realm:0123",
                "2: what stands behind the name `bob` is no hash of a kind that is taken (bcrypt, apr1, SHA-512, SHA-256, \
                 SHA-1): passwords in clear and DES are not",
            ),
        ] {
            let fault = read(format!("{made}{line}\n")).0.unwrap_err();

            assert_eq!(fault.to_string(), said);
            assert!(fault.hint().contains("htpasswd -B") && !fault.hint().contains("hunter2"));
        }
        let many = read("ann:x\nbob:{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=\n\ncid:y\nd\n").0.unwrap_err().to_string();
        assert!(many.starts_with("1: ") && many.ends_with("; as little can be read of line 4, 5"), "{many}");
        let many = read("a:x\n".repeat(NAMED + 4)).0.unwrap_err().to_string();
        assert!(many.ends_with(", 20, 21, and of 3 more"), "{many}");
        let long = read(format!("ann:{}", "x".repeat(LONGEST))).0.unwrap_err();
        assert_eq!(long.to_string(), "1: the line has 8196 bytes, expected at most 8192");
    }
}
