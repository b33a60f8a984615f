//! Token buckets by key, bounded: the one that was asked for longest ago is forgotten.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use super::call_error::RefusedArgument;

/// Buckets of one plugin; from the contract.
const BUCKETS: usize = 100_000;

/// The longest wait that is told, in milliseconds: numbers of the contract stay below 2^31.
const LONGEST: u32 = i32::MAX.cast_unsigned();

/// What a bucket may lack of a token because sums of floats are rounded.
const ROUNDING: f64 = 1e-9;

/// How a bucket fills: tokens a second, and how many it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Refill {
    rate: f64,
    burst: f64,
}

impl Refill {
    /// # Errors
    /// If `rate` is negative, `burst` is below 1, or one of them is no finite number.
    pub(super) fn new(rate: f64, burst: f64) -> Result<Self, RefusedArgument> {
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(RefusedArgument::new("of `take` a rate of 0 or more tokens a second", rate));
        }
        if !(burst.is_finite() && burst >= 1.0) {
            return Err(RefusedArgument::new("of `take` a burst of 1 or more tokens", burst));
        }
        // The absolute value, for a rate of -0 would wait for a time of minus infinity.
        Ok(Self { rate: rate.abs(), burst })
    }
}

/// A bucket, and its neighbours in the order of use.
#[derive(Debug)]
struct Bucket {
    key: u128,
    tokens: f64,
    /// When it held so many.
    at: Duration,
    /// The one asked for next after it.
    newer: Option<usize>,
    /// The one asked for last before it.
    older: Option<usize>,
}

/// Buckets by key. A key is kept as its hash of 128 bits, under a secret of the process: however long keys are, memory
/// is bounded, and nobody can choose two that meet.
#[derive(Debug, Default)]
pub(super) struct TokenBuckets {
    hashes: [RandomState; 2],
    places: HashMap<u128, usize>,
    buckets: Vec<Bucket>,
    newest: Option<usize>,
    oldest: Option<usize>,
}

impl TokenBuckets {
    /// Takes a token from the bucket of `key`, which is full if it is new: 0, or the milliseconds until there is one.
    /// `now` never goes back.
    pub(super) fn take(&mut self, key: &str, refill: Refill, now: Duration) -> u32 {
        let place = self.place(key, refill, now);
        self.buckets.get_mut(place).map_or(LONGEST, |bucket| bucket.take(refill, now))
    }

    /// Where the bucket of `key` is, now the newest.
    fn place(&mut self, key: &str, refill: Refill, now: Duration) -> usize {
        let [high, low] = self.hashes.each_ref().map(|hash| u128::from(hash.hash_one(key)));
        let key = (high << 64) | low;
        let found = self.places.get(&key).copied();
        if found.is_some() && found == self.newest {
            return found.unwrap_or_default();
        }
        let full = Bucket { key, tokens: refill.burst, at: now, newer: None, older: None };
        let place = match found.or_else(|| self.oldest.filter(|_| self.buckets.len() >= BUCKETS)) {
            Some(place) => {
                self.unlink(place);
                place
            }
            None => self.buckets.len(),
        };
        match self.buckets.get_mut(place) {
            _ if found.is_some() => {}
            Some(forgotten) => {
                self.places.remove(&forgotten.key);
                *forgotten = full;
                self.places.insert(key, place);
            }
            None => {
                self.buckets.push(full);
                self.places.insert(key, place);
            }
        }
        self.link(place);
        place
    }

    fn unlink(&mut self, place: usize) {
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        let (newer, older) = (bucket.newer.take(), bucket.older.take());
        match newer.and_then(|newer| self.buckets.get_mut(newer)) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        match older.and_then(|older| self.buckets.get_mut(older)) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Makes one that is linked to none the newest.
    fn link(&mut self, place: usize) {
        let before = self.newest.replace(place);
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.older = before;
        }
        match before.and_then(|before| self.buckets.get_mut(before)) {
            Some(before) => before.newer = Some(place),
            None => self.oldest = Some(place),
        }
    }
}

