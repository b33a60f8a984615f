//! What a cluster knows of each of its endpoints.

use std::sync::Arc;

use super::{AddressCount, FailurePolicy, Live};
use crate::config::EndpointState;

/// One member as a generation sees it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its numbers.
    pub live: Arc<Live>,
    /// Lower groups first.
    pub group: u32,
    /// What the operator says.
    pub state: EndpointState,
    /// In-flight limit.
    pub max_connections: Option<u32>,
    /// What is done when it fails.
    pub failure_policy: FailurePolicy,
    /// What its address holds over all clusters, if that is what counts.
    pub shared: Option<Arc<AddressCount>>,
}

impl Member {
    /// One that is ready and has no limits.
    #[cfg(test)]
    pub(crate) fn ready(live: Arc<Live>) -> Self {
        let (state, failure_policy) = (EndpointState::Ready, FailurePolicy::default());
        Self { live, group: 0, state, max_connections: None, failure_policy, shared: None }
    }

    /// What it holds now, as balancers and limits see it.
    #[must_use]
    pub fn busy(&self) -> u32 {
        self.shared.as_ref().map_or_else(|| self.live.in_flight(), |shared| shared.in_flight())
    }

    /// Whether probes ask for it, where there are any: also while it drains, so that it is known whether it could
    /// return.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.state != EndpointState::Maint
    }
}
