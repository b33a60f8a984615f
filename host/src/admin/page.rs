//! The paths that there are.

use std::borrow::Cow;

use ::http::Method;

/// One path of the admin server, or one kind of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Health,
    Ready,
    Metrics,
    Clusters,
    Endpoints,
    Reset,
    Changes,
    Plugins,
    Generations,
    Rollback,
    Reload,
}

/// What stands for a cluster in [`Page::path`].
const NAME: &str = "{name}";

impl Page {
    pub(super) const ALL: [Self; 11] = [
        Self::Health,
        Self::Ready,
        Self::Metrics,
        Self::Clusters,
        Self::Endpoints,
        Self::Reset,
        Self::Changes,
        Self::Plugins,
        Self::Generations,
        Self::Rollback,
        Self::Reload,
    ];

    /// The page at `path`, and the cluster that the path names; empty if that kind of path names none.
    pub(super) fn find(path: &str) -> Option<(Self, String)> {
        Self::ALL.into_iter().find_map(|page| page.matches(path).map(|name| (page, name.into_owned())))
    }

    fn matches(self, path: &str) -> Option<Cow<'_, str>> {
        let Some((before, after)) = self.path().split_once(NAME) else {
            return (path == self.path()).then_some(Cow::Borrowed(""));
        };
        let name = path.strip_prefix(before)?.strip_suffix(after)?;
        // A direct route's cluster is named by a URL: its slashes are escaped here.
        (!name.is_empty() && !name.contains('/')).then(|| unescaped(name))
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Clusters => "/api/v1/clusters",
            Self::Endpoints => "/api/v1/clusters/{name}/endpoints",
            Self::Reset => "/api/v1/clusters/{name}/endpoints/reset",
            Self::Changes => "/api/v1/changes",
            Self::Plugins => "/api/v1/plugins",
            Self::Generations => "/api/v1/generations",
            Self::Rollback => "/api/v1/rollback",
            Self::Reload => "/api/v1/reload",
        }
    }

    /// For `Allow`.
    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::Rollback | Self::Reload | Self::Reset => "POST",
            Self::Endpoints => "GET, HEAD, POST, PATCH, DELETE",
            Self::Changes => "GET, HEAD, DELETE",
            _ => "GET, HEAD",
        }
    }

    /// Keys that a query may have.
    pub(super) fn query(self, method: &Method) -> &'static [&'static str] {
        match (self, method.as_str()) {
            (Self::Endpoints, "PATCH" | "DELETE") | (Self::Reset, _) => &["url"],
            (Self::Changes, "DELETE") => &["cluster", "url"],
            _ => &[],
        }
    }

    /// Whether a call of this method carries a document.
    pub(super) fn reads(self, method: &Method) -> bool {
        self == Self::Endpoints && matches!(method.as_str(), "POST" | "PATCH")
    }

    pub(super) fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|known| known == method.as_str())
    }

    /// Whether it is for probes, which send no token.
    pub(super) fn is_probe(self) -> bool {
        matches!(self, Self::Health | Self::Ready)
    }
}

/// A path segment without its escapes. Target reading has refused those that are none.
fn unescaped(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    // The same escapes as a query's value, but for `+`, which means itself here.
    let literal = format!("name={}", segment.replace('+', "%2B"));
    let name = form_urlencoded::parse(literal.as_bytes()).next().map(|(_, value)| value.into_owned());
    Cow::Owned(name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_a_cluster() {
        for (path, found) in [
            ("/api/v1/clusters", Some((Page::Clusters, ""))),
            ("/api/v1/clusters/chat/endpoints", Some((Page::Endpoints, "chat"))),
            ("/api/v1/clusters/chat/endpoints/reset", Some((Page::Reset, "chat"))),
            ("/api/v1/clusters/ws:%2F%2F10.0.0.1:80/endpoints", Some((Page::Endpoints, "ws://10.0.0.1:80"))),
            ("/api/v1/clusters/a+b%20c/endpoints", Some((Page::Endpoints, "a+b c"))),
            ("/api/v1/clusters//endpoints", None),
            ("/api/v1/clusters/a/b/endpoints", None),
            ("/api/v1/clusters/chat", None),
            ("/api/v1/clusters/chat/endpoints/", None),
        ] {
            assert_eq!(Page::find(path), found.map(|(page, name)| (page, name.to_owned())), "{path}");
        }
    }
}
