//! A balancer that logs nothing, not even a panic: it imports nothing at all.

use tidegate_plugin::{Balancer, Candidates, ConfigError, Endpoint, config, export_balancer};

/// The plugin: takes the first, and panics where there is none.
#[derive(Debug)]
pub struct First;

impl Balancer for First {
    fn configure(config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        config::nothing(config)?;
        Ok(Self)
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        assert!(!candidates.is_empty(), "nobody to choose");
        candidates.first().map(|first| first.id)
    }
}

export_balancer!(First);
