//! Weighted chance.

use tidegate_parts::{Dice, Wheel};

/// Who is how likely, and the generator.
#[derive(Debug)]
pub struct Lot {
    weights: Vec<u32>,
    wheel: Wheel,
    /// What is drawn with.
    pub dice: Dice,
}

impl Lot {
    /// Weights in hundredths, by id.
    pub fn new(weights: Vec<u32>, dice: Dice) -> Self {
        Self { wheel: Wheel::new(weights.iter().copied()), weights, dice }
    }

    /// Draws one of `eligible` (ascending) in proportion to the weights.
    ///
    /// Mostly one draw and one search; where few of many are eligible, one pass over those.
    pub fn draw(&mut self, eligible: &[u32]) -> Option<u32> {
        self.wheel.spin(&mut self.dice, eligible).or_else(|| {
            let weight = |id: u32| self.weights.get(usize::try_from(id).ok()?).copied();
            self.dice.draw(eligible.iter().map(|&id| (id, weight(id).map_or(0.0, f64::from))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_gets_its_share() {
        let table: &[(&[u32], &[u32])] = &[
            (&[100, 100], &[0, 1]),
            (&[100, 300], &[0, 1]),
            (&[100, 250, 1, 10_000], &[0, 1, 2, 3]),
            (&[100, 300, 10_000, 600], &[0, 1, 3]),
            (&[100; 64], &[7, 9]),
        ];

        for (weights, eligible) in table {
            let mut lot = Lot::new(weights.to_vec(), Dice::new(["a", "b"].into_iter()));
            let mut found = vec![0_u32; weights.len()];
            for _ in 0..20_000 {
                found[lot.draw(eligible).unwrap() as usize] += 1;
            }

            let all: u32 = eligible.iter().map(|id| weights[*id as usize]).sum();
            for (id, found) in found.iter().enumerate() {
                let due = if eligible.contains(&u32::try_from(id).unwrap()) {
                    f64::from(weights[id]) / f64::from(all)
                } else {
                    0.0
                };
                let got = f64::from(*found) / 20_000.0;
                assert!((got - due).abs() < 0.02, "{id} of {weights:?}: {got} instead of {due}");
            }
        }
    }

    #[test]
    fn nobody_to_choose_is_none() {
        let mut lot = Lot::new(vec![100], Dice::new(std::iter::empty()));

        assert_eq!(lot.draw(&[]), None);
        assert_eq!(lot.draw(&[7, 8]), None, "ids that were never configured");
    }
}
