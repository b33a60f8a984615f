//! Names and passwords of users (HTTP's Basic authentication, RFC 7617), by a file of Apache's `htpasswd`.
//!
//! ```text
//! Authorization ─▶ Credentials ─┬─ known ─────────────────────────▶ let in, at once
//!                               └─ PasswordChecks (a thread aside) ─┬▶ right: known from now on
//!                                                                   ├▶ wrong: 401
//!                                                                   ╰▶ too many at once: 503
//! ```

mod apr1;
mod checks;
mod credentials;
mod crypt64;
mod hash;
mod known;
mod password_file;

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue};

pub use checks::PasswordChecks;
use credentials::Credentials;
pub use password_file::{PasswordFile, PasswordFileFault};

use crate::telemetry::AccessEnding;

/// Users that a route lets in.
#[derive(Clone)]
pub struct BasicAuth {
    file: Arc<PasswordFile>,
    /// Of the file, only these; none: all.
    only: Option<HashSet<Box<[u8]>>>,
    /// What clients are asked by.
    challenge: HeaderValue,
    checks: Arc<PasswordChecks>,
}

/// Why a client is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::proxy) enum LoginFault {
    /// It shows no name and password, or none that can be read. Clients are asked by this.
    #[error("the route asks for a name and a password")]
    Missing(HeaderValue),
    /// The route lets nobody of this name and password in. Clients are asked by this.
    #[error("the route does not know this name and password")]
    Wrong(HeaderValue),
    /// There are too many logins under way.
    #[error("too many logins are under way")]
    TooMany,
}

/// What a client calls itself.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::proxy) struct UserName(Box<[u8]>);

impl BasicAuth {
    /// Lets in users of `file`, of those only `only`, and asks by the name `realm`, which is printable ASCII without
    /// quotes and backslashes.
    #[must_use]
    pub fn new(file: Arc<PasswordFile>, only: Option<&[String]>, realm: &str, checks: Arc<PasswordChecks>) -> Self {
        let only = only.map(|only| only.iter().map(|user| user.as_bytes().into()).collect());
        let challenge = HeaderValue::try_from(format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
        let challenge = challenge.unwrap_or(HeaderValue::from_static("Basic realm=\"\", charset=\"UTF-8\""));
        Self { file, only, challenge, checks }
    }

    /// Who makes a request, if that is known without trying a password.
    pub(super) fn known(&self, headers: &HeaderMap) -> Option<UserName> {
        let credentials = Credentials::of(headers).ok()?;
        let hash = self.file.hash_of(credentials.name()).filter(|_| self.may(&credentials))?;
        let tag = self.checks.known.tag(&credentials, hash)?;
        self.checks.known.has(&tag).then(|| UserName(credentials.name().into()))
    }

    /// Who makes a request, which may take trying a password.
    ///
    /// # Errors
    /// [`LoginFault`], and who it was.
    pub(super) async fn ask(
        &self,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<UserName, (LoginFault, Option<UserName>)> {
        let Ok(credentials) = Credentials::of(headers) else {
            return Err((LoginFault::Missing(self.challenge.clone()), None));
        };
        let user = UserName(credentials.name().into());
        let hash = self.file.hash_of(credentials.name()).filter(|_| self.may(&credentials));
        // Somebody who is not there takes as long as somebody who is: else, time would tell who is.
        let (Some(tried), is_there) = (hash.or(self.file.dearest()), hash.is_some()) else {
            return Err((LoginFault::Wrong(self.challenge.clone()), Some(user)));
        };
        let tag = self.checks.known.tag(&credentials, tried).filter(|_| is_there);
        match self.checks.matches(credentials, tried.clone(), tag, client).await {
            Ok(true) if is_there => Ok(user),
            Ok(_) => Err((LoginFault::Wrong(self.challenge.clone()), Some(user))),
            Err(checks::TooManyLogins) => Err((LoginFault::TooMany, Some(user))),
        }
    }

    /// Whether the route lets a user of this name in at all.
    fn may(&self, credentials: &Credentials) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(credentials.name()))
    }
}

impl LoginFault {
    /// What the client is told.
    pub(in crate::proxy) fn sentence(&self) -> &'static str {
        match self {
            Self::Missing(_) => "a name and a password are asked for here",
            Self::Wrong(_) => "nobody of this name and password is let in here",
            Self::TooMany => "too many logins are under way: try again later",
        }
    }

    /// How it ends a request.
    pub(in crate::proxy) fn ending(&self) -> AccessEnding {
        match self {
            Self::Missing(_) => AccessEnding::LoginMissing,
            Self::Wrong(_) => AccessEnding::LoginWrong,
            Self::TooMany => AccessEnding::LoginTooMany,
        }
    }

    /// What clients are asked by.
    pub(in crate::proxy) fn challenge(&self) -> Option<&HeaderValue> {
        match self {
            Self::Missing(challenge) | Self::Wrong(challenge) => Some(challenge),
            Self::TooMany => None,
        }
    }
}

impl UserName {
    /// All of it, if it is text.
    pub(in crate::proxy) fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }

    /// As it is shown: shortened, and made harmless.
    pub(in crate::proxy) fn shown(&self) -> String {
        password_file::shown(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("file", &self.file).finish_non_exhaustive()
    }
}
