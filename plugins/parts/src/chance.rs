//! Chance that is cheap and can be repeated: a generator that is seeded with the endpoints' names.
//!
//! A plugin has no source of entropy (the contract offers none to wasm without WASI), and needs none: nobody gains from
//! guessing a balancer's choices that could not simply open more connections. What matters is that shares come out
//! right, and that a run can be repeated. The state is handed over, so that a reload does not start the same sequence
//! again.

use fastrand::Rng;

use crate::hash::text_hash;

/// Draws.
#[derive(Clone, Debug)]
pub struct Dice(Rng);

impl Dice {
    /// Seeded with the names, in their order.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(Rng::with_seed(names.fold(0, |seed: u64, name| seed.rotate_left(5) ^ text_hash(name))))
    }

    /// From 0 to below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.u64(..end) }
    }

    /// One of the candidates, in proportion to their shares. Shares that are no positive numbers count as nothing; none
    /// if all do. Reads the candidates twice.
    pub fn draw(&mut self, candidates: impl Iterator<Item = (u32, f64)> + Clone) -> Option<u32> {
        let candidates = candidates.filter(|(_, share)| share.is_finite() && *share > 0.0);
        let total: f64 = candidates.clone().map(|(_, share)| share).sum();
        let mut left = self.0.f64() * total;
        let mut last = None;
        for (id, share) in candidates {
            last = Some(id);
            if left < share {
                break;
            }
            left -= share;
        }
        // What rounding leaves over belongs to the last.
        last
    }

    /// The state as one line of text.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.0.get_seed().to_string().into_bytes()
    }

    /// Goes on where another stopped.
    ///
    /// # Errors
    /// One sentence, if `state` is nothing that [`Self::save`] wrote.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let seed = str::from_utf8(state).ok().and_then(|text| text.parse().ok());
        self.0 = Rng::with_seed(seed.ok_or("expected the state of a generator, one whole number")?);
        Ok(())
    }
}

/// All endpoints side by side, each as broad as its weight: one draw finds an endpoint without looking at the others.
#[derive(Clone, Debug)]
pub struct Wheel(Vec<u64>);

impl Wheel {
    /// Where each endpoint ends, by id.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let ends = weights.into_iter().scan(0_u64, |end, weight| {
            *end = end.saturating_add(u64::from(weight));
            Some(*end)
        });
        Self(ends.collect())
    }

    /// An eligible endpoint in proportion to the weights. `eligible` is ascending.
    ///
    /// Draws among all until it hits one that is eligible, which leaves the proportions of those as they are; none
    /// after eight draws that did not, which happens where few are eligible.
    pub fn spin(&self, dice: &mut Dice, eligible: &[u32]) -> Option<u32> {
        let total = *self.0.last()?;
        (0..8).find_map(|_| {
            let at = dice.below(total);
            let id = u32::try_from(self.0.partition_point(|end| *end <= at)).ok()?;
            let all = eligible.len() == self.0.len();
            (all || eligible.binary_search(&id).is_ok()).then_some(id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice() -> Dice {
        Dice::new(["a", "b"].into_iter())
    }

    #[test]
    fn shares_come_out_right() {
        let mut dice = dice();
        let shares = [(0, 1.0), (1, f64::NAN), (2, 3.0), (3, -1.0), (4, 0.0), (5, f64::INFINITY)];
        let mut found = [0; 6];

        for _ in 0..10_000 {
            found[dice.draw(shares.into_iter()).unwrap() as usize] += 1;
        }

        assert!((2300..2700).contains(&found[0]), "a quarter: {found:?}");
        assert_eq!(found[0] + found[2], 10_000);
        assert_eq!(dice.draw([(0, 0.0)].into_iter()), None);
    }

    #[test]
    fn a_wheel_leaves_the_proportions_of_the_eligible_as_they_are() {
        let (mut dice, wheel) = (dice(), Wheel::new([100, 800, 300]));
        let mut found = [0; 3];

        for _ in 0..10_000 {
            if let Some(id) = wheel.spin(&mut dice, &[0, 2]) {
                found[id as usize] += 1;
            }
        }

        let share = f64::from(found[0]) / f64::from(found[0] + found[2]);
        assert!((0.23..0.27).contains(&share), "{found:?}");
        assert_eq!(found[1], 0);
        assert_eq!(Wheel::new([]).spin(&mut dice, &[0]), None);
    }

    #[test]
    fn the_same_names_make_the_same_choices_and_a_state_goes_on() {
        let (mut one, mut other) = (dice(), dice());
        let draw = |dice: &mut Dice| (0..8).map(|_| dice.below(1000)).collect::<Vec<_>>();
        assert_eq!(draw(&mut one), draw(&mut other));

        let mut heir = Dice::new(["x"].into_iter());
        heir.restore(&one.save()).unwrap();

        assert_eq!(draw(&mut heir), draw(&mut one));
        assert!(heir.restore(b"seven").is_err());
    }
}
