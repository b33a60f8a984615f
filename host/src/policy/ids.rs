//! Numbers that stand for endpoints, clusters and routes, each a type of its own: none passes for another.
//!
//! All are places in the configuration of one generation, and mean nothing in the next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An endpoint of a cluster: its place among the members, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointId(pub u32);

/// A cluster: its place in the configuration, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub u32);

/// A `[[route]]`: its place in the configuration, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RouteId(pub u32);

macro_rules! place {
    ($($id:ident)*) => {$(
        impl $id {
            /// What has this id in `all`, which is in the order of ids.
            #[must_use]
            #[inline]
            pub fn of<T>(self, all: &[T]) -> Option<&T> {
                all.get(self.0 as usize)
            }

            /// Everything in `all` with its id.
            pub fn each<T>(all: &[T]) -> impl DoubleEndedIterator<Item = (Self, &T)> + Clone + ExactSizeIterator {
                all.iter().enumerate().map(|(place, one)| (Self(u32::try_from(place).unwrap_or(u32::MAX)), one))
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

place! { EndpointId ClusterId RouteId }

/// Endpoints of a cluster, each once, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointIds(Vec<u32>);

impl EndpointIds {
    /// Leaves none; keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Puts `ids`, each of which is there once, in the place of what is there.
    #[inline]
    pub fn fill(&mut self, ids: impl Iterator<Item = EndpointId>) {
        self.0.clear();
        self.0.extend(ids.map(|id| id.0));
        self.0.sort_unstable();
    }

    /// Takes over those of `other`.
    pub fn copy_from(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }

    /// Leaves those for which `keep` holds. If that is none, all stay.
    pub fn narrow(&mut self, mut keep: impl FnMut(EndpointId) -> bool) {
        let mut kept = 0;
        // In place, since this runs at each pick; those that are kept stay in order.
        for at in 0..self.0.len() {
            if self.0.get(at).is_some_and(|id| keep(EndpointId(*id))) {
                self.0.swap(kept, at);
                kept += 1;
            }
        }
        if kept > 0 {
            self.0.truncate(kept);
        }
    }

    /// From the first to the last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EndpointId> + '_ {
        self.0.iter().map(|id| EndpointId(*id))
    }

    /// Whether `id` is among them.
    #[must_use]
    pub fn contains(&self, id: EndpointId) -> bool {
        self.0.binary_search(&id.0).is_ok()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the contract of plugins has them.
    #[must_use]
    pub fn as_numbers(&self) -> &[u32] {
        &self.0
    }
}

impl FromIterator<EndpointId> for EndpointIds {
    fn from_iter<I: IntoIterator<Item = EndpointId>>(ids: I) -> Self {
        let mut all = Self::default();
        all.fill(ids.into_iter());
        all.0.dedup();
        all
    }
}

impl<const N: usize> From<[u32; N]> for EndpointIds {
    fn from(ids: [u32; N]) -> Self {
        ids.into_iter().map(EndpointId).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ascending_and_each_is_there_once() {
        let ids = EndpointIds::from([7, 1, 4, 1]);

        assert_eq!(ids.as_numbers(), [1, 4, 7]);
        assert!(ids.contains(EndpointId(4)) && !ids.contains(EndpointId(5)));
    }

    #[test]
    fn narrowing_keeps_the_order_and_never_leaves_nobody() {
        let mut ids = EndpointIds::from([1, 2, 3, 4]);

        ids.narrow(|id| id.0 % 2 == 0);
        assert_eq!(ids.as_numbers(), [2, 4]);
        ids.narrow(|_| false);
        assert_eq!(ids.as_numbers(), [2, 4]);
    }

    #[test]
    fn an_id_finds_its_own() {
        let names = ["a", "b"];

        assert_eq!(RouteId(1).of(&names), Some(&"b"));
        assert_eq!(RouteId(2).of(&names), None);
        assert_eq!(ClusterId::each(&names).next_back(), Some((ClusterId(1), &"b")));
    }
}
