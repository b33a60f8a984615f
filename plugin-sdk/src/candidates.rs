//! Who may be chosen, and what each holds: two columns of the contract that read like one slice of structs.

use std::iter::{Copied, FusedIterator, Zip};
use std::slice;

/// One endpoint that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id: the index of the endpoint in the list that `configure` received. Ids have gaps wherever an endpoint may not
    /// be chosen now, so that an id is no position among the candidates.
    pub id: u32,
    /// Connections and requests that it holds now, over the whole gateway.
    pub busy: u32,
}

/// The endpoints that may be chosen now, ascending by id. The gateway never asks with none.
///
/// ```
/// use tidegate_plugin::Candidates;
///
/// let candidates = Candidates::new(&[0, 2, 5], &[7, 1, 3]);
///
/// let least = candidates.iter().min_by_key(|candidate| candidate.busy);
///
/// assert_eq!(least.map(|candidate| candidate.id), Some(2));
/// assert_eq!(candidates.busy_of(5), Some(3));
/// assert!(!candidates.contains(1), "endpoint 1 is drained, ill or a spare");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidates<'a> {
    ids: &'a [u32],
    busy: &'a [u32],
}

impl<'a> Candidates<'a> {
    /// `ids` ascend, and `busy[i]` belongs to `ids[i]`. Of columns of different lengths the longer one is cut.
    #[inline]
    #[must_use]
    pub const fn new(ids: &'a [u32], busy: &'a [u32]) -> Self {
        match (ids.split_at_checked(busy.len()), busy.split_at_checked(ids.len())) {
            (Some((ids, _)), _) => Self { ids, busy },
            (None, Some((busy, _))) => Self { ids, busy },
            (None, None) => Self { ids: &[], busy: &[] },
        }
    }

    /// How many there are.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none. Never inside `pick`.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The candidate at a position, from 0 to `len() - 1`. A position is no id: see [`Self::contains`] and
    /// [`Self::busy_of`] for those.
    #[inline]
    #[must_use]
    pub fn get(&self, position: usize) -> Option<Candidate> {
        Some(Candidate { id: *self.ids.get(position)?, busy: *self.busy.get(position)? })
    }

    /// The candidate with the smallest id.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Option<Candidate> {
        self.get(0)
    }

    /// The candidate with the greatest id.
    #[inline]
    #[must_use]
    pub fn last(&self) -> Option<Candidate> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Where an id stands among the candidates, if it may be chosen. Takes about log2(len) steps.
    #[inline]
    #[must_use]
    pub fn position(&self, id: u32) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// Whether an id may be chosen now.
    #[inline]
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.position(id).is_some()
    }

    /// What the endpoint with this id holds, if it may be chosen.
    #[inline]
    #[must_use]
    pub fn busy_of(&self, id: u32) -> Option<u32> {
        self.busy.get(self.position(id)?).copied()
    }

    /// Each once, ascending by id.
    #[inline]
    #[must_use]
    pub fn iter(&self) -> Iter<'a> {
        Iter(self.ids.iter().copied().zip(self.busy.iter().copied()))
    }

    /// Each with its number in a column of [`columns`](crate::columns); NaN, which is "unknown" there too, where the
    /// column ends earlier.
    ///
    /// ```
    /// # use tidegate_plugin::Candidates;
    /// let latency = [900.0, 250.0];
    /// let candidates = Candidates::new(&[3, 4], &[0, 1]);
    ///
    /// let quickest = candidates.with(&latency).min_by(|(_, one), (_, other)| one.total_cmp(other));
    ///
    /// assert_eq!(quickest.map(|(candidate, _)| candidate.id), Some(4));
    /// ```
    #[inline]
    pub fn with<'c>(&self, column: &'c [f64]) -> impl Iterator<Item = (Candidate, f64)> + Clone + use<'a, 'c> {
        let number = |position: usize| column.get(position).copied().unwrap_or(f64::NAN);
        self.iter().enumerate().map(move |(position, candidate)| (candidate, number(position)))
    }

    /// The ids alone, ascending.
    #[inline]
    #[must_use]
    pub const fn ids(&self) -> &'a [u32] {
        self.ids
    }

    /// What they hold alone, in the order of the ids.
    #[inline]
    #[must_use]
    pub const fn busy(&self) -> &'a [u32] {
        self.busy
    }
}

impl<'a> IntoIterator for Candidates<'a> {
    type Item = Candidate;
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Candidates<'a> {
    type Item = Candidate;
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Iterates over [`Candidates`], from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a>(Zip<Copied<slice::Iter<'a, u32>>, Copied<slice::Iter<'a, u32>>>);

impl Iterator for Iter<'_> {
    type Item = Candidate;

    #[inline]
    fn next(&mut self) -> Option<Candidate> {
        self.0.next().map(candidate)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }

    /// The loop of `for_each`, `min_by_key` and the like: that of the two slices.
    #[inline]
    fn fold<B, F: FnMut(B, Candidate) -> B>(self, init: B, mut each: F) -> B {
        self.0.fold(init, |all, pair| each(all, candidate(pair)))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Candidate> {
        self.0.next_back().map(candidate)
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

#[inline]
fn candidate((id, busy): (u32, u32)) -> Candidate {
    Candidate { id, busy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns_read_like_one_slice() {
        let candidates = Candidates::new(&[1, 4, 9], &[5, 0, 2]);
        let of = |id, busy| Candidate { id, busy };

        assert_eq!(candidates.iter().collect::<Vec<_>>(), [of(1, 5), of(4, 0), of(9, 2)]);
        assert_eq!(candidates.into_iter().rev().map(|it| it.id).collect::<Vec<_>>(), [9, 4, 1]);
        assert_eq!((candidates.len(), candidates.iter().len()), (3, 3));
        assert_eq!(
            (candidates.first(), candidates.get(1), candidates.last()),
            (Some(of(1, 5)), Some(of(4, 0)), Some(of(9, 2)))
        );
        assert_eq!(candidates.get(3), None, "a position past the end is no panic");
        assert_eq!((candidates.position(9), candidates.position(3)), (Some(2), None));
        assert_eq!((candidates.busy_of(4), candidates.busy_of(2)), (Some(0), None));
    }

    #[test]
    fn nobody_is_no_panic() {
        let nobody = Candidates::new(&[], &[]);

        assert!(nobody.is_empty() && nobody.first().is_none() && nobody.last().is_none() && !nobody.contains(0));
    }

    #[test]
    fn what_has_no_partner_is_cut() {
        assert_eq!(Candidates::new(&[1, 2], &[7]).ids(), [1]);
        assert_eq!(Candidates::new(&[1], &[7, 8]).busy(), [7]);
        let known: Vec<_> = Candidates::new(&[1, 2], &[0, 0]).with(&[0.5]).map(|(_, number)| number.is_nan()).collect();
        assert_eq!(known, [false, true]);
    }
}
