//! Takes turns: every endpoint gets the next connection once, then it starts over.

use tidegate_plugin::{Balancer, Candidates, ConfigError, Endpoint, config, export_balancer};

struct TakesTurns {
    turn: usize,
}

impl Balancer for TakesTurns {
    fn configure(config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        Ok(Self { turn: 0 })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        let turn = self.turn;
        self.turn = turn.wrapping_add(1);
        candidates.get(turn.checked_rem(candidates.len())?).map(|candidate| candidate.id)
    }
}

export_balancer!(TakesTurns);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn() {
        let mut balancer = TakesTurns::configure("null", Vec::new()).unwrap();

        let picks: Vec<_> = (0..4).filter_map(|_| balancer.pick(Candidates::new(&[3, 5], &[9, 0]), None)).collect();

        assert_eq!(picks, [3, 5, 3, 5]);
    }
}
