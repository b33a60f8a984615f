//! By what endpoints report about themselves: the more ready slots, the more often.

pub mod choose;

use serde::Deserialize;
use tidegate_parts::Dice;
use tidegate_plugin::columns::signal;
use tidegate_plugin::{
    About, Balancer, Candidates, Config, ConfigError, Describe, Endpoint, Handover, export_balancer,
};

use choose::{Candidate, Chooser};

/// What an operator may set: names of signals, as in the cluster's `signals`.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// Signal with the number of ready slots.
    #[config(non_empty)]
    ready: String,
    /// Signal with the number of busy slots.
    #[config(non_empty)]
    busy: String,
}

impl Default for Written {
    fn default() -> Self {
        Self { ready: "ready".to_owned(), busy: "busy".to_owned() }
    }
}

/// The plugin.
#[derive(Debug)]
pub struct Heartbeat {
    signals: Written,
    chooser: Chooser,
}

impl Balancer for Heartbeat {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        let signals = Written::read(config)?;
        let dice = Dice::new(endpoints.iter().map(|endpoint| endpoint.name.as_str()));
        Ok(Self { signals, chooser: Chooser::new(endpoints.iter().map(|endpoint| endpoint.weight), dice) })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        let (ready, reported_busy) = (signal(&self.signals.ready), signal(&self.signals.busy));
        let reports = candidates.with(&ready).zip(candidates.with(&reported_busy));
        let reporting = reports.map(|((it, ready), (_, reported_busy))| Candidate {
            id: it.id,
            busy: it.busy,
            ready,
            reported_busy,
        });
        self.chooser.pick(&reporting.collect::<Vec<_>>())
    }
}

/// The generator's state, so that frequent swaps do not begin the same sequence over and over.
impl Handover for Heartbeat {
    fn save(&self) -> Vec<u8> {
        self.chooser.dice.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        self.chooser.dice.restore(state)
    }
}

impl Describe for Heartbeat {
    fn description() -> About {
        About {
            name: "heartbeat".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Chance in proportion to the ready slots that endpoints report.".to_owned(),
            schema: Some(Written::schema()),
        }
    }
}

export_balancer!(Heartbeat + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Vec<Endpoint> {
        let endpoint =
            |name: &str| Endpoint { name: name.to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        ["a", "b"].map(endpoint).to_vec()
    }

    #[test]
    fn without_reports_it_takes_the_least_busy() {
        for config in ["null", "{}", r#"{"ready":"free","busy":"used"}"#] {
            let mut balancer = Heartbeat::configure(config, endpoints()).unwrap();
            assert_eq!(balancer.pick(Candidates::new(&[0, 1], &[2, 1]), None), Some(1), "{config}");
        }
    }

    #[test]
    fn what_it_does_not_know_is_refused_where_it_stands() {
        for (config, path) in
            [(r#"{"raedy":"x"}"#, "/raedy"), (r#"{"busy":7}"#, "/busy"), (r#"{"ready":""}"#, "/ready")]
        {
            let errors = Heartbeat::configure(config, endpoints()).unwrap_err();
            assert_eq!(errors[0].path, path, "{config}: {errors:?}");
        }
    }
}
