//! A chooser that does what the request's header `x-choose` says, and keeps count of the units that it is told of.
//!
//! `take ID UNITS`, `least UNITS`, `refuse STATUS`, `refuse STATUS AFTER`; `count` refuses with the number of its choices
//! as seconds. Without the header the least busy, one unit.

use tidegate_plugin::{
    Candidates, Choice, Chooser, ConfigError, Endpoint, Feedback, Handover, Outcome, counters, export_chooser, request,
};

/// The plugin.
#[derive(Debug)]
pub struct Obeys {
    choices: u32,
}

impl Chooser for Obeys {
    fn configure(_config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        Ok(Self { choices: 0 })
    }

    fn choose(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Choice {
        self.choices += 1;
        let text = request::header("x-choose").unwrap_or_else(|| "least 1".to_owned());
        let words: Vec<_> = text.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse().ok());
        match (words.first().copied(), number(1), number(2)) {
            (Some("take"), Some(id), Some(units)) => Choice::take(id, units),
            (Some("refuse"), Some(status), after) => Choice::refuse(status, after),
            (Some("least"), Some(units), _) => {
                let least = candidates.iter().min_by_key(|candidate| candidate.busy);
                least.map_or(Choice::refuse(503, None), |least| Choice::take(least.id, units))
            }
            (Some("count"), ..) => Choice::refuse(503, Some(self.choices)),
            _ => Choice::refuse(503, None),
        }
    }
}

impl Feedback for Obeys {
    fn opened(&mut self, _endpoint: u32) {
        counters::add("open", 1.0);
    }

    fn closed(&mut self, _endpoint: u32, _outcome: Outcome) {
        counters::add("open", -1.0);
    }
}

/// The number of choices, in decimal.
impl Handover for Obeys {
    fn save(&self) -> Vec<u8> {
        self.choices.to_string().into_bytes()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let text = str::from_utf8(state).map_err(|_| "the saved count is not text")?;
        self.choices = text.parse().map_err(|_| format!("expected a count, found {text}"))?;
        Ok(())
    }
}

export_chooser!(Obeys + Feedback + Handover);

#[cfg(test)]
mod tests {
    use tidegate_plugin::fake::Host;

    use super::*;

    #[test]
    fn it_does_as_it_is_told() {
        let host = Host::new();
        let mut obeys = Obeys::configure("null", Vec::new()).unwrap();
        let mut told = |text: &str| {
            host.header("x-choose", text);
            obeys.choose(Candidates::new(&[4, 7], &[3, 0]), None)
        };

        assert_eq!(told("least 5"), Choice::take(7, 5));
        assert_eq!(told("take 9 0"), Choice::take(9, 0));
        assert_eq!(told("refuse 429 3"), Choice::refuse(429, Some(3)));
        assert_eq!(told("refuse 503"), Choice::refuse(503, None));
        assert_eq!(obeys.save(), b"4");
    }
}
