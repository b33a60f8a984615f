//! Who may use a route.

use std::path::PathBuf;
use std::time::Duration;

use ::http::HeaderName;
use ipnet::IpNet;

use crate::net::AllowedOrigin;

/// Who may use a route. Default: everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessConfig {
    /// Networks that clients may come from; empty: every one.
    pub allow: Vec<IpNet>,
    /// Networks that clients may not come from, whatever `allow` says.
    pub deny: Vec<IpNet>,
    /// Pages that may switch protocols; empty: every one.
    pub origins: Vec<AllowedOrigin>,
    /// Users that may, by name and password. Default: nobody is asked.
    pub basic: Option<BasicAuthConfig>,
    /// Who is asked who a client is.
    pub forward: Option<ForwardAuthConfig>,
}

/// `basic_auth`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicAuthConfig {
    /// Names and hashes, as `htpasswd` writes them. None where it is not there and is done without: then nobody is let in.
    pub file: Option<PathBuf>,
    /// What clients show to who is asked. Printable ASCII without quotes and backslashes. Default
    /// `Restricted`.
    pub realm: String,
    /// The users of the file that are let in; none: all.
    pub users: Option<Vec<String>>,
}

/// `forward_auth = { … }`: a server that is asked for every request of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardAuthConfig {
    /// Name of its cluster, which exists.
    pub cluster: String,
    /// What is asked for there: a path, and perhaps a query.
    pub path: String,
    /// Fields of its response that go on with the request; each once.
    pub headers: Vec<HeaderName>,
    /// To the end of its response. Default 5 s.
    pub timeout: Duration,
}

impl AccessConfig {
    /// Whether everybody may.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Self { allow, deny, origins, basic, forward } = self;
        allow.is_empty() && deny.is_empty() && origins.is_empty() && basic.is_none() && forward.is_none()
    }
}
