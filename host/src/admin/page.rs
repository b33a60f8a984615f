//! The paths that there are.

use ::http::Method;

/// One path of the admin server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Health,
    Ready,
    Metrics,
    Clusters,
    Plugins,
    Generations,
    Rollback,
    Reload,
}

impl Page {
    pub(super) const ALL: [Self; 8] = [
        Self::Health,
        Self::Ready,
        Self::Metrics,
        Self::Clusters,
        Self::Plugins,
        Self::Generations,
        Self::Rollback,
        Self::Reload,
    ];

    pub(super) fn find(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.path() == path)
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Clusters => "/api/v1/clusters",
            Self::Plugins => "/api/v1/plugins",
            Self::Generations => "/api/v1/generations",
            Self::Rollback => "/api/v1/rollback",
            Self::Reload => "/api/v1/reload",
        }
    }

    /// For `Allow`.
    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::Rollback | Self::Reload => "POST",
            _ => "GET, HEAD",
        }
    }

    pub(super) fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|known| known == method.as_str())
    }

    /// Whether it is for probes, which send no token.
    pub(super) fn is_probe(self) -> bool {
        matches!(self, Self::Health | Self::Ready)
    }
}
