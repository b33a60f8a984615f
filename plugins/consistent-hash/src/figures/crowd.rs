//! A crowd that wants to be together: what a bound does with it.

use tidegate_parts::{Dice, Wheel};

use super::names;
use crate::choose::Chooser;
use crate::table::Member;

/// Different keys that there are.
const KEYS: u32 = 10_000;

/// Connections that are held, for each endpoint.
const HELD: usize = 100;

/// How often keys come.
#[derive(Clone, Copy, Debug)]
pub enum Keys {
    /// Each as often as any other.
    Alike,
    /// The n-th at a rate of 1/n (Zipf's law): with 10,000 keys, a tenth of all connections have the first.
    Skewed,
}

/// What became of a crowd.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// The most that an endpoint ever held, over the mean.
    pub most: f64,
    /// Share of the connections that came to another endpoint than their key's own.
    pub away: f64,
}

/// Opens connections until a hundred for each endpoint are held, then closes one by chance for each that comes, three
/// times over; the table has 65,537 slots.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a few hundred thousand connections")]
pub fn crowd(keys: Keys, endpoints: usize, bound: Option<f64>) -> Crowd {
    let names = names(endpoints);
    let members: Vec<_> = (0..).zip(&names).map(|(id, name)| Member { id, name, weight: 100 }).collect();
    let (mut bounded, mut free) = (Chooser::new(&members, 65_537, bound), Chooser::new(&members, 65_537, None));
    let mut dice = Dice::new(names.iter().map(String::as_str));
    let all_keys: Vec<u32> = (0..KEYS).collect();
    let wheel = Wheel::new((1..=KEYS).map(|rank| if matches!(keys, Keys::Skewed) { 100_000_000 / rank } else { 1 }));
    let all: Vec<u32> = (0..).take(endpoints).collect();
    let (idle, mut busy) = (vec![0_u32; endpoints], vec![0_u32; endpoints]);
    let mut held: Vec<u32> = Vec::new();
    let (limit, mut most, mut away, mut opened) = (HELD * endpoints, 0, 0_usize, 0_usize);
    while opened < limit * 4 {
        if held.len() == limit {
            let end = u64::try_from(limit).unwrap_or(u64::MAX);
            let leaves = held.swap_remove(usize::try_from(dice.below(end)).unwrap_or_default());
            count(&mut busy, leaves, |busy| busy.saturating_sub(1));
        }
        let key = wheel.spin(&mut dice, &all_keys);
        let Some(id) = bounded.pick(&all, &busy, key) else { break };
        away += usize::from(free.pick(&all, &idle, key) != Some(id));
        count(&mut busy, id, |busy| busy.saturating_add(1));
        held.push(id);
        opened += 1;
        if held.len() == limit {
            most = busy.iter().copied().max().unwrap_or_default().max(most);
        }
    }
    Crowd { most: f64::from(most) / HELD as f64, away: away as f64 / opened as f64 }
}

fn count(busy: &mut [u32], id: u32, change: impl Fn(u32) -> u32) {
    if let Some(busy) = usize::try_from(id).ok().and_then(|id| busy.get_mut(id)) {
        *busy = change(*busy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_whatever_the_keys() {
        for keys in [Keys::Alike, Keys::Skewed] {
            for bound in [1.0, 1.25, 2.0] {
                let Crowd { most, .. } = crowd(keys, 20, Some(bound));

                assert!(most <= bound, "{keys:?} under {bound}: {most}");
            }
        }
    }

    #[test]
    fn without_a_bound_a_key_that_many_have_overruns_its_endpoint() {
        let Crowd { most, away } = crowd(Keys::Skewed, 20, None);

        assert!(most > 2.0, "a tenth of all belong together, and 20 endpoints have a twentieth each: {most}");
        assert!(away.abs() < f64::EPSILON, "nobody is sent away");
    }
}
