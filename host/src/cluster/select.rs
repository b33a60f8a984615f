//! Choosing an endpoint and counting the choice.
//!
//! ```text
//! members ──▶ eligible ──▶ Balancer ──▶ id ──▶ Lease      (one step: no other selection in between)
//! ```

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::eligible::{Candidate, eligible};
use super::{Care, Lease, Live, Recovery, Signals};
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
    /// What is done when it fails.
    pub care: Care,
}

impl Member {
    /// Whether probes ask for it, where there are any: also while it drains, so that it is known whether it could return.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.state != EndpointState::Maint
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
    /// No member may take work: all in drain or maint, at their limit, tried already, or down where that is not forced.
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
    recovery: Recovery,
    signals: Arc<Signals>,
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
        let (recovery, signals) = (Recovery::default(), Arc::default());
        Self { name, members, wants_feedback, recovery, signals, chooser: Mutex::new(chooser) }
    }

    /// The same, with another way to come back into use than the default one.
    #[must_use]
    pub fn with_recovery(self, recovery: Recovery) -> Self {
        Self { recovery, ..self }
    }

    /// How members come back into use.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The same, whose endpoints report `signals`.
    #[must_use]
    pub fn with_signals(self, signals: Arc<Signals>) -> Self {
        Self { signals, ..self }
    }

    /// What its endpoints report about themselves.
    #[must_use]
    pub fn signals(&self) -> &Arc<Signals> {
        &self.signals
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
    /// A balancer that fails is stood in for by the least busy choice. If every member that could take work is paused,
    /// ejected or unhealthy, they are tried all the same, unless the cluster says otherwise: see [`Recovery`].
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
        self.fill(eligible, tried, |live| live.admits(now));
        if eligible.is_empty() && self.recovery.is_forced {
            self.fill(eligible, tried, |_| true);
        }
        self.recovery.spare(eligible, &self.members, now);
        if eligible.is_empty() {
            return Err(SelectError::NoneEligible);
        }
        busy.clear();
        busy.extend(eligible.iter().filter_map(|id| self.members.get(*id as usize)).map(|m| m.live.in_flight()));
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
                && member.max_connections.is_none_or(|most| member.live.in_flight() < most)
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
