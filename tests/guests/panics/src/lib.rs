//! A balancer that panics, for tests of how that is contained and told.

use tidegate_plugin::{Balancer, Candidates, ConfigError, Endpoint, export_balancer};

/// The plugin: panics when the endpoints 0 and 1 may both be chosen and 0 holds something, which no self-test offers.
#[derive(Debug)]
pub struct Panics {
    always: bool,
}

impl Balancer for Panics {
    /// `"always"` panics in every pick.
    fn configure(config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        Ok(Self { always: config == "\"always\"" })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        let provoked =
            candidates.contains(1) && candidates.first().is_some_and(|first| first.id == 0 && first.busy > 0);
        if self.always || provoked {
            lose_the_tide_table(candidates.len());
        }
        candidates.first().map(|candidate| candidate.id)
    }
}

/// A name to look for in backtraces.
#[expect(clippy::panic, reason = "that is what it is for")]
#[inline(never)]
fn lose_the_tide_table(endpoints: usize) {
    panic!("the tide table for {endpoints} endpoints is lost");
}

export_balancer!(Panics);
