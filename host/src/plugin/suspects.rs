//! Input that made a plugin pass its deadline: it is refused for a while when it comes again, and nothing else is.
//!
//! ```text
//! passed deadline ─┬─▶ the very input   five in a row: this input is refused
//!                  ├─▶ its origin       five in a row, and probes as if for it: all from there is refused
//!                  ╰─▶ the slot         five in a row, and probes: the circuit opens, the plugin is left out
//! ```

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::breaker::{CircuitBreaker, CircuitChange};
use crate::policy::RouteId;

/// Inputs and origins that are known. One more takes the place of the one that was seen last the longest ago.
const KNOWN: usize = 64;

/// Quiet after which all are forgotten. Longer than the longest pause.
const QUIET: Duration = Duration::from_secs(60);

/// What a call is about, as far as that may make a plugin pass its deadline. Looked at while there are suspects alone.
pub(super) trait CallSubject {
    /// Hashes everything that the plugin gets in the call, and all that it may ask for.
    fn hash_input<H: Hasher>(&self, hasher: &mut H);

    /// Where the input is from, if it is of an endpoint.
    fn origin(&self) -> Option<CallOrigin<'_>> {
        None
    }
}

/// Where the input of a call is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CallOrigin<'a> {
    /// URL of the endpoint that responded.
    pub(super) endpoint: &'a str,
    /// The `[[route]]` of the request.
    pub(super) route: Option<RouteId>,
}

/// Inputs and origins for which the plugin in one slot passed its deadline lately.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Keyed anew for each slot, so that no client can aim for the place of another.
    hasher: RandomState,
    known: Vec<Suspect>,
}

#[derive(Debug)]
struct Suspect {
    key: u64,
    breaker: CircuitBreaker,
    latest: Instant,
}

impl Suspects {
    /// Whether there are none, as nearly always.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether the plugin may be called.
    pub(super) fn admit(&mut self, subject: &impl CallSubject, now: Instant) -> bool {
        if self.known.iter().all(|suspect| now.saturating_duration_since(suspect.latest) >= QUIET) {
            self.known.clear();
            return true;
        }
        let keys = self.keys(subject);
        !self.known.iter().any(|suspect| keys.contains(&Some(suspect.key)) && !suspect.breaker.admits(|| now))
    }

    /// The plugin returned in time.
    pub(super) fn clear(&mut self, subject: &impl CallSubject) {
        let keys = self.keys(subject);
        self.known.retain(|suspect| !keys.contains(&Some(suspect.key)));
    }

    /// The plugin passed its deadline for this input.
    pub(super) fn count_input(&mut self, subject: &impl CallSubject, now: Instant) -> CircuitChange {
        self.entry(self.input_key(subject), now).breaker.failed(now)
    }

    /// The plugin passed its deadline for something from there. Whether that is once too often in a row.
    pub(super) fn count_origin(&mut self, origin: CallOrigin<'_>, now: Instant) -> bool {
        self.entry(self.hasher.hash_one(origin), now).breaker.count_fault()
    }

    /// What is from there is refused from now on.
    pub(super) fn refuse_origin(&mut self, origin: CallOrigin<'_>, now: Instant) -> CircuitChange {
        self.entry(self.hasher.hash_one(origin), now).breaker.open(now)
    }

    /// The origin had no part in it.
    pub(super) fn clear_origin(&mut self, origin: CallOrigin<'_>) {
        let key = self.hasher.hash_one(origin);
        self.known.retain(|suspect| suspect.key != key);
    }

    fn keys(&self, subject: &impl CallSubject) -> [Option<u64>; 2] {
        [Some(self.input_key(subject)), subject.origin().map(|origin| self.hasher.hash_one(origin))]
    }

    fn input_key(&self, subject: &impl CallSubject) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        subject.hash_input(&mut hasher);
        hasher.finish()
    }

    fn entry(&mut self, key: u64, now: Instant) -> &mut Suspect {
        let known = self.known.iter().position(|suspect| suspect.key == key);
        let place = known.unwrap_or_else(|| {
            if self.known.len() >= KNOWN {
                let stalest = self.known.iter().enumerate().min_by_key(|(_, suspect)| suspect.latest);
                let stalest = stalest.map_or(0, |(place, _)| place);
                self.known.swap_remove(stalest);
            }
            self.known.push(Suspect { key, breaker: CircuitBreaker::default(), latest: now });
            self.known.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "a place that was found or made above")]
        let suspect = &mut self.known[place];
        suspect.latest = now;
        suspect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input by its number, from an endpoint.
    struct Input(u32, Option<&'static str>);

    impl CallSubject for Input {
        fn hash_input<H: Hasher>(&self, hasher: &mut H) {
            self.0.hash(hasher);
        }

        fn origin(&self) -> Option<CallOrigin<'_>> {
            self.1.map(|endpoint| CallOrigin { endpoint, route: None })
        }
    }

    #[test]
    fn an_input_that_takes_too_long_again_and_again_is_refused_and_no_other() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(suspects.count_input(&Input(1, None), now), CircuitChange::None);
            assert!(suspects.admit(&Input(1, None), now));
        }

        assert!(matches!(suspects.count_input(&Input(1, None), now), CircuitChange::Opened(_)));

        assert!(!suspects.admit(&Input(1, None), now));
        assert!(suspects.admit(&Input(2, None), now), "another input");
        assert!(suspects.admit(&Input(1, None), now + QUIET), "all is forgotten after a while");
        assert!(suspects.is_empty());
    }

    #[test]
    fn an_origin_is_refused_whatever_comes_from_there() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        let origin = CallOrigin { endpoint: "http://a", route: None };
        let counted: Vec<_> = (0..5).map(|_| suspects.count_origin(origin, now)).collect();
        assert_eq!(counted, [false, false, false, false, true]);
        assert!(suspects.admit(&Input(1, Some("http://a")), now), "counting alone refuses nothing");

        suspects.refuse_origin(origin, now);

        assert!(!suspects.admit(&Input(1, Some("http://a")), now));
        assert!(suspects.admit(&Input(1, Some("http://b")), now));
        suspects.clear_origin(origin);
        assert!(suspects.admit(&Input(1, Some("http://a")), now));
    }

    #[test]
    fn a_result_in_time_clears_input_and_origin() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        let input = Input(1, Some("http://a"));
        suspects.count_input(&input, now);
        suspects.count_origin(CallOrigin { endpoint: "http://a", route: None }, now);
        suspects.count_input(&Input(2, None), now);

        suspects.clear(&input);

        assert_eq!(suspects.known.len(), 1);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let (mut suspects, start) = (Suspects::default(), Instant::now());
        for number in 0..200 {
            suspects.count_input(&Input(number, None), start + Duration::from_millis(number.into()));
        }

        assert_eq!(suspects.known.len(), KNOWN);
        let oldest = suspects.known.iter().map(|suspect| suspect.latest).min().unwrap();
        assert_eq!(oldest, start + Duration::from_millis(200 - 64), "the latest are kept");
    }
}
