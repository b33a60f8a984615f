//! Patterns whose cost for a path is known before any path comes.
//!
//! ```text
//! text ─▶ NFA ─┬─▶ DFA: whether it matches, and where that ends    one step a byte
//!              ├─▶ DFA of the reverse: where it begins             one step a byte
//!              ╰─▶ one-pass DFA: where its groups are              one step a byte
//!     where one of them would be too large, or there is none:      at most one step a byte and state, by backtracking
//! ```

use std::fmt;

use regex_automata::dfa::{Automaton, StartKind, dense, onepass};
use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

/// What asking all patterns about one path may take, in nanoseconds: well below the deadline of a call, 20 ms.
const BUDGET: u64 = 4_000_000;

/// A step of a DFA, in nanoseconds. Measured in wasmtime: 3; the next two likewise, and rounded up.
const STEP: u64 = 4;

/// A step of a one-pass DFA, which looks up more than the next state.
const ONE_PASS: u64 = 16;

/// A step of the backtracker.
const TRACK: u64 = 16;

/// Bytes of the longest path that any pattern is asked about.
pub const LONGEST: usize = 8 * 1024;

/// Groups that a target may name, `$0` among them.
const GROUPS: usize = 10;

/// Bytes of one DFA, and of what is needed to make one. Of 22 patterns from the field, counted repetitions to 128 among
/// them, the largest took 17 KiB.
const AUTOMATON: usize = 64 * 1024;
const MAKING: usize = 2 * AUTOMATON;

/// Bytes of one NFA: about 10,000 states.
const NFA_BYTES: usize = 256 * 1024;

/// A regular expression over bytes.
#[derive(Clone, Debug)]
pub struct Regex {
    matcher: Option<Dense>,
    /// Where its groups are; none if they are not wanted, or too hard to find for an automaton.
    groups: Option<Finder>,
    /// For what the automata cannot do.
    tracker: BoundedBacktracker,
}

type Dense = dense::DFA<Vec<u32>>;

/// Finds groups of a match in two more passes.
#[derive(Clone, Debug)]
struct Finder {
    /// None if every match begins with the path.
    beginning: Option<Dense>,
    groups: onepass::DFA,
}

/// What a pattern is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Whether it matches.
    Match,
    /// The same of an exclusion, which sees more forms of a path.
    Exclude,
    /// What its groups hold.
    Groups,
}

/// What patterns cost for each byte of a path, in nanoseconds. Those of several add up; groups are asked for once, of
/// the one that matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// For each form that routes see.
    matching: u64,
    /// For each form that exclusions see.
    excluding: u64,
    groups: u64,
}

/// What a pattern found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups<'a> {
    path: &'a str,
    /// Start and end of each group, one after the other.
    slots: [Option<NonMaxUsize>; 2 * GROUPS],
}

/// Why a pattern is none: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(String);

impl Regex {
    /// Reads `text`; with `groups` if somebody will want to know them.
    ///
    /// # Errors
    /// If it is no regular expression, or a gigantic one.
    pub fn new(text: &str, groups: bool) -> Result<Self, PatternError> {
        // Bytes, not characters: paths are ASCII, and the tables of Unicode are larger than this plugin.
        let tree = syntax::parse_with(text, &syntax::Config::new().unicode(false).utf8(false))
            .map_err(|error| PatternError::of(&error))?;
        let nfa = thompson::Compiler::new()
            .configure(thompson::Config::new().utf8(false).nfa_size_limit(Some(NFA_BYTES)))
            .build_from_hir(&tree)
            .map_err(|error| PatternError::of(&error))?;
        let matcher = dense(&nfa, dense::Config::new().start_kind(StartKind::Unanchored));
        let groups = if groups && matcher.is_some() { Finder::new(&tree, &nfa) } else { None };
        let tracker = tracker(nfa)?;
        Ok(Self { matcher, groups, tracker })
    }

    /// Whether it is found in `path`.
    #[must_use]
    pub fn is_match(&self, path: &[u8]) -> bool {
        let input = Input::new(path).earliest(true);
        match &self.matcher {
            // Only a search that asks for an anchor, or a byte that was told to end it, can fail.
            Some(dfa) => dfa.try_search_fwd(&input).is_ok_and(|found| found.is_some()),
            None => self.track(input, &mut []),
        }
    }