impl Bucket {
    fn take(&mut self, refill: Refill, now: Duration) -> u32 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * refill.rate).min(refill.burst);
        self.at = now;
        if self.tokens >= 1.0 - ROUNDING {
            self.tokens = (self.tokens - 1.0).max(0.0);
            return 0;
        }
        let wait = (1.0 - self.tokens) / refill.rate * 1e3;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds of a u32")]
        let wait = wait.ceil().clamp(1.0, LONGEST.into()) as u32;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn refill(rate: f64, burst: f64) -> Refill {
        Refill::new(rate, burst).unwrap()
    }

    #[test]
    fn a_burst_is_taken_at_once_and_the_rest_at_the_rate() {
        let (mut buckets, ten) = (TokenBuckets::default(), refill(10.0, 3.0));

        assert_eq!([0; 5].map(|at_0| buckets.take("a", ten, at(at_0))), [0, 0, 0, 100, 100]);
        assert_eq!(buckets.take("b", ten, at(0)), 0, "each key has its own");
        assert_eq!(buckets.take("a", ten, at(60)), 40);
        assert_eq!(buckets.take("a", ten, at(100)), 0, "the time that was told is enough");
        assert_eq!(
            [10_000; 4].map(|later| buckets.take("a", ten, at(later))),
            [0, 0, 0, 100],
            "no more than the burst"
        );
    }

    #[test]
    fn the_time_that_was_told_is_enough_at_any_rate() {
        for rate in [0.001, 0.3, 1.0 / 3.0, 7.0, 999.9, 1e6] {
            let (mut buckets, refill, mut now) = (TokenBuckets::default(), refill(rate, 1.0), 17);
            assert_eq!(buckets.take("a", refill, at(now)), 0);
            for _ in 0..100 {
                let wait = buckets.take("a", refill, at(now));
                now += u64::from(wait);
                assert_eq!(if wait == 0 { 0 } else { buckets.take("a", refill, at(now)) }, 0, "rate {rate} at {now}");
            }
        }
    }

    #[test]
    fn a_rate_of_nothing_and_a_century_are_the_longest_wait() {
        let mut buckets = TokenBuckets::default();

        for rate in [0.0, -0.0_f64, f64::MIN_POSITIVE, 1e-8] {
            let key = rate.to_string();
            assert_eq!([0, 1].map(|when| buckets.take(&key, refill(rate, 1.0), at(when))), [0, LONGEST], "{rate}");
        }
        assert_eq!([0; 2].map(|when| buckets.take("much", refill(f64::MAX, f64::MAX), at(when))), [0, 0]);
        assert_eq!(buckets.take("much", refill(f64::MAX, f64::MAX), Duration::MAX), 0);
    }

    #[test]
    fn each_call_says_how_its_bucket_fills() {
        let mut buckets = TokenBuckets::default();
        assert_eq!(buckets.take("a", refill(1.0, 100.0), at(0)), 0);

        assert_eq!([0; 2].map(|when| buckets.take("a", refill(1.0, 1.0), at(when))), [0, 1000], "a smaller burst");
        assert_eq!(buckets.take("a", refill(1000.0, 1.0), at(0)), 1, "a higher rate");
    }

    #[test]
    fn the_bucket_that_was_asked_for_longest_ago_is_forgotten() {
        let (mut buckets, one) = (TokenBuckets::default(), refill(0.0, 1.0));
        for number in 0..BUCKETS {
            assert_eq!(buckets.take(&number.to_string(), one, at(0)), 0);
        }
        assert_eq!(buckets.take("0", one, at(0)), LONGEST, "all are kept; now 1 is the oldest");

        for number in 0..10 {
            assert_eq!(buckets.take(&format!("more {number}"), one, at(0)), 0);
        }

        assert_eq!(buckets.buckets.len(), BUCKETS);
        assert_eq!(buckets.places.len(), BUCKETS);
        for kept in ["0", "11", "99999", "more 0", "more 9"] {
            assert_eq!(buckets.take(kept, one, at(0)), LONGEST, "{kept} is kept");
        }
        assert_eq!(buckets.take("1", one, at(0)), 0, "1 was forgotten");
    }

    #[test]
    fn order_of_use_is_kept_whatever_is_asked_for() {
        let (mut buckets, one) = (TokenBuckets::default(), refill(0.0, 1.0));
        for key in ["a", "b", "c", "b", "a", "a", "c"] {
            buckets.take(key, one, at(0));
        }
        let mut order = Vec::new();
        let mut place = buckets.oldest;
        while let Some(bucket) = place.and_then(|place| buckets.buckets.get(place)) {
            order.push(place.unwrap());
            assert_eq!(bucket.older, order.iter().rev().nth(1).copied());
            place = bucket.newer;
        }

        assert_eq!(order, [1, 0, 2], "b, a, c");
    }

    #[test]
    fn what_is_no_rate_and_no_burst_is_refused_with_the_number() {
        for (rate, burst, sentence) in [
            (f64::NAN, 1.0, "expected of `take` a rate of 0 or more tokens a second, found NaN"),
            (-1.0, 1.0, "expected of `take` a rate of 0 or more tokens a second, found -1"),
            (f64::INFINITY, 1.0, "expected of `take` a rate of 0 or more tokens a second, found inf"),
            (1.0, f64::NAN, "expected of `take` a burst of 1 or more tokens, found NaN"),
            (1.0, 0.5, "expected of `take` a burst of 1 or more tokens, found 0.5"),
            (1.0, f64::INFINITY, "expected of `take` a burst of 1 or more tokens, found inf"),
        ] {
            assert_eq!(Refill::new(rate, burst).unwrap_err().to_string(), sentence);
        }
    }
}
