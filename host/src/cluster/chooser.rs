//! What selection works with, under the lock of its cluster.

use crate::policy::{Balancer, EndpointId, EndpointIds, Outcome};

/// The balancer of a cluster, and room for what it is asked.
pub(super) struct Chooser {
    pub(super) balancer: Box<dyn Balancer>,
    pub(super) eligible: EndpointIds,
    pub(super) busy: Vec<u32>,
}

impl Chooser {
    pub(super) fn new(balancer: Box<dyn Balancer>) -> Self {
        Self { balancer, eligible: EndpointIds::default(), busy: Vec::new() }
    }

    /// A lease on `endpoint` has ended.
    pub(super) fn closed(&mut self, endpoint: EndpointId, outcome: &Outcome) {
        self.balancer.closed(endpoint, outcome);
    }
}

impl std::fmt::Debug for Chooser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chooser").field("eligible", &self.eligible).field("busy", &self.busy).finish_non_exhaustive()
    }
}
