//! What a plugin may decide, by name.

use std::fmt;

/// What a plugin may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleKind {
    /// Who gets the next connection or request.
    Balancer,
    /// Which cluster, which path, or an answer right away.
    Router,
    /// What goes back to the client.
    Rewriter,
}

impl RoleKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Balancer, Self::Router, Self::Rewriter];

    /// As in the contract, logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balancer => "balancer",
            Self::Router => "router",
            Self::Rewriter => "rewriter",
        }
    }
}

impl fmt::Display for RoleKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
