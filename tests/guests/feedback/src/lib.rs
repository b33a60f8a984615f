//! A balancer with every optional interface, which counts what it is told in shared counters.

use tidegate_plugin::{
    About, Balancer, Candidates, ConfigError, Describe, Ending, Endpoint, Feedback, Handover, Outcome, counters,
    export_balancer, log,
};

/// The plugin: takes turns, and hands over whose turn it is.
#[derive(Debug)]
pub struct TakesTurns {
    picks: usize,
}

impl Balancer for TakesTurns {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        log::info(format!("configured with {config} for {} endpoints", endpoints.len()));
        Ok(Self { picks: 0 })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        let turn = self.picks.checked_rem(candidates.len())?;
        self.picks = self.picks.wrapping_add(1);
        counters::add("picks", 1.0);
        candidates.get(turn).map(|candidate| candidate.id)
    }
}

impl Feedback for TakesTurns {
    fn opened(&mut self, endpoint: u32) {
        counters::add("opened", 1.0);
        counters::add(&format!("open {endpoint}"), 1.0);
    }

    fn closed(&mut self, endpoint: u32, outcome: Outcome) {
        let ending = match outcome.ending {
            Ending::Complete => "complete",
            Ending::Unreachable => "unreachable",
            Ending::Broken => "broken",
            Ending::Abandoned => "abandoned",
        };
        counters::add(&format!("closed {ending}"), 1.0);
        counters::add(&format!("open {endpoint}"), -1.0);
    }
}

/// The number of picks, in decimal.
impl Handover for TakesTurns {
    fn save(&self) -> Vec<u8> {
        self.picks.to_string().into_bytes()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        let text = str::from_utf8(state).map_err(|_| "the saved count is not text")?;
        self.picks = text.parse().map_err(|_| format!("expected a count, found {text}"))?;
        Ok(())
    }
}

impl Describe for TakesTurns {
    fn description() -> About {
        About {
            name: "takes-turns".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Takes turns and counts what it is told.".to_owned(),
            schema: Some(r#"{"type":"null"}"#.to_owned()),
        }
    }
}

export_balancer!(TakesTurns + Feedback + Handover + Describe);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_parts_run_natively() {
        let mut turns = TakesTurns::configure("null", Vec::new()).unwrap();

        let picks = [
            turns.pick(Candidates::new(&[4, 7], &[0, 0]), None),
            turns.pick(Candidates::new(&[4, 7], &[0, 0]), None),
            turns.pick(Candidates::new(&[], &[]), None),
        ];

        assert_eq!(picks, [Some(4), Some(7), None]);
        assert_eq!(counters::add("picks", 0.0), Some(2.0));
        assert_eq!(turns.save(), b"2");
        assert!(turns.restore(b"two").unwrap_err().contains("two"));
    }
}
