//! Where a key goes: its slot's endpoint, or the next one along the table that may and can take it.

use tidegate_parts::{Turns, mix, text_hash};

use crate::table::{Member, Table};

/// Slots to look at before it is cheaper to look at the eligible endpoints instead.
const STEPS: usize = 128;

/// What the endpoints may hold together, the new one included, and the weights that share it.
#[derive(Clone, Copy, Debug)]
struct Room {
    most: f64,
    weight: f64,
}

/// Table, weights and bound.
#[derive(Debug)]
pub struct Chooser {
    table: Table,
    weights: Vec<u32>,
    /// Hashes of the names, by id.
    hashes: Vec<u64>,
    total: u64,
    /// No endpoint above this many times its share of what is in flight; none if there is no bound.
    bound: Option<f64>,
    turns: Turns,
}

impl Chooser {
    /// `members` sorted by name; ids are 0 and up.
    pub fn new(members: &[Member<'_>], size: usize, bound: Option<f64>) -> Self {
        let (mut weights, mut hashes) = (vec![1; members.len()], vec![0; members.len()]);
        for member in members {
            let Ok(id) = usize::try_from(member.id) else { continue };
            if let (Some(weight), Some(hash)) = (weights.get_mut(id), hashes.get_mut(id)) {
                (*weight, *hash) = (member.weight.max(1), text_hash(member.name));
            }
        }
        let total = weights.iter().copied().map(u64::from).sum();
        let turns = Turns::new(weights.iter().copied());
        Self { table: Table::new(members, size), weights, hashes, total, bound, turns }
    }

    /// Chooses one of `eligible`, ascending, of which each holds `busy`. Without a key the least busy for its weight.
    pub fn pick(&mut self, eligible: &[u32], busy: &[u32], key: Option<u32>) -> Option<u32> {
        let Some(key) = key else { return self.turns.least_busy(eligible, busy) };
        let room = self.room(eligible, busy);
        let all = eligible.len() == self.weights.len();
        let takes = |id: &u32| {
            let at = if all { usize::try_from(*id).ok() } else { eligible.binary_search(id).ok() };
            at.and_then(|at| busy.get(at)).is_some_and(|busy| self.has_room(*id, *busy, room))
        };
        let near = self.table.from(self.table.slot(key)).take(STEPS).find(takes);
        near.or_else(|| self.far(eligible, busy, key, room)).or_else(|| self.turns.least_busy(eligible, busy))
    }

    /// The one with room whose name and the key agree best (rendezvous hashing): also the same for the same key, and a
    /// look at each eligible endpoint instead of at each slot.
    fn far(&self, eligible: &[u32], busy: &[u32], key: u32, room: Option<Room>) -> Option<u32> {
        let with_room = eligible.iter().zip(busy).filter(|(id, busy)| self.has_room(**id, **busy, room));
        let hash = |id: u32| usize::try_from(id).ok().and_then(|id| self.hashes.get(id)).copied().unwrap_or_default();
        with_room.map(|(id, _)| *id).max_by_key(|id| mix(hash(*id) ^ mix(u64::from(key))))
    }

    /// How much may be held (Mirrokni et al., "Consistent Hashing with Bounded Loads", 2018).
    fn room(&self, eligible: &[u32], busy: &[u32]) -> Option<Room> {
        let bound = self.bound?;
        let held: f64 = busy.iter().copied().map(f64::from).sum();
        let all = eligible.len() == self.weights.len();
        let weights = eligible.iter().map(|id| u64::from(self.weight(*id)));
        #[expect(clippy::cast_precision_loss, reason = "thousands of weights of at most 10,000")]
        let weight = if all { self.total } else { weights.sum() } as f64;
        Some(Room { most: bound * (held + 1.0), weight })
    }

    /// Rounded up, so that the bounds of all together have room for one more.
    fn has_room(&self, id: u32, busy: u32, room: Option<Room>) -> bool {
        let share = |room: Room| (room.most * f64::from(self.weight(id)) / room.weight).ceil();
        room.is_none_or(|room| f64::from(busy) < share(room))
    }

    fn weight(&self, id: u32) -> u32 {
        usize::try_from(id).ok().and_then(|id| self.weights.get(id)).copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::names;

    fn chooser(weights: &[u32], bound: Option<f64>) -> Chooser {
        let names = names(weights.len());
        let members: Vec<_> =
            (0..).zip(&names).zip(weights).map(|((id, name), weight)| Member { id, name, weight: *weight }).collect();
        Chooser::new(&members, 65_537, bound)
    }

    fn ids(count: u32) -> Vec<u32> {
        (0..count).collect()
    }

    #[test]
    fn a_key_stays_with_its_endpoint() {
        let mut chooser = chooser(&[100; 8], Some(1.25));

        for key in 0..1000 {
            let first = chooser.pick(&ids(8), &[0; 8], Some(key));
            assert!((0..3).all(|_| chooser.pick(&ids(8), &[0; 8], Some(key)) == first), "{key}");
        }
    }

    #[test]
    fn keys_of_an_endpoint_that_is_away_spread_and_no_others_move() {
        let mut chooser = chooser(&[100; 8], None);
        let mut taken = [0; 8];

        for key in 0..8000 {
            let home = chooser.pick(&ids(8), &[0; 8], Some(key)).unwrap();
            let away = chooser.pick(&[0, 1, 2, 4, 5, 6, 7], &[0; 7], Some(key)).unwrap();
            if home == 3 {
                taken[away as usize] += 1;
            } else {
                assert_eq!(away, home, "{key} has no reason to move");
            }
        }

        assert_eq!(taken[3], 0);
        assert!(taken.iter().enumerate().all(|(id, taken)| id == 3 || (100..190).contains(taken)), "{taken:?}");
    }

    #[test]
    fn few_of_many_still_keep_their_keys() {
        let mut chooser = chooser(&[100; 4096], Some(1.25));
        let eligible = [5, 4000];
        let mut found = [0; 2];

        for key in 0..1000 {
            let id = chooser.pick(&eligible, &[0, 0], Some(key)).unwrap();
            assert_eq!(chooser.pick(&eligible, &[0, 0], Some(key)), Some(id));
            found[usize::from(id == 4000)] += 1;
        }

        assert!(found.iter().all(|found| (400..600).contains(found)), "{found:?}");
    }

    #[test]
    fn nobody_holds_more_than_the_bound() {
        for (weights, bound) in [(&[100; 10][..], 1.25), (&[100, 300, 100, 50][..], 1.5), (&[100; 10][..], 1.0)] {
            let (mut chooser, all) = (chooser(weights, Some(bound)), ids(u32::try_from(weights.len()).unwrap()));
            let (mut busy, total) = (vec![0_u32; weights.len()], f64::from(weights.iter().sum::<u32>()));
            for held in 0..1000 {
                // Half of them want to be together.
                let key = if held % 2 == 0 { 7 } else { held };
                let id = chooser.pick(&all, &busy, Some(key)).unwrap();
                busy[id as usize] += 1;

                for (busy, weight) in busy.iter().zip(weights) {
                    let most = (bound * f64::from(held + 1) * f64::from(*weight) / total).ceil();
                    assert!(f64::from(*busy) <= most, "{busy} above {most} of {held}");
                }
            }
        }
    }

    #[test]
    fn without_a_bound_all_stay_together() {
        let mut chooser = chooser(&[100; 4], None);
        let home = chooser.pick(&ids(4), &[0; 4], Some(7)).unwrap();
        let mut busy = [0; 4];
        busy[home as usize] = u32::MAX;

        assert_eq!(chooser.pick(&ids(4), &busy, Some(7)), Some(home));
    }

    #[test]
    fn without_a_key_it_is_the_least_busy() {
        let mut chooser = chooser(&[100, 100, 300], Some(1.25));

        assert_eq!(chooser.pick(&ids(3), &[1, 0, 3], None), Some(1));
        assert_eq!(chooser.pick(&[], &[], None), None);
        assert_eq!(chooser.pick(&[], &[], Some(1)), None);
        assert_eq!(chooser.pick(&[77], &[0], Some(1)), Some(77), "an id of nobody is eligible, and alone");
    }
}
