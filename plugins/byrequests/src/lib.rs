//! Everyone in turn, by weight, as Apache's `byrequests`; who is busy does not matter.

pub mod choose;

use tidegate_parts::{Names, Turns};
use tidegate_plugin::{
    About, Balancer, Candidates, ConfigError, Describe, Endpoint, Handover, config, export_balancer,
};

/// The plugin: scores, and the names that they are handed over by.
#[derive(Debug)]
pub struct ByRequests {
    names: Names,
    turns: Turns,
}

impl Balancer for ByRequests {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        let turns = Turns::new(endpoints.iter().map(|endpoint| endpoint.weight));
        Ok(Self { names: Names::new(endpoints.into_iter().map(|endpoint| endpoint.name)), turns })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        choose::pick(&mut self.turns, candidates.ids())
    }
}

/// One line per endpoint: its score, a blank, its name.
impl Handover for ByRequests {
    fn save(&self) -> Vec<u8> {
        self.names.write(self.turns.scores().map(Some))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let Self { names, turns } = self;
        names.read(state, |id, score| turns.set(id, score))
    }
}

impl Describe for ByRequests {
    fn description() -> About {
        About {
            name: "byrequests".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Everyone in turn, by weight; who is busy does not matter.".to_owned(),
            schema: None,
        }
    }
}

export_balancer!(ByRequests + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(names: &[&str]) -> Vec<Endpoint> {
        let endpoint =
            |name: &&str| Endpoint { name: (*name).to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        names.iter().map(endpoint).collect()
    }

    #[test]
    fn turns_survive_a_swap_by_name() {
        let mut old = ByRequests::configure("null", endpoints(&["a", "b"])).unwrap();
        assert_eq!(old.pick(Candidates::new(&[0, 1], &[0, 0]), None), Some(0));

        let mut new = ByRequests::configure("{}", endpoints(&["x", "b", "a"])).unwrap();
        new.restore(&old.save()).unwrap();

        assert_eq!(new.pick(Candidates::new(&[1, 2], &[9, 0]), None), Some(1), "it was the turn of b");
    }

    #[test]
    fn a_configuration_is_refused() {
        assert!(ByRequests::configure("{\"x\":1}", Vec::new()).is_err());
    }
}
