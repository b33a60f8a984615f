//! Chance, by weight. What it knows of nobody, it cannot get wrong: a yardstick, and fair without any state.

pub mod choose;

use tidegate_parts::Dice;
use tidegate_plugin::{
    About, Balancer, Candidates, ConfigError, Describe, Endpoint, Handover, config, export_balancer,
};

use choose::Lot;

/// The plugin.
#[derive(Debug)]
pub struct Random(Lot);

impl Balancer for Random {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        let dice = Dice::new(endpoints.iter().map(|endpoint| endpoint.name.as_str()));
        Ok(Self(Lot::new(endpoints.iter().map(|endpoint| endpoint.weight).collect(), dice)))
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        self.0.draw(candidates.ids())
    }
}

/// The generator's state, so that frequent swaps do not begin the same sequence over and over.
impl Handover for Random {
    fn save(&self) -> Vec<u8> {
        self.0.dice.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        self.0.dice.restore(state)
    }
}

impl Describe for Random {
    fn description() -> About {
        About {
            name: "random".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Chance, by weight.".to_owned(),
            schema: None,
        }
    }
}

export_balancer!(Random + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_goes_on_where_the_last_one_stopped() {
        let endpoint =
            |name: &str| Endpoint { name: name.to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        let four = || ["a", "b", "c", "d"].map(endpoint).to_vec();
        let draw = |it: &mut Random| {
            (0..16).filter_map(|_| it.pick(Candidates::new(&[0, 1, 2, 3], &[0; 4]), None)).collect::<Vec<_>>()
        };
        let mut old = Random::configure("{}", four()).unwrap();
        let before = draw(&mut old);

        let mut new = Random::configure("{}", four()).unwrap();
        new.restore(&old.save()).unwrap();
        let after = draw(&mut new);

        assert_ne!(before, after, "not the same sequence again");
        assert_eq!(after, draw(&mut old));
        assert!(new.restore(b"").is_err());
    }
}
