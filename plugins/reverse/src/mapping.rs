//! The way back: what an endpoint says of itself, as the client knows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tidegate_plugin::{ConfigError, fault};

use crate::origin::{Origin, split_port, without_default_port};

/// What stands around a value. No other blanks: a value that is not UTF-8 is shown byte for byte, and 0xA0 is one of
/// it.
pub const BLANKS: [char; 2] = [' ', '\t'];

/// The configuration as the gateway writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// By number of the `[[route]]`; none where nothing is mapped.
    pub routes: Vec<Option<Route>>,
}

/// How one route mapped the request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The client's side.
    pub path: String,
    /// The endpoint's side.
    pub to_path: String,
    /// URLs of the endpoints; one with a path has it in front of `to_path`. Of `unix:/run/app.sock|http://host/path`
    /// counts what follows the last `|`.
    pub origins: Vec<String>,
}

/// How the client reached the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Whether by TLS.
    pub secure: bool,
    /// Its Host, port included if it was sent; may be empty (HTTP/1.0).
    pub host: &'a str,
}

impl<'a> Client<'a> {
    fn origin(self) -> String {
        match self.host {
            "" => String::new(),
            host => {
                let scheme = if self.secure { "https" } else { "http" };
                format!("{scheme}://{}", without_default_port(host, self.secure))
            }
        }
    }

    pub(crate) fn name(self) -> &'a str {
        split_port(self.host).0
    }
}

/// One route, ready for use. What it costs does not depend on how many endpoints there are.
#[derive(Debug)]
pub struct Mapping {
    /// The client's side as written, and without a slash at its end.
    path: String,
    stem: String,
    /// What endpoints put in front of the route's paths, by how they know themselves.
    by_origin: BTreeMap<Origin, Prefixes>,
    all: Prefixes,
    hosts: BTreeSet<String>,
}

/// Prefixes of paths, none of them with a slash at its end; the first of those that fit counts.
#[derive(Debug, Default)]
struct Prefixes {
    /// With their turn.
    turns: BTreeMap<String, usize>,
    /// Bytes of the longest.
    longest: usize,
}

impl Mapping {
    /// Checks what was written; `at` is its JSON pointer.
    ///
    /// # Errors
    /// The first fault.
    pub fn new(route: Route, at: &str) -> Result<Self, ConfigError> {
        if !route.path.starts_with('/') {
            return Err(fault(format!("{at}/path"), format!("expected a path that starts with /: {}", route.path)));
        }
        let (mut by_origin, mut all, mut hosts) =
            (BTreeMap::<Origin, Prefixes>::new(), Prefixes::default(), BTreeSet::new());
        for (number, url) in route.origins.iter().enumerate() {
            let wrong = || fault(format!("{at}/origins/{number}"), format!("expected a ws or http URL: {url}"));
            let (origin, base) = Origin::split(as_named(url)).ok_or_else(wrong)?;
            let prefix = format!("{base}{}", route.to_path);
            let prefix = prefix.trim_end_matches('/');
            hosts.insert(origin.host().to_owned());
            all.add(prefix, number);
            by_origin.entry(origin).or_default().add(prefix, number);
        }
        Ok(Self { stem: route.path.trim_end_matches('/').to_owned(), path: route.path, by_origin, all, hosts })
    }

    /// The client's URL for `url`, if it leads to an endpoint of this route; none leaves it alone.
    #[must_use]
    pub fn location(&self, url: &str, client: Client<'_>) -> Option<String> {
        let (origin, tail) = Origin::split(url)?;
        let (_, rest) = self.by_origin.get(&origin)?.split(tail)?;
        let mut mapped = client.origin();
        if rest.starts_with('/') {
            mapped.push_str(&self.stem);
        } else {
            mapped.push_str(&self.path);
        }
        mapped.push_str(rest);
        Some(mapped)
    }

    /// The client's path for a cookie's `path`, as set by `endpoint`.
    #[must_use]
    pub fn cookie_path(&self, path: &str, endpoint: &str) -> Option<String> {
        let answerer = Origin::split(as_named(endpoint)).and_then(|(origin, _)| self.by_origin.get(&origin));
        let (prefix, rest) = answerer.and_then(|own| own.split(path)).or_else(|| self.all.split(path))?;
        Some(match rest {
            "" => self.path.clone(),
            // All that this endpoint has: "/app" covers "/app/", but not the other way round.
            "/" if prefix.is_empty() => self.path.clone(),
            _ => format!("{}{rest}", self.stem),
        })
    }

    /// The client's host for a cookie's `domain`, a leading dot kept.
    #[must_use]
    pub fn cookie_domain(&self, domain: &str, client: Client<'_>) -> Option<String> {
        let (dot, name) = domain.strip_prefix('.').map_or(("", domain), |name| (".", name));
        let known = self.hosts.contains(&name.to_ascii_lowercase());
        (known && !client.name().is_empty()).then(|| format!("{dot}{}", client.name()))
    }
}

impl Prefixes {
    fn add(&mut self, prefix: &str, turn: usize) {
        self.longest = self.longest.max(prefix.len());
        self.turns.entry(prefix.to_owned()).or_insert(turn);
    }

    /// The first prefix that fits, and what follows it. It must end on a boundary: `/appfoo` is not below `/app`.
    fn split<'a>(&self, tail: &'a str) -> Option<(&'a str, &'a str)> {
        let boundaries = tail.match_indices(['/', '?', '#']).map(|(at, _)| at).chain([tail.len()]);
        let fitting = boundaries.take_while(|at| *at <= self.longest).filter_map(|at| {
            let (prefix, rest) = tail.split_at_checked(at)?;
            Some((self.turns.get(prefix)?, (prefix, rest)))
        });
        fitting.min_by_key(|(turn, _)| **turn).map(|(_, parts)| parts)
    }
}

