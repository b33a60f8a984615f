//! What one endpoint reports about itself: the last value of each signal and when it came.
//!
//! Values belong to the endpoint, not to a generation: a reload that keeps a signal keeps its values. Reading takes no
//! lock, because a balancer may ask for every endpoint at every pick; nothing is allocated before the first report.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::config::MOST_SIGNALS;

/// A signal's name, resolved: endpoints compare a number, not text.
#[derive(Debug)]
pub struct SignalKey {
    /// Never 0, and never used twice.
    id: u64,
    name: String,
}

impl SignalKey {
    /// The operator's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// All keys that are in use.
#[derive(Debug, Default)]
pub(super) struct SignalKeys {
    held: Mutex<HashMap<String, Weak<SignalKey>>>,
    last: AtomicU64,
}

impl SignalKeys {
    /// The key of `name`; a new one if none is in use.
    pub(super) fn key(&self, name: &str) -> Arc<SignalKey> {
        let mut held = self.held.lock();
        if let Some(key) = held.get(name).and_then(Weak::upgrade) {
            return key;
        }
        // A key that is no longer in use makes room, so that names that come and go do not add up.
        held.retain(|_, key| key.strong_count() > 0);
        let id = self.last.fetch_add(1, Relaxed) + 1;
        let key = Arc::new(SignalKey { id, name: name.to_owned() });
        held.insert(name.to_owned(), Arc::downgrade(&key));
        key
    }
}

/// Reports of one endpoint.
#[derive(Debug)]
pub struct Reported {
    born: Instant,
    slots: OnceLock<Box<[Slot; MOST_SIGNALS]>>,
    /// One report at a time; readers do not wait for it.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Of the [`SignalKey`]; 0 while the slot is free.
    key: AtomicU64,
    /// Milliseconds after `born`, and 1; 0 before the first report.
    at: AtomicU64,
    /// f64 bits.
    value: AtomicU64,
}

/// The last report of one signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Last {
    /// Finite.
    pub value: f64,
    /// How long ago it came.
    pub age: Duration,
}

impl Reported {
    /// No report yet, for an endpoint that is known since `born`.
    #[must_use]
    pub fn new(born: Instant) -> Self {
        Self { born, slots: OnceLock::new(), writing: Mutex::new(()) }
    }

    /// The endpoint says that `key` is `value`, which must be finite, at `now`.
    ///
    /// A signal that has no slot takes a free one, else the one that has been silent longest: it is of a configuration
    /// that is gone, as one configuration has no more signals than there are slots.
    pub fn report(&self, key: &SignalKey, value: f64, now: Instant) {
        let slots = self.slots.get_or_init(Default::default);
        let at = self.millis(now).saturating_add(1);
        let _one_at_a_time = self.writing.lock();
        let own = slots.iter().find(|slot| slot.key.load(Relaxed) == key.id);
        let Some(slot) = own.or_else(|| slots.iter().min_by_key(|slot| slot.at.load(Relaxed))) else { return };
        if own.is_none() {
            slot.key.store(0, Release);
        }
        slot.value.store(value.to_bits(), Release);
        slot.at.store(at, Release);
        slot.key.store(key.id, Release);
    }

    /// What was said last of `key`; none if nothing ever was.
    #[must_use]
    pub fn last(&self, key: &SignalKey, now: Instant) -> Option<Last> {
        let slot = self.slots.get()?.iter().find(|slot| slot.key.load(Acquire) == key.id)?;
        let at = slot.at.load(Acquire);
        let value = f64::from_bits(slot.value.load(Acquire));
        // Another signal has taken the slot in between: what was read may be its value.
        if slot.key.load(Acquire) != key.id {
            return None;
        }
        let age = Duration::from_millis(self.millis(now).saturating_add(1).saturating_sub(at));
        Some(Last { value, age })
    }

    /// The value of `key`, NaN if it is older than `expiry` or was never reported.
    #[must_use]
    pub fn value(&self, key: &SignalKey, expiry: Duration, now: Instant) -> f64 {
        self.last(key, now).filter(|last| last.age < expiry).map_or(f64::NAN, |last| last.value)
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: Duration = Duration::from_secs(10);

    #[test]
    fn a_report_counts_until_it_expires() {
        let (keys, now) = (SignalKeys::default(), Instant::now());
        let (cpu, queue) = (keys.key("cpu"), keys.key("queue"));
        let reported = Reported::new(now);
        let value = |key: &SignalKey, after: u64| reported.value(key, EXPIRY, now + Duration::from_millis(after));

        assert!(value(&cpu, 0).is_nan(), "nothing is known at first");
        reported.report(&cpu, 0.5, now);
        reported.report(&queue, 3.0, now + Duration::from_secs(5));

        assert_eq!(value(&cpu, 9_999), 0.5);
        assert!(value(&cpu, 10_000).is_nan());
        assert_eq!(value(&queue, 10_000), 3.0);
        reported.report(&cpu, 0.75, now + Duration::from_secs(60));
        assert_eq!(value(&cpu, 60_000), 0.75, "a report after silence counts again");
        let last = reported.last(&queue, now + Duration::from_secs(60)).unwrap();
        assert_eq!(last, Last { value: 3.0, age: Duration::from_secs(55) }, "an expired value can still be seen");
    }

    #[test]
    fn a_time_before_its_birth_is_its_birth() {
        let (keys, now) = (SignalKeys::default(), Instant::now());
        let (reported, key) = (Reported::new(now + EXPIRY), keys.key("cpu"));

        reported.report(&key, 1.0, now);

        assert_eq!(reported.value(&key, EXPIRY, now), 1.0);
    }

    #[test]
    fn names_that_come_and_go_take_the_place_of_the_most_silent() {
        let (keys, mut now) = (SignalKeys::default(), Instant::now());
        let reported = Reported::new(now);
        let first = keys.key("first");
        reported.report(&first, 1.0, now);
        for number in 0..10_000 {
            now += Duration::from_millis(1);
            let key = keys.key(&format!("name {number}"));
            reported.report(&key, f64::from(number), now);
            assert_eq!(reported.value(&key, EXPIRY, now), f64::from(number));
        }

        assert!(reported.last(&first, now).is_none(), "its place is taken");
        assert_eq!(keys.held.lock().len(), 2, "the last name, and the one that is held");
        assert_eq!(keys.key("first").id, first.id);
    }

    #[test]
    fn readers_never_see_a_value_of_another_signal() {
        let (keys, now) = (SignalKeys::default(), Instant::now());
        let all: Vec<_> = (0..40).map(|number| keys.key(&number.to_string())).collect();
        let reported = Reported::new(now);

        std::thread::scope(|scope| {
            for part in all.chunks(20) {
                let reported = &reported;
                scope.spawn(move || {
                    for round in 0..2_000_u64 {
                        for key in part {
                            let value = key.name().parse().unwrap();
                            reported.report(key, value, now + Duration::from_millis(round));
                        }
                    }
                });
            }
            for _ in 0..2_000 {
                for key in &all {
                    let (value, own) = (reported.value(key, Duration::MAX, now), key.name().parse::<f64>().unwrap());
                    assert!(value.is_nan() || value == own, "{} is {value}", key.name());
                }
            }
        });
    }
}
