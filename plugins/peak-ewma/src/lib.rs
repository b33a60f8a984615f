//! Latency-aware: the time to the first byte, peaks first, times who waits there already.

pub mod costs;

use serde::Deserialize;
use tidegate_parts::Names;
use tidegate_plugin::clock;
use tidegate_plugin::columns::{Metric, column};
use tidegate_plugin::{
    About, Balancer, Candidates, Config, ConfigError, Describe, Endpoint, Handover, export_balancer,
};

use costs::{Candidate, Costs, Settings};

/// An hour, in milliseconds: the most that may be set.
const HOUR: u32 = 3_600_000;

/// What an operator may set.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// Milliseconds after which a peak has shrunk to 37 %.
    #[config(range = 1..=HOUR)]
    decay: u32,
    /// Milliseconds that a failure counts for at least.
    #[config(range = 1..=HOUR)]
    penalty: u32,
}

impl Default for Written {
    /// Ten seconds as in Finagle; a second is more than nearly every answer takes.
    fn default() -> Self {
        Self { decay: 10_000, penalty: 1000 }
    }
}

/// The plugin: costs, and the names that they are handed over by.
#[derive(Debug)]
pub struct PeakEwma {
    names: Names,
    costs: Costs,
}

impl Balancer for PeakEwma {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        let Written { decay, penalty } = Written::read(config)?;
        let settings = Settings { decay: f64::from(decay) * 1e3, penalty: f64::from(penalty) * 1e3 };
        let costs = Costs::new(endpoints.iter().map(|endpoint| endpoint.weight), settings);
        Ok(Self { names: Names::new(endpoints.into_iter().map(|endpoint| endpoint.name)), costs })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        let (answer, failures) = (column(Metric::Latest), column(Metric::Failures));
        let both = candidates.with(&answer).zip(candidates.with(&failures));
        let known = both.map(|((it, answer), (_, failures))| Candidate { id: it.id, busy: it.busy, answer, failures });
        self.costs.pick(known, clock::now())
    }
}

/// One line per endpoint of which something is known: the bits of its cost in microseconds, a blank, its name.
impl Handover for PeakEwma {
    fn save(&self) -> Vec<u8> {
        self.names.write(self.costs.all().map(|cost| cost.map(f64::to_bits)))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let Self { names, costs } = self;
        names.read(state, |id, bits| {
            let cost = f64::from_bits(bits);
            if cost.is_finite() {
                costs.set(id, cost);
            }
        })
    }
}

impl Describe for PeakEwma {
    fn description() -> About {
        About {
            name: "peak-ewma".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Smallest first-byte time, peaks first, times what is in flight.".to_owned(),
            schema: Some(Written::schema()),
        }
    }
}

export_balancer!(PeakEwma + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(names: &[&str]) -> Vec<Endpoint> {
        let endpoint =
            |name: &&str| Endpoint { name: (*name).to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        names.iter().map(endpoint).collect()
    }

    #[test]
    fn costs_survive_a_swap_by_name() {
        let mut old = PeakEwma::configure("{}", endpoints(&["a", "b"])).unwrap();
        old.costs.set(0, 1e3);
        old.costs.set(1, 2e3);

        let mut new = PeakEwma::configure("null", endpoints(&["b", "x", "a"])).unwrap();
        new.restore(&old.save()).unwrap();

        assert_eq!(new.costs.all().collect::<Vec<_>>(), [Some(2e3), None, Some(1e3)]);
        assert_eq!(new.pick(Candidates::new(&[0, 1, 2], &[0, 0, 0]), None), Some(2));
        assert!(new.restore(b"fast a").is_err());
    }

    #[test]
    fn what_it_does_not_know_is_refused_where_it_stands() {
        for (config, path) in [
            (r#"{"decay":0}"#, "/decay"),
            (r#"{"penalty":3600001}"#, "/penalty"),
            (r#"{"decay":"10s"}"#, "/decay"),
            (r#"{"dekay":1}"#, "/dekay"),
        ] {
            let errors = PeakEwma::configure(config, endpoints(&["a"])).unwrap_err();
            assert_eq!(errors[0].path, path, "{config}: {errors:?}");
        }
    }
}
