//! Protocols that a client and an endpoint may switch to.

use std::fmt;

/// Name of a protocol in an `Upgrade` field (RFC 9110 §7.8), case left aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UpgradeProtocol {
    /// RFC 6455: frames, which a tunnel can follow.
    Websocket,
    /// Any other, lower case.
    Other(Box<str>),
}

impl UpgradeProtocol {
    /// The name, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Websocket => "websocket",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for UpgradeProtocol {
    fn from(name: &str) -> Self {
        if name.eq_ignore_ascii_case("websocket") {
            Self::Websocket
        } else {
            Self::Other(name.to_ascii_lowercase().into())
        }
    }
}

impl fmt::Display for UpgradeProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