/// The URL by which an endpoint knows itself: one behind a unix socket is sent the Host that follows the last `|`.
fn as_named(url: &str) -> &str {
    match url.rsplit_once('|') {
        _ if !url.starts_with("unix:") => url,
        Some((_, named)) if !named.is_empty() => named,
        _ => "http://localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: Client<'static> = Client { secure: false, host: "front.example" };

    fn mapping(path: &str, to_path: &str, origins: &[&str]) -> Mapping {
        let origins = origins.iter().map(|url| (*url).to_owned()).collect();
        Mapping::new(Route { path: path.to_owned(), to_path: to_path.to_owned(), origins }, "/routes/0").unwrap()
    }

    #[test]
    fn locations_map_back() {
        let app = mapping("/app", "/app", &["http://127.0.0.1:28101"]);
        let root = mapping("/", "/", &["http://root.example"]);
        let bare = mapping("/foo", "", &["http://h"]);
        let slashes = mapping("/both/", "/bar/", &["http://h"]);
        let ws = mapping("/ws", "/ws", &["ws://wsb.example:9000"]);
        let pool = mapping("/bal", "/alias", &["http://127.0.0.1:28101/m", "http://other.example:8080/foo"]);
        let socket = mapping("/sock", "/in", &["unix:/run/a|b.sock|http://inner.example:81/base", "unix:/run/c.sock"]);
        let table: &[(&Mapping, &str, Option<&str>)] = &[
            (&app, "http://127.0.0.1:28101/app/y", Some("http://front.example/app/y")),
            (&app, "http://127.0.0.1:28101/app", Some("http://front.example/app")),
            (&app, "http://127.0.0.1:28101/app?x#y", Some("http://front.example/app?x#y")),
            (&app, "HTTP://127.0.0.1:28101/app/y", Some("http://front.example/app/y")),
            (&app, "ws://127.0.0.1:28101/app/y", Some("http://front.example/app/y")),
            (&app, "http://127.0.0.1:28101/appfoo", None),
            (&app, "http://127.0.0.1:28101/APP/y", None),
            (&app, "http://127.0.0.1:28101/other", None),
            (&app, "http://127.0.0.1/app/y", None),
            (&app, "https://127.0.0.1:28101/app/y", None),
            (&app, "/app/y", None),
            (&app, "relative", None),
            (&root, "http://root.example/q", Some("http://front.example/q")),
            (&root, "http://root.example:80/", Some("http://front.example/")),
            (&root, "http://root.example", Some("http://front.example/")),
            (&root, "http://root.example?x", Some("http://front.example/?x")),
            (&bare, "http://h/q", Some("http://front.example/foo/q")),
            (&bare, "http://h/", Some("http://front.example/foo/")),
            (&bare, "http://h", Some("http://front.example/foo")),
            (&slashes, "http://h/bar/x", Some("http://front.example/both/x")),
            (&slashes, "http://h/bar/", Some("http://front.example/both/")),
            (&slashes, "http://h/bar", Some("http://front.example/both/")),
            (&ws, "ws://wsb.example:9000/ws/x", Some("http://front.example/ws/x")),
            (&ws, "http://WSB.example:9000/ws/x", Some("http://front.example/ws/x")),
            (&pool, "http://127.0.0.1:28101/m/alias/q", Some("http://front.example/bal/q")),
            (&pool, "http://OTHER.example:8080/foo/alias/z", Some("http://front.example/bal/z")),
            (&pool, "http://other.example:8080/foo/ALIAS/z", None),
            (&pool, "http://other.example:8080/m/alias/z", None),
            (&socket, "http://inner.example:81/base/in/x", Some("http://front.example/sock/x")),
            (&socket, "http://localhost/in/x", Some("http://front.example/sock/x")),
            (&socket, "http://inner.example/base/in/x", None),
        ];

        for (mapping, url, expected) in table {
            assert_eq!(mapping.location(url, FRONT).as_deref(), *expected, "{url}");
        }
    }

    #[test]
    fn the_client_is_named_as_it_named_the_gateway() {
        let app = mapping("/app", "/app", &["http://h"]);
        let table = [
            (false, "front.example:8080", "http://front.example:8080/app/y"),
            (false, "front.example:80", "http://front.example/app/y"),
            (true, "front.example:443", "https://front.example/app/y"),
            (true, "front.example:80", "https://front.example:80/app/y"),
            (false, "[::1]:99", "http://[::1]:99/app/y"),
            (false, "", "/app/y"),
        ];

        for (secure, host, expected) in table {
            assert_eq!(app.location("http://h/app/y", Client { secure, host }).as_deref(), Some(expected));
        }
    }

    #[test]
    fn cookies_of_the_unix_socket_that_answered_come_first() {
        let sockets = ["unix:/run/a.sock|http://a/m", "unix:/run/b.sock|http://b/m/in"];
        let mapping = mapping("/p", "/in", &sockets);

        assert_eq!(mapping.cookie_path("/m/in/in/x", sockets[0]).as_deref(), Some("/p/in/x"));
        assert_eq!(mapping.cookie_path("/m/in/in/x", sockets[1]).as_deref(), Some("/p/x"));
    }

    #[test]
    fn faults_name_their_place() {
        let route = |path: &str, url: &str| Route { path: path.into(), to_path: "/".into(), origins: vec![url.into()] };

        assert_eq!(Mapping::new(route("x", "ws://h"), "/routes/2").unwrap_err().path, "/routes/2/path");
        assert_eq!(Mapping::new(route("/x", "h:1"), "/routes/2").unwrap_err().path, "/routes/2/origins/0");
    }
}
