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
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The client's side.
    pub path: String,
    /// The endpoint's side.
    pub to_path: String,
    /// URLs of the endpoints; one with a path has it in front of `to_path`. Of `unix:/run/app.sock|http://host/path`
    /// counts what follows the last `|`.
    pub origins: Vec<String>,
    /// URLs of others whose paths are those of the client's side, too: each whole, with no `to_path` behind it.
    #[serde(default)]
    pub further: Vec<String>,
    /// Whether a location that is a path alone is one of the endpoint's side.
    #[serde(default)]
    pub paths: bool,
    /// What the client knows paths of cookies as that begin so; before what the rest says of them.
    #[serde(default)]
    pub cookie_paths: BTreeMap<String, String>,
    /// What the client knows domains of cookies as; before what the rest says of them.
    #[serde(default)]
    pub cookie_domains: BTreeMap<String, String>,
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
    /// Whether locations that are paths are mapped.
    paths: bool,
    cookie_paths: Prefixes,
    /// In the turns of these.
    shown_paths: Vec<String>,
    /// Lower case, without a dot in front.
    cookie_domains: BTreeMap<String, String>,
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
        let wrong = |key: &str, number, url: &str| {
            fault(format!("{at}/{key}/{number}"), format!("expected a ws or http URL: {url}"))
        };
        for (number, url) in route.origins.iter().enumerate() {
            let (origin, base) = Origin::split(as_named(url)).ok_or_else(|| wrong("origins", number, url))?;
            let prefix = format!("{base}{}", route.to_path);
            let prefix = prefix.trim_end_matches('/');
            hosts.insert(origin.host().to_owned());
            all.add(prefix, number);
            by_origin.entry(origin).or_default().add(prefix, number);
        }
        for (number, url) in route.further.iter().enumerate() {
            let (origin, prefix) = Origin::split(url).ok_or_else(|| wrong("further", number, url))?;
            hosts.insert(origin.host().to_owned());
            // Behind those that respond: what these mean is known better.
            let turn = route.origins.len().saturating_add(number);
            by_origin.entry(origin).or_default().add(prefix.trim_end_matches('/'), turn);
        }
        let (mut cookie_paths, mut shown_paths) = (Prefixes::default(), Vec::new());
        // The longest that fits counts.
        let mut by_length: Vec<_> = route.cookie_paths.iter().collect();
        by_length.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        for (turn, (prefix, shown)) in by_length.into_iter().enumerate() {
            cookie_paths.add(prefix.trim_end_matches('/'), turn);
            shown_paths.push(shown.clone());
        }
        let plain = |(domain, shown): (String, String)| (domain.trim_start_matches('.').to_ascii_lowercase(), shown);
        Ok(Self {
            stem: route.path.trim_end_matches('/').to_owned(),
            path: route.path,
            by_origin,
            all,
            hosts,
            paths: route.paths,
            cookie_paths,
            shown_paths,
            cookie_domains: route.cookie_domains.into_iter().map(plain).collect(),
        })
    }

    /// The client's URL for `url`, as `endpoint` said it, if that leads to an endpoint of this route; none leaves it alone.
    #[must_use]
    pub fn location(&self, url: &str, client: Client<'_>, endpoint: &str) -> Option<String> {
        let mapped = if self.paths && url.starts_with('/') && !names_a_server(url) {
            let mapped = self.location_path(url, endpoint)?;
            if !names_a_server(&mapped) {
                return Some(mapped);
            }
            mapped
        } else {
            let (origin, tail) = Origin::split(url)?;
            let (_, rest) = self.by_origin.get(&origin)?.split(tail)?;
            below(&self.path, rest)
        };
        let origin = client.origin();
        (!origin.is_empty() || !names_a_server(&mapped)).then(|| origin + &mapped)
    }

    /// The client's path for one of the endpoint's. One that is of the client's side already stays: it is no path of the
    /// endpoint's but where its own paths begin so.
    fn location_path(&self, path: &str, endpoint: &str) -> Option<String> {
        let (prefix, rest) = match self.of(endpoint) {
            Some(own) => own.split(path)?,
            None => self.all.split(path)?,
        };
        let is_below = |path: &str| {
            path.strip_prefix(&self.stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        let is_known = is_below(path) && !is_below(prefix);
        let mapped = below(&self.path, rest);
        (!is_known && mapped != path).then_some(mapped)
    }

    /// What this endpoint puts in front of paths.
    fn of(&self, endpoint: &str) -> Option<&Prefixes> {
        Origin::split(as_named(endpoint)).and_then(|(origin, _)| self.by_origin.get(&origin))
    }

    /// The client's path for a cookie's `path`, as set by `endpoint`.
    #[must_use]
    pub fn cookie_path(&self, path: &str, endpoint: &str) -> Option<String> {
        let said = self
            .cookie_paths
            .split_with_turn(path)
            .and_then(|(turn, parts)| Some((self.shown_paths.get(turn)?, parts)));
        let (shown, (prefix, rest)) = match said {
            Some(said) => said,
            None => (&self.path, self.of(endpoint).and_then(|own| own.split(path)).or_else(|| self.all.split(path))?),
        };
        // All that this endpoint has: "/app" covers "/app/", but not the other way round.
        let is_all = rest.is_empty() || (rest == "/" && prefix.is_empty());
        Some(if is_all { shown.clone() } else { below(shown, rest) })
    }

    /// The client's host for a cookie's `domain`, a leading dot kept.
    #[must_use]
    pub fn cookie_domain(&self, domain: &str, client: Client<'_>) -> Option<String> {
        let (dot, name) = domain.strip_prefix('.').map_or(("", domain), |name| (".", name));
        let lower = name.to_ascii_lowercase();
        if let Some(shown) = self.cookie_domains.get(&lower) {
            return Some(format!("{dot}{}", shown.trim_start_matches('.')));
        }
        let known = self.hosts.contains(&lower);
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
        self.split_with_turn(tail).map(|(_, parts)| parts)
    }

    /// The same, with the turn of that prefix.
    fn split_with_turn<'a>(&self, tail: &'a str) -> Option<(usize, (&'a str, &'a str))> {
        let boundaries = tail.match_indices(['/', '?', '#']).map(|(at, _)| at).chain([tail.len()]);
        let fitting = boundaries.take_while(|at| *at <= self.longest).filter_map(|at| {
            let (prefix, rest) = tail.split_at_checked(at)?;
            Some((*self.turns.get(prefix)?, (prefix, rest)))
        });
        fitting.min_by_key(|(turn, _)| *turn)
    }
}

/// Whether browsers read a reference as one that begins with a server's name: they take `\` for `/`, and leave tabs out.
fn names_a_server(reference: &str) -> bool {
    let mut read = reference.chars().filter(|c| *c != '\t');
    let mut is_slash = || read.next().is_some_and(|c| matches!(c, '/' | '\\'));
    is_slash() && is_slash()
}

/// `rest` behind `path`, with one slash between them.
fn below(path: &str, rest: &str) -> String {
    let stem = if rest.starts_with('/') { path.trim_end_matches('/') } else { path };
    format!("{stem}{rest}")
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
mod tests;
