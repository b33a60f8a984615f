//! Whose turn it is: smooth weighted round robin, alone or among those that are equal otherwise.

use std::cmp::Ordering;

/// One score per endpoint, Apache's `lbstatus`: it grows by the weight whenever the endpoint could have been chosen,
/// and pays for all when it is.
#[derive(Clone, Debug)]
pub struct Turns(Vec<Entry>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    weight: u32,
    score: i64,
}

/// How full an endpoint is, for its weight. Compared exactly, without dividing.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    held: u64,
    weight: u64,
}

impl Load {
    /// What an endpoint of this weight would hold per unit of weight if it got one more.
    #[inline]
    #[must_use]
    pub fn with_one_more(busy: u32, weight: u32) -> Self {
        Self { held: u64::from(busy) + 1, weight: u64::from(weight.max(1)) }
    }
}

impl PartialEq for Load {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Load {
    /// Both products stay below 2^64: 2^32 times less than 2^32.
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.held.wrapping_mul(other.weight).partial_cmp(&other.held.wrapping_mul(self.weight))
    }
}

impl Turns {
    /// Everyone at zero. Weights are load factors in hundredths.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        Self(weights.into_iter().map(|weight| Entry { weight, score: 0 }).collect())
    }

    /// Chooses by turn alone: the greatest score, the earliest among equals.
    pub fn turn(&mut self, ids: &[u32]) -> Option<u32> {
        self.choose(ids.iter().map(|&id| (id, ())), |(), _| ())
    }

    /// Chooses the smallest number; by turn among equals. A number that cannot be compared is never better.
    pub fn least<N: PartialOrd>(&mut self, candidates: impl Iterator<Item = (u32, N)>) -> Option<u32> {
        self.choose(candidates, |number, _| number)
    }

    /// Chooses the smallest (busy + 1) / weight; by turn among equals.
    pub fn least_busy(&mut self, ids: &[u32], busy: &[u32]) -> Option<u32> {
        self.choose(ids.iter().copied().zip(busy.iter().copied()), Load::with_one_more)
    }

    #[inline]
    fn choose<T, N: PartialOrd>(
        &mut self,
        candidates: impl Iterator<Item = (u32, T)>,
        number: impl Fn(T, u32) -> N,
    ) -> Option<u32> {
        let mut best: Option<(N, i64, u32)> = None;
        let mut total: i64 = 0;
        for (id, fact) in candidates {
            let Some(entry) = self.entry(id) else { continue };
            let weight = i64::from(entry.weight);
            entry.score = entry.score.saturating_add(weight);
            total = total.saturating_add(weight);
            let (number, score) = (number(fact, entry.weight), entry.score);
            let better = best.as_ref().is_none_or(|(least, most, _)| match number.partial_cmp(least) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => score > *most,
                _ => false,
            });
            if better {
                best = Some((number, score, id));
            }
        }
        let (_, _, id) = best?;
        let winner = self.entry(id)?;
        winner.score = winner.score.saturating_sub(total);
        Some(id)
    }

    /// Sets the score of one endpoint.
    pub fn set(&mut self, index: usize, score: i64) {
        if let Some(entry) = self.0.get_mut(index) {
            entry.score = score;
        }
    }

    /// The scores, in the order of the endpoints.
    pub fn scores(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().map(|entry| entry.score)
    }

    fn entry(&mut self, id: u32) -> Option<&mut Entry> {
        self.0.get_mut(usize::try_from(id).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_weights_smoothly() {
        let mut turns = Turns::new([500, 100, 100]);

        let found: String = (0..7).map(|_| char::from(b'a' + turns.turn(&[0, 1, 2]).unwrap() as u8)).collect();

        assert_eq!(found, "aabacaa", "as in nginx, which invented it");
        assert!(turns.scores().eq([0, 0, 0]), "a round ends where it began");
    }

    #[test]
    fn least_busy_is_by_weight_and_equals_take_turns() {
        let table: &[(&[u32], &[u32], u32)] = &[
            (&[100, 100], &[1, 0], 1),
            (&[100, 300], &[0, 1], 1),     // 1/1 against 2/3
            (&[100, 300], &[0, 3], 0),     // 1/1 against 4/3
            (&[1, 10_000], &[0, 9998], 1), // 1/0.01 against 9999/100
            (&[100, 100], &[u32::MAX, u32::MAX], 0),
            (&[0, u32::MAX], &[u32::MAX, u32::MAX], 1),
        ];

        for (weights, busy, expected) in table {
            let mut turns = Turns::new(weights.iter().copied());
            assert_eq!(turns.least_busy(&[0, 1], busy), Some(*expected), "{weights:?} {busy:?}");
        }
        let mut equals = Turns::new([100, 100]);
        let found: Vec<_> = (0..4).filter_map(|_| equals.least_busy(&[0, 1], &[5, 5])).collect();
        assert_eq!(found, [0, 1, 0, 1]);
    }

    #[test]
    fn nobody_to_choose_is_none() {
        let mut turns = Turns::new([100]);

        assert_eq!(turns.turn(&[]), None);
        assert_eq!(turns.turn(&[7]), None, "an id that was never configured");
        assert_eq!(turns.least([(0, f64::NAN)].into_iter()), Some(0), "better than nobody");
    }

    #[test]
    fn a_number_that_is_none_is_never_better() {
        let mut turns = Turns::new([100, 100, 100]);

        assert_eq!(turns.least([(0, 2.0), (1, f64::NAN), (2, 1.0)].into_iter()), Some(2));
    }

    #[test]
    fn scores_end_where_numbers_end() {
        let mut turns = Turns::new([10_000, 1]);
        turns.set(0, i64::MAX);
        turns.set(1, i64::MIN);
        turns.set(9, 1);

        assert_eq!(turns.turn(&[0, 1]), Some(0));
    }
}
