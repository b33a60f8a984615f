//! The `to` of a route.

use std::path::Path;

use super::url::{self, EndpointUrl, UrlFault};

/// The `to` of a route that is not forwarded.
pub(crate) const EXCLUDE: &str = "!";

/// Where a route leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RouteTo {
    /// [`EXCLUDE`]: this gateway does not forward it.
    Exclude,
    /// `balancer://NAME[/path]`
    Balancer {
        /// Lower case.
        name: String,
        /// Empty, or starts with `/`.
        path: String,
    },
    /// One server, and the path there.
    Direct(Box<EndpointUrl>),
}

/// Reads a `to`.
pub(crate) fn parse(to: &str, base: &Path) -> Result<RouteTo, UrlFault> {
    if to == EXCLUDE {
        return Ok(RouteTo::Exclude);
    }
    let Some((scheme, rest)) = to.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("balancer"))
    else {
        if to.starts_with('/') {
            let message = format!("`{to}` is a path, expected a URL");
            let hint = Some("write \"balancer://NAME/path\", or use `redirect` to send the client there".to_owned());
            return Err(UrlFault { message, hint });
        }
        return url::parse(to, base).map(|url| RouteTo::Direct(Box::new(url)));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (name, path) = rest.split_at(end);
    if name.is_empty() {
        let message = format!("no cluster after `{scheme}://`");
        return Err(UrlFault { message, hint: Some("write \"balancer://NAME\" for [cluster.NAME]".to_owned()) });
    }
    let path = url::check_path(path)?.to_owned();
    Ok(RouteTo::Balancer { name: name.to_ascii_lowercase(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balancer_names_are_lower_case_and_paths_are_kept() {
        let read = parse("Balancer://Chat/Web/", Path::new("")).unwrap();

        assert_eq!(read, RouteTo::Balancer { name: "chat".into(), path: "/Web/".into() });
    }

    #[test]
    fn exclusion_and_faults() {
        assert_eq!(parse("!", Path::new("")), Ok(RouteTo::Exclude));
        for to in ["", "/x", "balancer://", "balancer:///x", "balancer://a?x", "chat"] {
            assert!(parse(to, Path::new("")).is_err(), "{to}");
        }
    }
}
