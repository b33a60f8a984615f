//! The operator's token: one line in a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sha2::{Digest, Sha256};

use crate::files::{self, ReadError};
use crate::net::{RESERVE, is_no_descriptor};

/// Longest token.
const BYTES: usize = 4096;

/// A file that holds a token. It is read anew for each call, so that a change needs no reload.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    /// Whether the last look found no token; logged once, as any stranger can call.
    failing: AtomicBool,
}

/// Its SHA-256 only: it cannot be printed, and the time that comparing digests takes says nothing about the token.
pub(super) struct Token([u8; 32]);

/// Why a file holds no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: ReadError,
    },
    /// It is empty. An empty token would let everybody in.
    #[error("{}: the token file is empty; write a token into it, for example `openssl rand -hex 32`", .0.display())]
    Empty(PathBuf),
    /// It cannot be sent in a header.
    #[error("{}: a token is one line of at most 4096 visible ASCII characters without spaces", .0.display())]
    Unfit(PathBuf),
}

impl TokenFile {
    /// Tries it out.
    pub(super) fn open(path: &Path) -> Result<Self, TokenError> {
        read(path)?;
        Ok(Self { path: path.to_owned(), failing: AtomicBool::new(false) })
    }

    /// The token now; none if the file has none any more, which no caller can match.
    pub(super) fn token(&self) -> Option<Token> {
        match read(&self.path) {
            Ok(token) => {
                self.failing.store(false, Relaxed);
                Some(token)
            }
            Err(error) => {
                if !self.failing.swap(true, Relaxed) {
                    tracing::error!(%error, "admin token cannot be checked, nobody is let in");
                }
                None
            }
        }
    }
}

fn read(path: &Path) -> Result<Token, TokenError> {
    let once = || files::read(path, files::limit::TOKEN);
    let text = match once() {
        Err(ReadError::System(error)) if is_no_descriptor(&error) => RESERVE.lend(once),
        read => read,
    };
    let text = text.map_err(|source| TokenError::Read { path: path.to_owned(), source })?;
    let token = text.trim_ascii();
    if token.is_empty() {
        return Err(TokenError::Empty(path.to_owned()));
    }
    if token.len() > BYTES || !token.iter().all(u8::is_ascii_graphic) {
        return Err(TokenError::Unfit(path.to_owned()));
    }
    Ok(Token::new(token))
}

impl Token {
    pub(super) fn new(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Compares all bytes of both digests, whatever they are.
    pub(super) fn matches(&self, offered: &[u8]) -> bool {
        let offered: [u8; 32] = Sha256::digest(offered).into();
        let difference = self.0.iter().zip(&offered).fold(0, |difference, (ours, theirs)| difference | (ours ^ theirs));
        std::hint::black_box(difference) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_usable_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(matches!(TokenFile::open(&path), Err(TokenError::Read { .. })));

        for (text, good) in [("", false), (" \n", false), ("two words", false), ("s3cret\n", true)] {
            std::fs::write(&path, text).unwrap();

            assert_eq!(TokenFile::open(&path).is_ok(), good, "{text:?}");
        }
        std::fs::write(&path, "x".repeat(5000)).unwrap();
        assert!(matches!(TokenFile::open(&path), Err(TokenError::Unfit(_))));
    }

    #[test]
    fn a_changed_file_counts_at_once_and_an_emptied_one_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "old\n").unwrap();
        let file = TokenFile::open(&path).unwrap();
        assert!(file.token().unwrap().matches(b"old"));

        std::fs::write(&path, "new").unwrap();

        assert!(!file.token().unwrap().matches(b"old"));
        assert!(file.token().unwrap().matches(b"new"));
        std::fs::write(&path, "").unwrap();
        assert!(file.token().is_none());
    }
}
