//! Least: the next one goes where (connections + 1) / weight is smallest; equals take turns in a circle.

use tidegate_plugin::{Balancer, Candidate, Candidates, ConfigError, Endpoint, config, export_balancer, log};

struct Least {
    /// By id, in hundredths: 100 is a weight of 1.
    weights: Vec<u32>,
    /// Whose turn it is among equals: the first id from here on.
    turn: u32,
}

impl Balancer for Least {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        log::info(format!("balancing over {} endpoints", endpoints.len()));
        Ok(Self { weights: endpoints.iter().map(|endpoint| endpoint.weight).collect(), turn: 0 })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        // a / b < c / d is a * d < c * b: nothing is rounded.
        let load = |one: &Candidate, other: &Candidate| (u64::from(one.busy) + 1) * self.weight(other.id);
        let turn = |it: &Candidate| it.id.wrapping_sub(self.turn);
        let least = candidates
            .iter()
            .min_by(|one, other| load(one, other).cmp(&load(other, one)).then(turn(one).cmp(&turn(other))))?;
        self.turn = least.id + 1;
        Some(least.id)
    }
}

impl Least {
    fn weight(&self, id: u32) -> u64 {
        self.weights.get(id as usize).copied().unwrap_or(100).into()
    }
}

export_balancer!(Least);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake::{Host, endpoint, endpoints};

    use super::*;

    #[test]
    fn equals_take_turns_in_a_circle() {
        let mut least = Least::configure("null", endpoints(&["ws://a", "ws://b", "ws://c", "ws://d"])).unwrap();
        // Ids have gaps: b is drained.
        let candidates = Candidates::new(&[0, 2, 3], &[0, 0, 0]);

        let picks: Vec<_> = (0..4).filter_map(|_| least.pick(candidates, None)).collect();

        assert_eq!(picks, [0, 2, 3, 0]);
    }

    #[test]
    fn fewest_connections_for_the_weight() {
        let heavy = Endpoint { weight: 300, ..endpoint("ws://b") };
        let mut least = Least::configure("{}", vec![endpoint("ws://a"), heavy]).unwrap();

        assert_eq!(least.pick(Candidates::new(&[0, 1], &[0, 1]), None), Some(1), "2 / 3 is less than 1 / 1");
        assert_eq!(least.pick(Candidates::new(&[0, 1], &[0, 3]), None), Some(0), "1 / 1 is less than 4 / 3");
    }

    #[test]
    fn a_configuration_is_refused_and_the_start_is_logged() {
        let host = Host::new();

        assert!(Least::configure(r#"{"x":1}"#, Vec::new()).is_err());
        assert!(Least::configure("null", endpoints(&["ws://a"])).is_ok());

        assert_eq!(host.lines(), [(log::Level::Info, "balancing over 1 endpoints".to_owned())]);
    }
}
