//! The first part of the path names the cluster: `/chat/room` goes to the cluster `chat`.

use tidegate_plugin::{ConfigError, Decision, Repeats, RequestLine, Router, Target, config, export_router, log};

struct ByPath {
    clusters: Vec<String>,
}

impl Router for ByPath {
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        // Without a configuration of its own it is given the list of `[[route]]`, which it needs not.
        config::nothing_but_routes(config)?;
        log::info("routing by the first part of the path");
        Ok(Self { clusters })
    }

    fn route(&mut self, request: &RequestLine) -> Decision {
        let wanted = request.path.split('/').nth(1).unwrap_or_default();
        match (0_u32..).zip(&self.clusters).find(|(_, name)| name.as_str() == wanted) {
            // Path and query travel as they came; settings are those of no `[[route]]`.
            Some((cluster, _)) => Decision::Forward(Target { cluster, path: None, route: None }),
            None => Decision::Unmatched,
        }
    }
}

/// Equal requests get equal decisions, so that the gateway may remember them.
impl Repeats for ByPath {}

export_router!(ByPath + Repeats);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake;

    use super::*;

    fn decision(path: &str) -> Decision {
        let mut router = ByPath::configure("null", vec!["admin".to_owned(), "chat".to_owned()]).unwrap();
        router.route(&RequestLine { path: path.to_owned(), ..fake::request() })
    }

    #[test]
    fn the_first_part_of_the_path_names_the_cluster() {
        let chat = Decision::Forward(Target { cluster: 1, path: None, route: None });

        assert_eq!(decision("/chat/room"), chat);
        assert_eq!(decision("/chat"), chat);
    }

    #[test]
    fn another_path_matches_nothing() {
        assert_eq!(decision("/mail/chat"), Decision::Unmatched);
        assert_eq!(decision("/"), Decision::Unmatched);
    }

    #[test]
    fn a_configuration_is_refused() {
        assert!(ByPath::configure(r#"{"x":1}"#, Vec::new()).is_err());
    }
}
