//! Maglev's table (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, §3.4),
//! with weights.
//!
//! ```text
//! key ─▶ slot ─▶ endpoint         each endpoint has a permutation of all slots; in turn, each takes the first free one
//! ```

use tidegate_parts::{mix, text_hash};

/// Nobody's slot.
const FREE: u32 = u32::MAX;

/// Slots, each with the id of its endpoint. Made once: filling takes about `size × ln(size)` steps, however many
/// endpoints there are and however their weights differ.
#[derive(Debug)]
pub struct Table(Vec<u32>);

/// An endpoint to fill slots with.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Id of the endpoint.
    pub id: u32,
    /// Its name, which decides where it goes.
    pub name: &'a str,
    /// In hundredths.
    pub weight: u32,
}

/// Walks through an endpoint's permutation of the slots: `offset`, `offset + skip`, … As the size is prime, each slot
/// comes once.
#[derive(Clone, Copy, Debug)]
struct Walk {
    at: usize,
    skip: usize,
}

impl Table {
    /// Fills `size` slots, a prime. `members` in an order that does not depend on how they were written down, so that
    /// every gateway has the same table: sort them by name.
    pub fn new(members: &[Member<'_>], size: usize) -> Self {
        let mut slots = vec![FREE; size];
        let mut walks: Vec<Walk> = members.iter().map(|member| Walk::new(member.name, size)).collect();
        for member in turns(members, size) {
            if let (Some(member), Some(walk)) = (members.get(member), walks.get_mut(member)) {
                walk.take(&mut slots, member.id);
            }
        }
        Self(slots)
    }

    /// The slot of a key.
    pub fn slot(&self, key: u32) -> usize {
        let size = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        // The remainder is smaller than a length, which is a usize.
        mix(u64::from(key)).checked_rem(size).and_then(|slot| usize::try_from(slot).ok()).unwrap_or_default()
    }

    /// The endpoints from a slot on, all slots once.
    pub fn from(&self, slot: usize) -> impl Iterator<Item = u32> + '_ {
        let (before, after) = self.0.split_at_checked(slot).unwrap_or((&self.0, &[]));
        after.iter().chain(before).copied()
    }
}

impl Walk {
    fn new(name: &str, size: usize) -> Self {
        let hash = text_hash(name);
        // Both remainders are smaller than a length, which is a usize.
        let below = |number: u64, end: usize| {
            let end = u64::try_from(end).unwrap_or(u64::MAX);
            number.checked_rem(end).and_then(|rest| usize::try_from(rest).ok()).unwrap_or_default()
        };
        Self { at: below(hash, size), skip: below(mix(hash), size.saturating_sub(1)).saturating_add(1) }
    }

    /// Takes its first free slot, if there is one.
    fn take(&mut self, slots: &mut [u32], id: u32) {
        for _ in 0..slots.len() {
            let at = self.at;
            self.at = at.saturating_add(self.skip);
            if self.at >= slots.len() {
                self.at = self.at.saturating_sub(slots.len());
            }
            if let Some(slot) = slots.get_mut(at)
                && *slot == FREE
            {
                *slot = id;
                return;
            }
        }
    }
}

/// Whose turn it is, for every slot: indices of `members`.
///
/// An endpoint's share in slots is its share of the weights, rounded, at least one. Its turns are spread evenly: turn
/// `k` of `n` stands at `(k + ½) / n` of the way. With equal weights that is Maglev's round robin. The turns are sorted
/// by counting, because with one endpoint of weight 100 among thousands of 0.01 rounds over all of them would never
/// end.
fn turns(members: &[Member<'_>], size: usize) -> Vec<usize> {
    let total: u64 = members.iter().map(|member| u64::from(member.weight.max(1))).sum();
    let slots = u64::try_from(size).unwrap_or(u64::MAX);
    let share = |member: &Member<'_>| {
        let exact = u64::from(member.weight.max(1)).saturating_mul(slots);
        exact.saturating_add(total / 2).checked_div(total).unwrap_or_default().max(1)
    };
    // Where on the way turn `k` of `n` stands, in slots.
    let place = |k: u64, n: u64| {
        let halves = k.saturating_mul(2).saturating_add(1).saturating_mul(slots);
        halves.checked_div(n.saturating_mul(2)).and_then(|place| usize::try_from(place).ok()).unwrap_or_default()
    };
    let all = || {
        members.iter().enumerate().flat_map(|(index, member)| {
            let n = share(member);
            (0..n).map(move |k| (index, place(k, n)))
        })
    };
    let mut ends = vec![0_usize; size];
    for (_, place) in all() {
        if let Some(count) = ends.get_mut(place) {
            *count = count.saturating_add(1);
        }
    }
    let mut before = 0;
    for end in &mut ends {
        before += std::mem::replace(end, before);
    }
    let mut turns = vec![0; before];
    for (index, place) in all() {
        if let Some(next) = ends.get_mut(place) {
            if let Some(turn) = turns.get_mut(*next) {
                *turn = index;
            }
            *next = next.saturating_add(1);
        }
    }
    // Rounding may leave a few slots over; or too many turns, of which the last find no slot.
    let missing = size.saturating_sub(turns.len());
    turns.extend((0..members.len()).cycle().take(missing));
    turns.truncate(size);
    turns
}

#[cfg(test)]
mod tests;
