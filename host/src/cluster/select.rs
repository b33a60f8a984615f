//! Choosing an endpoint and counting the choice.
//!
//! ```text
//! members ──▶ eligible ──▶ Balancer ──▶ id ──▶ Lease      (one step: no other selection in between)
//! ```

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::eligible::{Candidate, eligible};
use super::{AddressCount, Lease, Live, Standing};
use crate::config::EndpointState;
use crate::policy::{Balancer, LeastBusy, Outcome, PickRequest, RequestFacts};

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
    /// What its address holds over all clusters, if that is what counts.
    pub shared: Option<Arc<AddressCount>>,
}

impl Member {
    /// What it holds now, as balancers and limits see it.
    #[must_use]
    pub fn busy(&self) -> u32 {
        self.shared.as_ref().map_or_else(|| self.live.in_flight(), |shared| shared.in_flight())
    }
}

/// Ids that one request has already tried. A request tries each endpoint once at the most.
#[derive(Clone, Debug, Default)]
pub struct Tried(Vec<u32>);

impl Tried {
    /// Leaves `id` out of the next selection.
    pub fn add(&mut self, id: u32) {
        self.0.push(id);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn contains(&self, id: u32) -> bool {
        self.0.contains(&id)
    }
}

/// Why nobody was chosen. Each is the gateway's 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No member may take work: all in drain or maint, at their limit, or tried already.
    #[error("no endpoint can take work")]
    NoneEligible,
    /// The balancer refused.
    #[error("the balancer refused")]
    Refused,
}

/// A group of endpoints and who chooses among them, for one generation.
pub struct Cluster {
    name: Arc<str>,
    members: Vec<Member>,
    wants_feedback: bool,
    chooser: Mutex<Chooser>,
}

/// What selection works with, under the cluster's lock.
struct Chooser {
    balancer: Box<dyn Balancer>,
    eligible: Vec<u32>,
    busy: Vec<u32>,
}

impl Cluster {
    /// A cluster whose endpoints have the ids 0 and up, in the order of `members`.
    #[must_use]
    pub fn new(name: Arc<str>, members: Vec<Member>, balancer: Box<dyn Balancer>) -> Self {
        let wants_feedback = balancer.wants_feedback();
        let chooser = Chooser { balancer, eligible: Vec::new(), busy: Vec::new() };
        Self { name, members, wants_feedback, chooser: Mutex::new(chooser) }
    }

    /// As configured.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its members, by id.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What the balancer wants its successor to know.
    #[must_use]
    pub fn save(&self) -> Option<Vec<u8>> {
        self.chooser.lock().balancer.save()
    }

    /// Chooses an endpoint for `request` and counts it, in one step.
    ///
    /// A balancer that fails is stood in for by the least busy choice. If every member that could take work is paused
    /// after failures, the pauses are ignored: trying beats refusing (Apache's `forcerecovery`).
    ///
    /// # Errors
    /// [`SelectError`] if nobody may be or is chosen.
    pub fn select(
        self: &Arc<Self>,
        request: &mut RequestFacts,
        tried: &Tried,
        now: Instant,
    ) -> Result<Lease, SelectError> {
        let mut chooser = self.chooser.lock();
        let Chooser { balancer, eligible, busy } = &mut *chooser;
        self.fill(eligible, tried, |live| live.standing(now) != Standing::Paused);
        if eligible.is_empty() {
            self.fill(eligible, tried, |_| true);
        }
        if eligible.is_empty() {
            return Err(SelectError::NoneEligible);
        }
        busy.clear();
        busy.extend(eligible.iter().filter_map(|id| self.members.get(*id as usize)).map(Member::busy));
        let mut pick = PickRequest { eligible, busy, affinity: None, request: Some(request) };
        let chosen = match balancer.pick(&mut pick) {
            Ok(chosen) => chosen,
            Err(_counted_and_logged) => LeastBusy.pick(&mut pick).ok().flatten(),
        };
        let id = chosen.ok_or(SelectError::Refused)?;
        let member = self.members.get(id as usize).ok_or(SelectError::Refused)?;
        let hears = self.wants_feedback.then(|| Arc::downgrade(self));
        let lease = Lease::new(member, id, now, hears);
        if self.wants_feedback {
            balancer.opened(id);
        }
        Ok(lease)
    }

    pub(super) fn tell_closed(&self, endpoint: u32, outcome: &Outcome) {
        self.chooser.lock().balancer.closed(endpoint, outcome);
    }

    fn fill(&self, into: &mut Vec<u32>, tried: &Tried, may_try: impl Fn(&Live) -> bool + Copy) {
        let candidates = (0_u32..).zip(&self.members).map(|(id, member)| Candidate {
            group: member.group,
            state: member.state,
            usable: may_try(&member.live)
                && member.max_connections.is_none_or(|most| member.busy() < most)
                && !tried.contains(id),
        });
        eligible(candidates, into);
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).field("members", &self.members).finish_non_exhaustive()
    }
}
