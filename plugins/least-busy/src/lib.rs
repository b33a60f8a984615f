//! Fewest connections and requests in flight for the weight: what `bybusyness` is believed to do.

pub mod choose;

use serde::Deserialize;
use tidegate_parts::{Dice, Names};
use tidegate_plugin::{
    About, Balancer, Candidates, Config, ConfigError, Describe, Endpoint, Handover, export_balancer,
};

use choose::Chooser;

/// What an operator may set.
#[derive(Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// With more eligible endpoints than this, the better of two that chance draws is taken instead of the best of all.
    /// One look at each of 128 costs less than the call into the plugin.
    two_choices_above: u32,
}

impl Default for Written {
    fn default() -> Self {
        Self { two_choices_above: 128 }
    }
}

/// The plugin: a chooser, and the names that turns are handed over by.
#[derive(Debug)]
pub struct LeastBusy {
    names: Names,
    chooser: Chooser,
}

impl Balancer for LeastBusy {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        let written = Written::read(config)?;
        let weights = endpoints.iter().map(|endpoint| endpoint.weight).collect();
        let names = Names::new(endpoints.into_iter().map(|endpoint| endpoint.name));
        let two_above = usize::try_from(written.two_choices_above).unwrap_or(usize::MAX);
        let chooser = Chooser::new(weights, Dice::new(names.iter()), two_above);
        Ok(Self { names, chooser })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        self.chooser.pick(candidates.ids(), candidates.busy())
    }
}

/// One line per endpoint: its score, a blank, its name.
impl Handover for LeastBusy {
    fn save(&self) -> Vec<u8> {
        self.names.write(self.chooser.turns().scores().map(Some))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let Self { names, chooser } = self;
        names.read(state, |id, score| chooser.turns_mut().set(id, score))
    }
}

impl Describe for LeastBusy {
    fn description() -> About {
        About {
            name: "least-busy".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Fewest connections and requests in flight for the weight.".to_owned(),
            schema: Some(Written::schema()),
        }
    }
}

export_balancer!(LeastBusy + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Vec<Endpoint> {
        let endpoint =
            |name: &str| Endpoint { name: name.to_owned(), weight: 100, group: 0, route: None, labels: Vec::new() };
        ["a", "b"].map(endpoint).to_vec()
    }

    #[test]
    fn turns_survive_a_swap() {
        let mut old = LeastBusy::configure("{}", endpoints()).unwrap();
        assert_eq!(old.pick(Candidates::new(&[0, 1], &[0, 0]), None), Some(0));

        let mut new = LeastBusy::configure("null", endpoints()).unwrap();
        new.restore(&old.save()).unwrap();

        assert_eq!(new.pick(Candidates::new(&[0, 1], &[0, 0]), None), Some(1));
    }

    #[test]
    fn what_it_does_not_know_is_refused_where_it_stands() {
        for (config, path) in [
            (r#"{"two_choice_above":1}"#, "/two_choice_above"),
            (r#"{"two_choices_above":-1}"#, "/two_choices_above"),
            (r#"{"two_choices_above":"many"}"#, "/two_choices_above"),
        ] {
            let errors = LeastBusy::configure(config, endpoints()).unwrap_err();
            assert_eq!(errors[0].path, path, "{config}: {errors:?}");
        }
    }
}
