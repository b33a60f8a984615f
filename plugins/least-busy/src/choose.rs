//! Least (busy + 1) / weight: among all, or where there are many, of two.

use tidegate_parts::{Dice, Load, Turns, Wheel};

/// Whose turn it is among equals, and how two are drawn.
#[derive(Debug)]
pub struct Chooser {
    weights: Vec<u32>,
    turns: Turns,
    wheel: Wheel,
    dice: Dice,
    /// With more eligible endpoints than this, two are drawn.
    two_above: usize,
}

impl Chooser {
    /// Weights in hundredths, by id.
    pub fn new(weights: Vec<u32>, dice: Dice, two_above: usize) -> Self {
        let turns = Turns::new(weights.iter().copied());
        Self { wheel: Wheel::new(weights.iter().copied()), weights, turns, dice, two_above }
    }

    /// Chooses one of `eligible`, ascending, of which each holds `busy`.
    pub fn pick(&mut self, eligible: &[u32], busy: &[u32]) -> Option<u32> {
        let two = if eligible.len() > self.two_above { self.better_of_two(eligible, busy) } else { None };
        two.or_else(|| self.turns.least_busy(eligible, busy))
    }

    /// The better of two that are drawn by weight: uniformly drawn, a heavy one would be looked at too seldom to ever
    /// get its share. None where too few of all endpoints are eligible to draw by chance.
    fn better_of_two(&mut self, eligible: &[u32], busy: &[u32]) -> Option<u32> {
        let first = self.wheel.spin(&mut self.dice, eligible)?;
        let second = self.wheel.spin(&mut self.dice, eligible)?;
        let (one, other) = (self.load(first, eligible, busy)?, self.load(second, eligible, busy)?);
        Some(if other < one { second } else { first })
    }

    fn load(&self, id: u32, eligible: &[u32], busy: &[u32]) -> Option<Load> {
        let busy = busy.get(eligible.binary_search(&id).ok()?)?;
        Some(Load::with_one_more(*busy, *self.weights.get(usize::try_from(id).ok()?)?))
    }

    /// Whose turn it is.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// To set scores that were handed over.
    pub fn turns_mut(&mut self) -> &mut Turns {
        &mut self.turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chooser(weights: &[u32], two_above: usize) -> Chooser {
        Chooser::new(weights.to_vec(), Dice::new(["a", "b"].into_iter()), two_above)
    }

    /// Opens tunnels and keeps them.
    fn hold(chooser: &mut Chooser, busy: &mut [u32], eligible: &[u32], count: usize) -> Vec<u32> {
        let pick = |_| {
            let held: Vec<u32> = eligible.iter().map(|id| busy[*id as usize]).collect();
            let id = chooser.pick(eligible, &held).unwrap();
            busy[id as usize] += 1;
            id
        };
        (0..count).map(pick).collect()
    }

    #[test]
    fn held_tunnels_spread_by_weight() {
        let table: &[(&[u32], &[u32])] = &[
            (&[100, 100], &[0, 1, 0, 1, 0, 1]),
            (&[100, 300], &[1, 1, 0, 1, 1, 1, 0, 1]),
            (&[100, 250], &[1, 1, 0, 1, 1, 0, 1]),
            (&[100, 100, 200], &[2, 0, 1, 2, 2, 0, 1, 2]),
        ];

        for (weights, expected) in table {
            let all: Vec<u32> = (0..).take(weights.len()).collect();
            let found = hold(&mut chooser(weights, 128), &mut vec![0; weights.len()], &all, expected.len());
            assert_eq!(found, *expected, "{weights:?}");
        }
    }

    #[test]
    fn idle_equals_take_weighted_turns() {
        let mut chooser = chooser(&[100, 100, 100], 128);

        let found: Vec<_> = (0..6).filter_map(|_| chooser.pick(&[0, 1, 2], &[4, 4, 4])).collect();

        assert_eq!(found, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn two_choices_keep_many_endpoints_within_a_few_of_each_other() {
        let mut weights = vec![100; 1000];
        weights[7] = 1000;
        let (mut busy, all) = (vec![0; 1000], (0..1000).collect::<Vec<u32>>());

        hold(&mut chooser(&weights, 128), &mut busy, &all, 20_000);

        let (least, most) = busy
            .iter()
            .enumerate()
            .filter(|(id, _)| *id != 7)
            .fold((u32::MAX, 0), |(least, most), (_, b)| (least.min(*b), most.max(*b)));
        assert!(least >= 14 && most <= 24, "about 20 each: {least} to {most}");
        assert!((170..230).contains(&busy[7]), "ten times the weight, ten times as many: {}", busy[7]);
    }

    #[test]
    fn few_of_many_are_looked_at_one_by_one() {
        let mut chooser = chooser(&[100; 4096], 0);

        assert_eq!(chooser.pick(&[9, 4000], &[1, 0]), Some(4000));
        assert_eq!(chooser.pick(&[], &[]), None);
        assert_eq!(chooser.pick(&[5000], &[0]), None, "an id that was never configured");
    }
}
