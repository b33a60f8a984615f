//! Who may use a route.

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
}

impl AccessConfig {
    /// Whether everybody may.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Self { allow, deny, origins } = self;
        allow.is_empty() && deny.is_empty() && origins.is_empty()
    }
}
