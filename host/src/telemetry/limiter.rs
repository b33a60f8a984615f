//! Lines of the log that others can cause, as often as they like: at most one a second for each subject.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Between two lines on one subject.
const PERIOD: Duration = Duration::from_secs(1);

/// Subjects that have a turn of their own. The others share one.
const SUBJECTS: usize = 256;

/// Decides which lines of one kind are written. One for each place that writes: see `limited!`.
#[derive(Debug)]
pub struct Limiter {
    turns: Mutex<Turns>,
}

#[derive(Debug)]
struct Turns {
    /// By a hash of the subject: two that have the same one share their turn, which is no harm.
    of: BTreeMap<u64, Turn>,
    others: Turn,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    /// When a line was last written.
    last: Option<Instant>,
    left_out: u64,
}

/// A line may be written: how many were left out before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted(u64);

impl Admitted {
    /// As a field of the line, which is not there if none was left out.
    #[must_use]
    pub fn left_out(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

impl Limiter {
    /// One that has let nothing through yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made in statics alone")]
    pub const fn new() -> Self {
        Self { turns: Mutex::new(Turns::NONE) }
    }

    /// Whether a line about `subject` (an endpoint, an address, a listener) may be written now. If not, it is counted
    /// for the next one.
    pub fn admit(&self, subject: &(impl Hash + ?Sized)) -> Option<Admitted> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        self.turns.lock().admit(hasher.finish(), Instant::now())
    }
}

impl Turns {
    const NONE: Self = Self { of: BTreeMap::new(), others: Turn::FIRST };

    fn admit(&mut self, subject: u64, now: Instant) -> Option<Admitted> {
        if self.of.len() >= SUBJECTS && !self.of.contains_key(&subject) {
            // Whoever has been quiet makes room, and leaves the count to the others.
            let quiet = self.of.extract_if(.., |_, turn| turn.is_due(now));
            let owed = quiet.fold(0_u64, |owed, (_, turn)| owed.saturating_add(turn.left_out));
            self.others.left_out = self.others.left_out.saturating_add(owed);
        }
        if self.of.len() >= SUBJECTS && !self.of.contains_key(&subject) {
            return self.others.take(now);
        }
        self.of.entry(subject).or_insert(Turn::FIRST).take(now)
    }
}

impl Turn {
    const FIRST: Self = Self { last: None, left_out: 0 };

    fn is_due(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.duration_since(last) >= PERIOD)
    }

    fn take(&mut self, now: Instant) -> Option<Admitted> {
        if !self.is_due(now) {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.last = Some(now);
        Some(Admitted(std::mem::take(&mut self.left_out)))
    }
}

/// Writes a line that a client, an endpoint or a name server can cause: at most once a second for each subject and
/// place, with `left_out`, the number of lines that there would have been since the last.
///
/// ```text
/// limited!(warn, of: endpoint, endpoint, wrong, "switch refused");
/// ```
///
/// Costs a look at the level if that is off.
macro_rules! limited {
    ($level:ident, of: $subject:expr, $($line:tt)+) => {{
        static LIMITER: $crate::telemetry::Limiter = $crate::telemetry::Limiter::new();
        if $crate::telemetry::level_enabled!($level)
            && let Some(admitted) = LIMITER.admit(&$subject)
        {
            ::tracing::$level!(left_out = admitted.left_out(), $($line)+);
        }
    }};
}

/// Whether a level is on.
macro_rules! level_enabled {
    (error) => {
        ::tracing::enabled!(::tracing::Level::ERROR)
    };
    (warn) => {
        ::tracing::enabled!(::tracing::Level::WARN)
    };
    (info) => {
        ::tracing::enabled!(::tracing::Level::INFO)
    };
}

pub(crate) use {level_enabled, limited};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::captured::CapturedLog;

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn one_line_a_second_and_the_rest_is_counted() {
        let (mut turns, start) = (Turns::NONE, Instant::now());

        assert_eq!(turns.admit(1, start), Some(Admitted(0)));
        for millis in 1..=500 {
            assert_eq!(turns.admit(1, at(start, millis)), None);
        }
        assert_eq!(turns.admit(2, at(start, 500)), Some(Admitted(0)), "another endpoint has its own turn");

        assert_eq!(turns.admit(1, at(start, 1000)), Some(Admitted(500)));
        assert_eq!(turns.admit(1, at(start, 2000)), Some(Admitted(0)));
    }

    #[test]
    fn so_many_subjects_at_once_share_a_turn_and_cost_no_more_memory() {
        let (mut turns, start) = (Turns::NONE, Instant::now());

        let admitted = (0..100_000).filter(|subject| turns.admit(*subject, start).is_some()).count();

        assert_eq!((admitted, turns.of.len()), (SUBJECTS + 1, SUBJECTS));
        assert_eq!(turns.admit(0, at(start, 900)), None);
        let left_out = turns.admit(100_000, at(start, 1000));
        assert_eq!(left_out, Some(Admitted(0)), "those of before have been quiet, and make room");
        assert_eq!((turns.of.len(), turns.others.left_out), (1, 100_000 - 257 + 1), "what they owe is not forgotten");
    }

    #[test]
    fn what_a_level_hides_takes_nobodys_turn() {
        let lines = |level| {
            let seen = CapturedLog::default();
            let subscriber =
                tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(seen.clone()).finish();
            tracing::subscriber::with_default(subscriber, || {
                for _ in 0..3 {
                    limited!(warn, of: "10.0.0.1:80", endpoint = "10.0.0.1:80", "switch refused");
                }
            });
            seen.text()
        };

        assert_eq!(lines(tracing::Level::ERROR), "");
        let shown = lines(tracing::Level::WARN);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.contains("switch refused") && !shown.contains("left_out"), "{shown}");
    }
}
