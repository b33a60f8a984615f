//! Requests that name their endpoint: what is written, which endpoint that is, and the cookie that has it written.
//!
//! ```text
//! path or query parameter ─┐
//!                  cookie ─┴▶ value ─▶ route ─▶ members of that route ─▶ those it redirects to ─▶ none
//! ```

use std::collections::HashMap;

use ::http::HeaderValue;
use cookie::Cookie;
use sha2::{Digest, Sha256};

use super::values::{cookie, path_parameter, query_parameter};
use crate::config::{self, EndpointState, SameSite};
use crate::policy::{EndpointId, RequestFacts};
use crate::text;

/// Stickiness of one cluster.
#[derive(Debug)]
pub struct Sticky {
    cookie: Option<String>,
    parameter: Option<String>,
    separator: Option<u8>,
    failover: bool,
    index: HashMap<Vec<u8>, usize>,
    routes: Vec<Route>,
    /// By the ids of members: route, and cookie.
    members: Vec<Named>,
}

/// A route and the endpoints that have it.
#[derive(Debug, Default)]
struct Route {
    /// Standbys last.
    members: Vec<EndpointId>,
    redirect: Option<usize>,
    /// Routes that can be reached by redirects, this one included: as often as it makes sense to look.
    reach: usize,
}

#[derive(Debug)]
struct Named {
    route: Option<String>,
    cookie: Option<Issued>,
}

/// The value of Set-Cookie, for both ways that a client may come.
#[derive(Debug)]
struct Issued {
    plain: HeaderValue,
    secure: HeaderValue,
}

/// What becomes of the endpoint that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StickyTarget {
    /// It names nothing that is known here.
    Unnamed,
    /// This endpoint, as named.
    Named(EndpointId),
    /// This one stands in for the one that was named.
    StandIn(EndpointId),
    /// Known, but neither it nor a stand-in can take work.
    Unavailable,
}

impl Sticky {
    /// Stickiness over `endpoints`, whose places are the ids of the members.
    #[must_use]
    pub fn new(written: &config::StickyConfig, cluster: &str, endpoints: &[config::EndpointConfig]) -> Self {
        let separator = written.separator.and_then(|separator| u8::try_from(separator).ok());
        let named = |endpoint: &config::EndpointConfig| {
            let issue = written.issue.as_ref();
            let route = endpoint.route.clone().or_else(|| issue.map(|_| token(cluster, &endpoint.url)));
            let cookie = match (issue, &written.cookie, &route) {
                (Some(issue), Some(name), Some(route)) => issued(name, route, written.separator, issue),
                _ => None,
            };
            Named { route, cookie }
        };
        let mut sticky = Self {
            cookie: written.cookie.clone(),
            parameter: written.parameter.clone(),
            separator,
            failover: written.failover,
            index: HashMap::new(),
            routes: Vec::new(),
            members: endpoints.iter().map(named).collect(),
        };
        sticky.fill(endpoints);
        sticky
    }

    fn fill(&mut self, endpoints: &[config::EndpointConfig]) {
        for standby in [false, true] {
            for ((id, endpoint), named) in EndpointId::each(endpoints).zip(&self.members) {
                let Some(name) = &named.route else { continue };
                if (endpoint.state == EndpointState::Standby) != standby {
                    continue;
                }
                let at = *self.index.entry(name.clone().into_bytes()).or_insert(self.routes.len());
                if at == self.routes.len() {
                    self.routes.push(Route::default());
                }
                if let Some(route) = self.routes.get_mut(at) {
                    route.members.push(id);
                }
            }
        }
        for route in &mut self.routes {
            let redirects = route.members.iter().filter_map(|id| id.of(endpoints)?.redirect.as_ref());
            route.redirect = redirects.filter_map(|name| self.index.get(name.as_bytes())).copied().next();
        }
        let reaches: Vec<usize> = (0..self.routes.len()).map(|start| self.reach(start)).collect();
        for (route, reach) in self.routes.iter_mut().zip(reaches) {
            route.reach = reach;
        }
    }

