//! Fewest bytes for the weight, both ways together; tunnels count as they flow.

pub mod meter;

use tidegate_parts::Names;
use tidegate_plugin::columns::{Metric, column};
use tidegate_plugin::{
    About, Balancer, Candidates, ConfigError, Describe, Endpoint, Handover, config, export_balancer,
};

use meter::{Candidate, Meters};

/// The plugin: levels, and the names that they are handed over by.
#[derive(Debug)]
pub struct ByTraffic {
    names: Names,
    meters: Meters,
}

impl Balancer for ByTraffic {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        let meters = Meters::new(endpoints.iter().map(|endpoint| endpoint.weight));
        Ok(Self { names: Names::new(endpoints.into_iter().map(|endpoint| endpoint.name)), meters })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        let (sent, received) = (column(Metric::Sent), column(Metric::Received));
        let both = candidates.with(&sent).zip(candidates.with(&received));
        self.meters.pick(both.map(|((it, sent), (_, received))| Candidate {
            id: it.id,
            busy: it.busy,
            bytes: sent + received,
        }))
    }
}

/// One line per endpoint: its level and the bytes at the last look, a blank, its name.
impl Handover for ByTraffic {
    fn save(&self) -> Vec<u8> {
        self.names.write(self.meters.readings())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let Self { names, meters } = self;
        names.read(state, |id, reading| meters.set(id, reading))
    }
}

impl Describe for ByTraffic {
    fn description() -> About {
        About {
            name: "bytraffic".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Fewest bytes sent and received for the weight; tunnels count as they flow.".to_owned(),
            schema: None,
        }
    }
}

export_balancer!(ByTraffic + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::meter::Reading;
    use super::*;

    fn endpoints(names: &[&str]) -> Vec<Endpoint> {
        let endpoint =
            |name: &&str| Endpoint { name: (*name).to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        names.iter().map(endpoint).collect()
    }

    #[test]
    fn levels_survive_a_swap_by_name() {
        let mut new = ByTraffic::configure("{}", endpoints(&["x", "b", "a"])).unwrap();
        let [old_a, old_b] = [(1.0, 100.0), (2.0, 200.0)].map(|(level, bytes)| Reading { level, bytes });

        new.restore(format!("{old_a} a\n{old_b} b\n").as_bytes()).unwrap();

        assert_eq!(new.meters.readings().collect::<Vec<_>>(), [None, Some(old_b), Some(old_a)]);
        assert_eq!(new.save(), format!("{old_b} b\n{old_a} a\n").into_bytes());
        assert!(new.restore(b"nothing x\n").is_err());
    }

    #[test]
    fn a_configuration_is_refused() {
        assert!(ByTraffic::configure("{\"x\":1}", Vec::new()).is_err());
    }
}
