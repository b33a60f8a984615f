//! Who may use a route.

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
    /// Who is asked who a client is.
    pub forward: Option<ForwardAuthConfig>,
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
        let Self { allow, deny, origins, forward } = self;
        allow.is_empty() && deny.is_empty() && origins.is_empty() && forward.is_none()
    }
}