    /// What its groups hold, if it is found in `path`.
    #[must_use]
    pub fn groups<'a>(&self, path: &'a str) -> Option<Groups<'a>> {
        let mut slots = [None; 2 * GROUPS];
        let input = Input::new(path);
        let found = match (&self.matcher, &self.groups) {
            (Some(dfa), Some(finder)) => {
                let end = dfa.try_search_fwd(&input).ok()??.offset();
                finder.find(input.range(..end), &mut slots)
            }
            _ => self.is_match(path.as_bytes()) && self.track(input, &mut slots),
        };
        found.then_some(Groups { path, slots })
    }

    /// What a search costs.
    #[must_use]
    pub fn cost(&self, asked: Use) -> Cost {
        let track = TRACK.saturating_mul(u64::try_from(self.tracker.get_nfa().states().len()).unwrap_or(u64::MAX));
        let matching = if self.matcher.is_some() { STEP } else { track };
        let groups = if self.groups.is_some() { 2 * STEP + ONE_PASS } else { track };
        match asked {
            Use::Match => Cost { matching, ..Cost::default() },
            Use::Exclude => Cost { excluding: matching, ..Cost::default() },
            Use::Groups => Cost { matching, groups, ..Cost::default() },
        }
    }

    fn track(&self, input: Input<'_>, slots: &mut [Option<NonMaxUsize>]) -> bool {
        // It fails for a path that is too long for its memory: one for which `Cost` leaves no room.
        let found = self.tracker.try_search_slots(&mut self.tracker.create_cache(), &input, slots);
        found.is_ok_and(|found| found.is_some())
    }
}

impl Finder {
    fn new(tree: &Hir, nfa: &NFA) -> Option<Self> {
        let beginning = if nfa.is_always_start_anchored() {
            None
        } else {
            let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(NFA_BYTES));
            let config = config.reverse(true).which_captures(WhichCaptures::None);
            let reverse = thompson::Compiler::new().configure(config).build_from_hir(tree).ok()?;
            // Of all beginnings of a match that ends there the first is the leftmost one's.
            let config = dense::Config::new().start_kind(StartKind::Anchored).match_kind(MatchKind::All);
            Some(dense(&reverse, config)?)
        };
        let config = onepass::Config::new().size_limit(Some(AUTOMATON));
        let groups = onepass::Builder::new().configure(config).build_from_nfa(nfa.clone()).ok()?;
        Some(Self { beginning, groups })
    }

    /// Fills the slots for the match that ends with `input`.
    fn find(&self, input: Input<'_>, slots: &mut [Option<NonMaxUsize>]) -> bool {
        let end = input.end();
        let input = input.anchored(Anchored::Yes);
        let start = match &self.beginning {
            None => Some(0),
            Some(dfa) => dfa.try_search_rev(&input).ok().flatten().map(|half| half.offset()),
        };
        start.is_some_and(|start| {
            let found = self.groups.try_search_slots(&mut self.groups.create_cache(), &input.span(start..end), slots);
            found.is_ok_and(|found| found.is_some())
        })
    }
}

impl Cost {
    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            matching: self.matching.saturating_add(other.matching),
            excluding: self.excluding.saturating_add(other.excluding),
            groups: self.groups.max(other.groups),
        }
    }

    /// Whether exclusions are among them.
    #[must_use]
    pub fn excludes(self) -> bool {
        self.excluding > 0
    }

    /// Nanoseconds for each byte of a path of which routes and exclusions see so many forms.
    #[must_use]
    pub fn per_byte(self, forms: u64, by_exclusions: u64) -> u64 {
        let (matching, excluding) = (self.matching.saturating_mul(forms), self.excluding.saturating_mul(by_exclusions));
        matching.saturating_add(excluding).saturating_add(self.groups)
    }

    /// Bytes of the longest path that may be asked about, at most [`LONGEST`].
    #[must_use]
    pub fn longest(self, forms: u64, by_exclusions: u64) -> usize {
        let bytes = BUDGET.checked_div(self.per_byte(forms, by_exclusions));
        bytes.and_then(|bytes| usize::try_from(bytes).ok()).map_or(LONGEST, |bytes| bytes.min(LONGEST))
    }
}

impl<'a> Groups<'a> {
    /// What group `number` holds; none for one that took no part, that there is not, or beyond `$9`.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&'a str> {
        let at = |slot: usize| self.slots.get(slot).copied().flatten().map(NonMaxUsize::get);
        let start = number.checked_mul(2)?;
        self.path.get(at(start)?..at(start.checked_add(1)?)?)
    }
}

impl PatternError {
    /// The parser draws the pattern over several lines, and says what is wrong in the last one.
    fn of(error: &dyn std::error::Error) -> Self {
        let error = error.source().unwrap_or(error);
        let text = error.to_string();
        Self(text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// None if it would be too large.
fn dense(nfa: &NFA, config: dense::Config) -> Option<Dense> {
    let config = config.accelerate(false).dfa_size_limit(Some(AUTOMATON)).determinize_size_limit(Some(MAKING));
    dense::Builder::new().configure(config).build_from_nfa(nfa).ok()
}

/// With memory for as many steps as [`BUDGET`] allows.
fn tracker(nfa: NFA) -> Result<BoundedBacktracker, PatternError> {
    let steps = usize::try_from(BUDGET / TRACK).unwrap_or(usize::MAX);
    let visited = steps.saturating_add(nfa.states().len()) / 8 + 64;
    BoundedBacktracker::builder()
        .configure(BoundedBacktracker::config().visited_capacity(visited))
        .build_from_nfa(nfa)
        .map_err(|error| PatternError::of(&error))
}

#[cfg(test)]
mod tests;
