//! What made a plugin pass its deadline. That is refused for a while when it comes again; nobody else pays for it.
//!
//! ```text
//! passed deadline ─┬─▶ the very question           five in a row: refused
//!                  ├─▶ the party that brought it    five in a row, and a harmless question of ours in its name: refused
//!                  ╰─▶ the seat                     five in a row, and harmless questions of ours: plugin put aside
//! ```

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::time::{Duration, Instant};

use super::breaker::{Breaker, Change};
use crate::policy::RouteId;

/// Questions and parties that are known. One more takes the place of the one that was heard of least lately.
const KNOWN: usize = 64;

/// Quiet after which all are forgotten. Longer than the longest pause.
const QUIET: Duration = Duration::from_secs(60);

/// What a call is about, as far as that may make a plugin pass its deadline. Looked at after such calls alone.
pub(super) trait Occasion {
    /// Everything that the plugin is told, and all that it may ask for.
    fn question<H: Hasher>(&self, hasher: &mut H);

    /// Whose doing it is, if the plugin is told.
    fn party(&self) -> Option<Party<'_>> {
        None
    }
}

/// Who brings what a plugin decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Party<'a> {
    /// URL of the endpoint that answered.
    pub(super) endpoint: &'a str,
    /// The `[[route]]` by which it was asked.
    pub(super) route: Option<RouteId>,
}

/// Questions and parties for which the plugin of one seat passed its deadline lately.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Keyed anew for each seat: nobody outside can aim for the place of another.
    hasher: RandomState,
    known: Vec<Suspect>,
}

#[derive(Debug)]
struct Suspect {
    key: u64,
    breaker: Breaker,
    latest: Instant,
}

impl Suspects {
    /// Whether there are none, as nearly always.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether the plugin may be asked.
    pub(super) fn admit(&mut self, occasion: &impl Occasion, now: Instant) -> bool {
        if self.known.iter().all(|suspect| now.saturating_duration_since(suspect.latest) >= QUIET) {
            self.known.clear();
            return true;
        }
        let keys = self.keys(occasion);
        !self.known.iter().any(|suspect| keys.contains(&Some(suspect.key)) && !suspect.breaker.admits(|| now))
    }

    /// It answered in time.
    pub(super) fn clear(&mut self, occasion: &impl Occasion) {
        let keys = self.keys(occasion);
        self.known.retain(|suspect| !keys.contains(&Some(suspect.key)));
    }

    /// It passed its deadline for this question.
    pub(super) fn blame_question(&mut self, occasion: &impl Occasion, now: Instant) -> Change {
        self.entry(self.key_of(occasion), now).breaker.failed(now)
    }

    /// It passed its deadline for something of this party. Whether that is once too often in a row.
    pub(super) fn strike(&mut self, party: Party<'_>, now: Instant) -> bool {
        self.entry(self.hasher.hash_one(party), now).breaker.strike()
    }

    /// The party is refused from now on.
    pub(super) fn put_aside(&mut self, party: Party<'_>, now: Instant) -> Change {
        self.entry(self.hasher.hash_one(party), now).breaker.open(now)
    }

    /// The party had no part in it.
    pub(super) fn forgive(&mut self, party: Party<'_>) {
        let key = self.hasher.hash_one(party);
        self.known.retain(|suspect| suspect.key != key);
    }

    fn keys(&self, occasion: &impl Occasion) -> [Option<u64>; 2] {
        [Some(self.key_of(occasion)), occasion.party().map(|party| self.hasher.hash_one(party))]
    }

    fn key_of(&self, occasion: &impl Occasion) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        occasion.question(&mut hasher);
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
            self.known.push(Suspect { key, breaker: Breaker::default(), latest: now });
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

    /// A question with its number, of a party.
    struct Asked(u32, Option<&'static str>);

    impl Occasion for Asked {
        fn question<H: Hasher>(&self, hasher: &mut H) {
            self.0.hash(hasher);
        }

        fn party(&self) -> Option<Party<'_>> {
            self.1.map(|endpoint| Party { endpoint, route: None })
        }
    }

    #[test]
    fn a_question_that_takes_too_long_again_and_again_is_refused_and_no_other() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(suspects.blame_question(&Asked(1, None), now), Change::None);
            assert!(suspects.admit(&Asked(1, None), now));
        }

        assert!(matches!(suspects.blame_question(&Asked(1, None), now), Change::Opened(_)));

        assert!(!suspects.admit(&Asked(1, None), now));
        assert!(suspects.admit(&Asked(2, None), now), "another question");
        assert!(suspects.admit(&Asked(1, None), now + QUIET), "all is forgotten after a while");
        assert!(suspects.is_empty());
    }

    #[test]
    fn a_party_is_refused_whatever_it_brings() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        let party = Party { endpoint: "http://a", route: None };
        let strikes: Vec<_> = (0..5).map(|_| suspects.strike(party, now)).collect();
        assert_eq!(strikes, [false, false, false, false, true]);
        assert!(suspects.admit(&Asked(1, Some("http://a")), now), "strikes alone refuse nobody");

        suspects.put_aside(party, now);

        assert!(!suspects.admit(&Asked(1, Some("http://a")), now));
        assert!(suspects.admit(&Asked(1, Some("http://b")), now));
        suspects.forgive(party);
        assert!(suspects.admit(&Asked(1, Some("http://a")), now));
    }

    #[test]
    fn an_answer_in_time_clears_question_and_party() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        let asked = Asked(1, Some("http://a"));
        suspects.blame_question(&asked, now);
        suspects.strike(Party { endpoint: "http://a", route: None }, now);
        suspects.blame_question(&Asked(2, None), now);

        suspects.clear(&asked);

        assert_eq!(suspects.known.len(), 1);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let (mut suspects, start) = (Suspects::default(), Instant::now());
        for number in 0..200 {
            suspects.blame_question(&Asked(number, None), start + Duration::from_millis(number.into()));
        }

        assert_eq!(suspects.known.len(), KNOWN);
        let oldest = suspects.known.iter().map(|suspect| suspect.latest).min().unwrap();
        assert_eq!(oldest, start + Duration::from_millis(200 - 64), "the latest are kept");
    }
}