    /// How many routes a walk along redirects meets before it meets one again.
    fn reach(&self, start: usize) -> usize {
        let mut seen = vec![false; self.routes.len()];
        let mut next = Some(start);
        let mut count = 0;
        while let Some(at) = next
            && let Some(seen) = seen.get_mut(at)
            && !std::mem::replace(seen, true)
        {
            count += 1;
            next = self.routes.get(at).and_then(|route| route.redirect);
        }
        count
    }

    /// Whether the balancer chooses when a known route cannot take work.
    pub(super) fn fails_over(&self) -> bool {
        self.failover
    }

    /// The endpoint that `request` names, among those that are `usable`.
    pub(super) fn target(&self, request: &RequestFacts, usable: impl Fn(EndpointId) -> bool) -> StickyTarget {
        let Some(named) = self.route_of(request).and_then(|name| self.index.get(name)).copied() else {
            return StickyTarget::Unnamed;
        };
        let mut next = Some(named);
        let reach = self.routes.get(named).map_or(0, |route| route.reach);
        for _ in 0..reach {
            let Some((at, route)) = next.and_then(|at| Some((at, self.routes.get(at)?))) else { break };
            if let Some(id) = route.members.iter().find(|id| usable(**id)) {
                return if at == named { StickyTarget::Named(*id) } else { StickyTarget::StandIn(*id) };
            }
            next = route.redirect;
        }
        StickyTarget::Unavailable
    }

    /// The Set-Cookie that makes the client's next request come to `endpoint`; none if its cookie says that already, or
    /// the gateway sets none here.
    pub(super) fn set_cookie(&self, request: &RequestFacts, endpoint: EndpointId, by_tls: bool) -> Option<HeaderValue> {
        let Named { route: Some(route), cookie: Some(issued) } = endpoint.of(&self.members)? else {
            return None;
        };
        if self.cookie_route(request) == Some(route.as_bytes()) {
            return None;
        }
        Some(if by_tls { issued.secure.clone() } else { issued.plain.clone() })
    }

    /// The route that a request names, the URL before the cookie.
    fn route_of<'a>(&self, request: &'a RequestFacts) -> Option<&'a [u8]> {
        let parameter = self.parameter.as_deref().and_then(|name| {
            path_parameter(&request.path, name)
                .or_else(|| request.query.as_deref().and_then(|query| query_parameter(query, name)))
        });
        match parameter {
            // As Apache: a parameter without a route is not made up for by the cookie.
            Some(value) => self.route_in(value),
            None => self.cookie_route(request),
        }
    }

    fn cookie_route<'a>(&self, request: &'a RequestFacts) -> Option<&'a [u8]> {
        self.route_in(cookie(&request.headers, self.cookie.as_deref()?)?)
    }

    /// What follows the first separator.
    fn route_in<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let Some(separator) = self.separator else { return Some(value) };
        let at = value.iter().position(|byte| *byte == separator)?;
        value.get(at + 1..)
    }
}

/// Stands in for a route that is not configured: the same for an endpoint wherever it is made, and no address in it. An
/// attacker who can guess an address can check the guess; `route` is for those who mind.
fn token(cluster: &str, url: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["tidegate route", cluster, url] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    text::hex(digest.get(..6).unwrap_or(&digest))
}

fn issued(name: &str, route: &str, separator: Option<char>, issue: &config::Issue) -> Option<Issued> {
    let value = format!("{}{route}", separator.map(String::from).unwrap_or_default());
    let mut cookie = Cookie::build((name, value))
        .path(issue.path.as_str())
        .http_only(issue.http_only)
        .same_site(match issue.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        })
        .build();
    cookie.set_max_age(issue.max_age.and_then(|age| cookie::time::Duration::try_from(age).ok()));
    let mut written = |by_tls| {
        cookie.set_secure(issue.secure.unwrap_or(by_tls));
        HeaderValue::from_str(&cookie.to_string()).ok()
    };
    Some(Issued { plain: written(false)?, secure: written(true)? })
}

#[cfg(test)]
#[path = "sticky_tests.rs"]
mod tests;
