//! Taking what endpoints report through the admin API.

use tokio::time::Instant;

use super::Shared;
use crate::cluster::Source;
use crate::control::{Push, PushError};

impl Shared {
    /// Takes the numbers of one endpoint of the live generation, all or none.
    pub(super) fn pushed(&self, cluster: &str, push: &Push) -> Result<usize, PushError> {
        let outcome = self.push(cluster, push);
        if outcome.is_err() {
            Source::Push.count_ignored(&self.base.observers.metrics);
        }
        outcome
    }

    fn push(&self, cluster: &str, push: &Push) -> Result<usize, PushError> {
        let generation = self.current.load_full();
        let kept = generation.clusters.get(&cluster.to_ascii_lowercase()).ok_or(PushError::NoCluster)?;
        let members = kept.cluster.members();
        let member = members.iter().find(|member| member.live.url() == push.endpoint).ok_or(PushError::NoEndpoint)?;
        let signals = kept.cluster.signals();
        let named = push.signals.iter().map(|(name, value)| (name.as_str(), *value));
        let reports = signals
            .read_push(named)
            .map_err(|(signal, why)| PushError::Signal { signal: signal.to_owned(), why: why.to_string() })?;
        Ok(signals.take(&reports, &member.live, Instant::now(), &self.base.observers.metrics))
    }
}
