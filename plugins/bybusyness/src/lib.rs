//! The balancer that Tidegate starts with: fewest connections and requests in flight, as Apache's `bybusyness`.

pub mod choose;

use tidegate_parts::{Names, Turns};
use tidegate_plugin::{
    About, Balancer, Candidates, ConfigError, Describe, Endpoint, Handover, config, export_balancer,
};

/// The plugin: scores, and the names that they are handed over by.
#[derive(Debug)]
pub struct ByBusyness {
    names: Names,
    turns: Turns,
}

impl Balancer for ByBusyness {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        let turns = Turns::new(endpoints.iter().map(|endpoint| endpoint.weight));
        Ok(Self { names: Names::new(endpoints.into_iter().map(|endpoint| endpoint.name)), turns })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        choose::pick(&mut self.turns, candidates.ids(), candidates.busy())
    }
}

/// One line per endpoint: its score, a blank, its name.
impl Handover for ByBusyness {
    fn save(&self) -> Vec<u8> {
        self.names.write(self.turns.scores().map(Some))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let Self { names, turns } = self;
        names.read(state, |id, score| turns.set(id, score))
    }
}

impl Describe for ByBusyness {
    fn description() -> About {
        About {
            name: "bybusyness".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Fewest connections and requests in flight; weights decide between equals.".to_owned(),
            schema: None,
        }
    }
}

export_balancer!(ByBusyness + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(names: &[&str]) -> Vec<Endpoint> {
        let endpoint =
            |name: &&str| Endpoint { name: (*name).to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        names.iter().map(endpoint).collect()
    }

    #[test]
    fn scores_survive_a_swap_by_name() {
        let mut old = ByBusyness::configure("null", endpoints(&["a", "b"])).unwrap();
        assert_eq!(old.pick(Candidates::new(&[0, 1], &[0, 0]), None), Some(0));

        let mut new = ByBusyness::configure("{}", endpoints(&["x", "b", "a"])).unwrap();
        new.restore(&old.save()).unwrap();

        assert_eq!(new.turns.scores().collect::<Vec<_>>(), [0, 100, -100], "a new endpoint starts at zero");
        assert_eq!(new.pick(Candidates::new(&[1, 2], &[0, 0]), None), Some(1), "it was the turn of b");
    }

    #[test]
    fn garbage_is_refused_with_a_sentence() {
        let mut fresh = ByBusyness::configure("null", endpoints(&["a"])).unwrap();

        assert!(fresh.restore(b"soon a\n").unwrap_err().contains("soon"));
        assert!(fresh.restore(&[0xff]).is_err());
    }

    #[test]
    fn a_configuration_is_refused() {
        assert!(ByBusyness::configure("{\"x\":1}", Vec::new()).is_err());
    }
}
