//! Decisions of a router that promised to repeat itself, so that a request line that came before costs no call.
//!
//! Measured: a call of the shipped router takes about 6,900 instructions, a decision that is remembered about 300.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use ::http::Method;

use crate::net::UpgradeProtocol;
use crate::policy::{Decision, ForwardTarget, RequestFacts, Scheme};

/// Decisions that are remembered. Two that fall on one place take turns; there is nothing to clean up.
const PLACES: usize = 512;

/// Longest request line that is remembered, in bytes, with the protocol that it offers to switch to and the path that
/// it leads to: a pattern may make a long one of a short one. So no client fills the memory: what is kept is at most
/// half a MiB a worker.
const LONGEST: usize = 1024;

/// Decisions made before. It lives as long as the instances that made them, so it never outlives their configuration.
#[derive(Debug)]
pub(super) struct RouteCache {
    /// Keyed anew in each process, so that no client can aim for one place.
    hasher: RandomState,
    places: Vec<Option<Box<CachedRoute>>>,
}

/// All that `route` gets of a request, and what it decided.
#[derive(Debug)]
struct CachedRoute {
    hash: u64,
    method: Method,
    scheme: Scheme,
    host: String,
    path: String,
    query: Option<String>,
    upgrade: Option<UpgradeProtocol>,
    remembered: RememberedDecision,
}

/// What is remembered: neither responses, which may be long, nor what clients may make up without end.
#[derive(Debug)]
enum RememberedDecision {
    Forward(ForwardTarget),
    Next,
}

impl RememberedDecision {
    fn decision(&self) -> Decision {
        match self {
            Self::Forward(target) => Decision::Forward(target.clone()),
            Self::Next => Decision::Next,
        }
    }

    fn path(&self) -> &Option<String> {
        match self {
            Self::Forward(target) => &target.path,
            Self::Next => &None,
        }
    }
}

impl Default for RouteCache {
    fn default() -> Self {
        Self { hasher: RandomState::new(), places: Vec::new() }
    }
}

impl RouteCache {
    /// What was decided of a request like this one before.
    pub(super) fn get(&self, request: &RequestFacts) -> Option<Decision> {
        let hash = self.hash(request);
        let decided = self.places.get(place(hash))?.as_deref()?;
        (decided.hash == hash && decided.is_for(request)).then(|| decided.remembered.decision())
    }

    /// Remembers what becomes of requests like this one: where they go, or that they are left to the next.
    pub(super) fn insert(&mut self, request: &RequestFacts, decision: &Decision) {
        let remembered = match decision {
            Decision::Forward(target) => RememberedDecision::Forward(target.clone()),
            Decision::Next => RememberedDecision::Next,
            Decision::Respond(_) | Decision::Unmatched => return,
        };
        let texts = [&request.query, remembered.path()].map(|text| text.as_ref().map_or(0, String::len));
        let upgrade = request.upgrade.as_ref().map_or(0, |protocol| protocol.as_str().len());
        let line = request.method.as_str().len() + request.host_and_port().len() + request.path.len() + upgrade;
        if line + texts.iter().sum::<usize>() > LONGEST {
            return;
        }
        let hash = self.hash(request);
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        if let Some(kept) = self.places.get_mut(place(hash)) {
            *kept = Some(Box::new(CachedRoute {
                hash,
                method: request.method.clone(),
                scheme: request.scheme,
                host: request.host().into_owned(),
                path: request.path.clone(),
                query: request.query.clone(),
                upgrade: request.upgrade.clone(),
                remembered,
            }));
        }
    }

    fn hash(&self, request: &RequestFacts) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        request.method.hash(&mut hasher);
        request.path.hash(&mut hasher);
        request.query.hash(&mut hasher);
        request.host().hash(&mut hasher);
        hasher.finish()
    }
}

fn place(hash: u64) -> usize {
    usize::try_from(hash % PLACES as u64).unwrap_or_default()
}

impl CachedRoute {
    fn is_for(&self, request: &RequestFacts) -> bool {
        self.path == request.path
            && self.host == request.host()
            && self.method == request.method
            && self.query == request.query
            && self.scheme == request.scheme
            && self.upgrade == request.upgrade
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::{ClusterId, ExchangeEffects, RouteId};

    fn request() -> RequestFacts {
        RequestFacts {
            method: Method::GET,
            scheme: Scheme::Http,
            authority: "a.example:80".parse().ok(),
            path: "/p".to_owned(),
            query: Some("q".to_owned()),
            upgrade: None,
            client: None,
            sni: None,
            headers: Arc::default(),
            connection: None,
            effects: ExchangeEffects::default(),
            body: None,
        }
    }

    #[test]
    fn only_an_equal_request_is_remembered() {
        let mut cache = RouteCache::default();
        let target = Decision::Forward(ForwardTarget {
            cluster: ClusterId(3),
            path: Some("/x".to_owned()),
            route: Some(RouteId(1)),
        });
        cache.insert(&request(), &target);

        assert_eq!(cache.get(&request()), Some(target));
        let others: [fn(&mut RequestFacts); 6] = [
            |other| other.method = Method::HEAD,
            |other| other.scheme = Scheme::Https,
            |other| other.authority = "b.example:80".parse().ok(),
            |other| other.path = "/p/".to_owned(),
            |other| other.query = None,
            |other| other.upgrade = Some(UpgradeProtocol::Websocket),
        ];
        for (index, change) in others.into_iter().enumerate() {
            let mut other = request();
            change(&mut other);
            assert_eq!(cache.get(&other), None, "change {index}");
        }
    }

    #[test]
    fn what_is_left_to_the_next_is_remembered_and_responses_are_not() {
        let mut cache = RouteCache::default();

        cache.insert(&request(), &Decision::Unmatched);
        assert_eq!(cache.get(&request()), None);
        cache.insert(&request(), &Decision::Next);

        assert_eq!(cache.get(&request()), Some(Decision::Next));
    }

    #[test]
    fn the_port_and_the_case_of_the_host_have_no_part_in_it() {
        let mut cache = RouteCache::default();
        let target = Decision::Forward(ForwardTarget { cluster: ClusterId(0), path: None, route: None });
        cache.insert(&request(), &target);

        let same = RequestFacts { authority: "A.Example".parse().ok(), ..request() };

        assert_eq!(cache.get(&same), Some(target), "a router sees neither");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut cache = RouteCache::default();
        let target = Decision::Forward(ForwardTarget { cluster: ClusterId(0), path: None, route: None });
        for number in 0..10 * PLACES {
            cache.insert(&RequestFacts { path: format!("/{number}"), ..request() }, &target);
        }
        let text = || "A".repeat(LONGEST);
        let long = [
            RequestFacts { path: format!("/{}", text()), ..request() },
            RequestFacts { query: Some(text()), ..request() },
            RequestFacts { authority: text().parse().ok(), ..request() },
            RequestFacts { method: Method::from_bytes(text().as_bytes()).unwrap(), ..request() },
            RequestFacts { upgrade: UpgradeProtocol::try_from(&*text()).ok(), ..request() },
        ];
        for long in &long {
            cache.insert(long, &target);
        }
        let grown = RequestFacts { path: "/short".to_owned(), ..request() };
        let far = ForwardTarget { cluster: ClusterId(0), path: Some("/".repeat(LONGEST)), route: None };
        cache.insert(&grown, &Decision::Forward(far));

        assert_eq!(cache.places.len(), PLACES);
        for long in &long {
            assert_eq!(cache.get(long), None, "{long:?}");
        }
        assert_eq!(cache.get(&grown), None, "what a short line leads to may be long");
    }
}
