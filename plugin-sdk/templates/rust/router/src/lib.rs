//! The first part of the host names the cluster: `chat.example.com` goes to the cluster `chat`.

use tidegate_plugin::{
    ConfigError, Decision, Repeats, RequestLine, Response, Router, Target, config, export_router, log,
};

struct ByHost {
    clusters: Vec<String>,
}

impl Router for ByHost {
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        // Without a configuration of its own it is given the list of `[[route]]`, which it needs not.
        config::nothing_but_routes(config)?;
        log::info("routing by the first part of the host");
        Ok(Self { clusters })
    }

    fn route(&mut self, request: &RequestLine) -> Decision {
        let wanted = request.host.split('.').next().unwrap_or_default();
        match (0_u32..).zip(&self.clusters).find(|(_, name)| name.as_str() == wanted) {
            // Path and query travel as they came; settings are those of no `[[route]]`.
            Some((cluster, _)) => Decision::Forward(Target { cluster, path: None, route: None }),
            None => Decision::Respond(Response {
                status: 404,
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                body: b"no cluster is called like the first part of this host\n".to_vec(),
            }),
        }
    }
}

/// Equal requests get equal decisions, so that the gateway may remember them.
impl Repeats for ByHost {}

export_router!(ByHost + Repeats);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake;

    use super::*;

    fn decision(host: &str) -> Decision {
        let mut router = ByHost::configure("null", vec!["admin".to_owned(), "chat".to_owned()]).unwrap();
        router.route(&RequestLine { host: host.to_owned(), ..fake::request() })
    }

    #[test]
    fn the_first_part_of_the_host_names_the_cluster() {
        let chat = Decision::Forward(Target { cluster: 1, path: None, route: None });

        assert_eq!(decision("chat.example.com"), chat);
        assert_eq!(decision("chat"), chat);
    }

    #[test]
    fn another_host_is_not_found() {
        assert!(matches!(decision("mail.example.com"), Decision::Respond(Response { status: 404, .. })));
    }

    #[test]
    fn a_configuration_is_refused() {
        assert!(ByHost::configure(r#"{"x":1}"#, Vec::new()).is_err());
    }
}
