//! Choosing an endpoint and counting the choice.
//!
//! ```text
//! members ──▶ eligible ──▶ Balancer ──▶ id ──▶ Lease      (one step: no other selection in between)
//!    └─ named by the request ───────────▶┘
//! ```

use std::sync::Arc;

use ::http::HeaderValue;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::chooser::Chooser;
use super::eligible::{Candidate, eligible};
use super::sticky::StickyTarget;
use super::{Lease, Live, Member, Recovery, Retry, Signals, Stickiness, Sticky, affinity};
use crate::clock::Clock;
use crate::config::{Affinity, EndpointState};
use crate::policy::{
    Balancer, BalancerRefusal, BodySight, CallMeter, Choice, EndpointId, EndpointIds, LeaseUnits, LeastBusy,
    MeteredCalls, PickRequest, RequestFacts,
};

/// Ids that one request has already tried. A request tries each endpoint once, and again only what did not act on it.
#[derive(Clone, Debug, Default)]
pub struct Tried(Vec<EndpointId>);

impl Tried {
    /// Leaves `id` out of the next selection.
    pub fn add(&mut self, id: EndpointId) {
        self.0.push(id);
    }

    /// Lets `id` be selected again.
    pub fn remove(&mut self, id: EndpointId) {
        self.0.retain(|there| *there != id);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, id: EndpointId) -> bool {
        self.0.contains(&id)
    }
}

/// Why no endpoint was chosen. Each is the gateway's 503, or what the balancer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No member may take work: all in drain or maint, at their limit, tried already, or down where that is not forced.
    #[error("no endpoint can take work")]
    NoneEligible,
    /// The balancer refused.
    #[error("the balancer refused with {0}")]
    Refused(BalancerRefusal),
    /// The request names an endpoint that cannot take it, and no other may stand in (Apache's `nofailover`).
    #[error("the endpoint that the request belongs to cannot take work")]
    StickyUnavailable,
}

/// What the configuration says about choices, beside members and balancer.
#[derive(Debug, Default)]
pub struct Policy {
    /// Requests may name their endpoint.
    pub sticky: Option<Sticky>,
    /// What the balancer's hash is made from.
    pub affinity: Option<Affinity>,
    /// When a request is sent again.
    pub retry: Retry,
    /// Statuses that pause the endpoint; none if there are none.
    pub fail_on: Option<Arc<[u16]>>,
}

/// A group of endpoints and the balancer that chooses among them, for one generation.
pub struct Cluster {
    name: Arc<str>,
    members: Vec<Member>,
    clock: Clock,
    wants_feedback: bool,
    sight: Option<BodySight>,
    /// Apart, for it is read while a choice is made.
    meter: Option<Arc<dyn CallMeter>>,
    recovery: Recovery,
    policy: Policy,
    signals: Arc<Signals>,
    /// Apart, for leases that report their end to the balancer hold on to it.
    chooser: Arc<Mutex<Chooser>>,
}

impl Cluster {
    /// A cluster whose endpoints have the ids 0 and up, in the order of `members`.
    #[must_use]
    pub fn new(name: Arc<str>, members: Vec<Member>, balancer: Box<dyn Balancer>) -> Self {
        let (wants_feedback, sight, meter) = (balancer.wants_feedback(), balancer.sight(), balancer.meter());
        let chooser = Arc::new(Mutex::new(Chooser::new(balancer)));
        let (policy, recovery, signals) = (Policy::default(), Recovery::default(), Arc::default());
        let clock = members.first().map(|member| member.live.clock().clone()).unwrap_or_default();
        Self { name, members, clock, wants_feedback, sight, meter, policy, recovery, signals, chooser }
    }

    /// The time by which its members are judged: that of the registry they come from.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Instant {
        self.clock.now()
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

    /// The same under `policy`.
    #[must_use]
    pub fn under(self, policy: Policy) -> Self {
        Self { policy, ..self }
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

    /// When a request is sent again.
    #[must_use]
    pub fn retry(&self) -> &Retry {
        &self.policy.retry
    }

    /// Whether one more request may be sent again now: a share of all, so that what fails is not hit twice as hard.
    #[must_use]
    pub fn has_retry_budget(&self) -> bool {
        self.policy.retry.has_budget(self.now(), self.picks())
    }

    /// The same once the next endpoint is chosen; counts it.
    #[must_use]
    pub fn spend_retry(&self) -> bool {
        self.policy.retry.spend(self.now(), self.picks())
    }

    fn picks(&self) -> u64 {
        self.members.iter().map(|member| member.live.picks()).sum()
    }

    /// The Set-Cookie that brings the client back to `endpoint`; none if it would come back anyway.
    #[must_use]
    pub fn set_cookie(&self, request: &RequestFacts, endpoint: EndpointId, by_tls: bool) -> Option<HeaderValue> {
        self.policy.sticky.as_ref()?.set_cookie(request, endpoint, by_tls)
    }

    /// The calls of the balancer, and what they took; none if nobody counts them. Waits for no choice.
    #[must_use]
    pub fn balancer_times(&self) -> Option<MeteredCalls> {
        self.meter.as_ref().map(|meter| meter.times())
    }

    /// How much of a request's body its balancer wants to see; none: choices wait for no body.
    #[must_use]
    #[inline]
    pub fn sight(&self) -> Option<BodySight> {
        self.sight
    }

    /// What the balancer wants its successor to know.
    #[must_use]
    pub fn save(&self) -> Option<Vec<u8>> {
        self.chooser.lock().balancer.save()
    }

    /// Chooses an endpoint for `request` and counts it, in one step.
    ///
    /// A balancer that fails is stood in for by the least busy choice, which weighs one unit, as does that of a request
    /// that names its endpoint. If every member that could take work is paused,
    /// ejected or unhealthy, they are tried all the same, unless the cluster says otherwise: see [`Recovery`].
    ///
    /// # Errors
    /// [`SelectError`] if no endpoint may be chosen, or none is.
    pub fn select(&self, request: &RequestFacts, tried: &Tried, now: Instant) -> Result<Lease, SelectError> {
        let mut chooser = self.chooser.lock();
        let mut forced = false;
        let mut target = self.target(request, tried, |live| live.admits(now));
        let Chooser { balancer, eligible, busy } = &mut *chooser;
        if !matches!(target, Some(StickyTarget::Named(_) | StickyTarget::StandIn(_))) {
            self.fill(eligible, tried, |live| live.admits(now));
            if eligible.is_empty() && self.recovery.is_forced {
                forced = true;
                target = self.target(request, tried, |_| true);
            }
            // Only now: where all are tried all the same, the one that was named is too.
            if target == Some(StickyTarget::Unavailable)
                && self.policy.sticky.as_ref().is_some_and(|sticky| !sticky.fails_over())
            {
                return Err(SelectError::StickyUnavailable);
            }
        }
        let (id, units) = match target {
            Some(StickyTarget::Named(id) | StickyTarget::StandIn(id)) => (id, LeaseUnits::ONE),
            _ => {
                if forced {
                    self.fill(eligible, tried, |_| true);
                }
                self.recovery.skip_slow_starting(eligible, &self.members, now);
                if eligible.is_empty() {
                    return Err(SelectError::NoneEligible);
                }
                busy.clear();
                let members = eligible.iter().filter_map(|id| id.of(&self.members));
                busy.extend(members.map(Member::busy));
                let affinity = self.policy.affinity.as_ref().and_then(|affinity| affinity::hash(affinity, request));
                let pick = PickRequest { eligible, busy, affinity, request: Some(request) };
                let chosen = match balancer.pick(&pick) {
                    Ok(chosen) => chosen,
                    Err(_counted_and_logged) => LeastBusy.pick(&pick).unwrap_or(None.into()),
                };
                if request.effects.is_ready() {
                    request.effects.add_shared(balancer.take_effects());
                }
                match chosen {
                    Choice::Take(id, units) => (id, units),
                    Choice::Refuse(refusal) => return Err(SelectError::Refused(refusal)),
                }
            }
        };
        let member = id.of(&self.members).ok_or(SelectError::Refused(BalancerRefusal::default()))?;
        let feedback = self.wants_feedback.then(|| Arc::downgrade(&self.chooser));
        let mut lease = Lease::new(member, id, units, now, feedback);
        lease.forced = forced;
        lease.fail_on.clone_from(&self.policy.fail_on);
        lease.stickiness = target.map(|target| match target {
            StickyTarget::Named(_) => Stickiness::Hit,
            StickyTarget::Unnamed => Stickiness::Miss,
            StickyTarget::StandIn(_) | StickyTarget::Unavailable => Stickiness::Broken,
        });
        if self.wants_feedback {
            balancer.opened(id);
        }
        Ok(lease)
    }

    /// Whether time alone may turn `error` into a choice for a request that has `tried` these: a member of this
    /// generation may become free that takes work and has not been tried.
    #[must_use]
    pub fn may_pass(&self, error: SelectError, tried: &Tried) -> bool {
        let mut members = EndpointId::each(self.members());
        match error {
            SelectError::NoneEligible => members.any(|(id, member)| member.state.takes_work() && !tried.contains(id)),
            SelectError::StickyUnavailable => tried.count() == 0,
            SelectError::Refused(_) => false,
        }
    }

    /// The cluster goes live in the place of `before`, which may be itself, or none.
    pub fn take_over(&self, before: Option<&Self>, now: Instant) {
        if before.is_some_and(|before| std::ptr::eq(before, self)) {
            return;
        }
        self.recovery().take_over(self.members(), before.map(Self::members).unwrap_or_default(), now);
    }

    /// The endpoint that the request names; none in a cluster without stickiness. Drained members take requests that
    /// name them.
    fn target(
        &self,
        request: &RequestFacts,
        tried: &Tried,
        may_try: impl Fn(&Live) -> bool + Copy,
    ) -> Option<StickyTarget> {
        let usable = |id: EndpointId| {
            let member = id.of(&self.members);
            member.is_some_and(|member| {
                member.state != EndpointState::Maint && is_free(member, may_try) && !tried.contains(id)
            })
        };
        Some(self.policy.sticky.as_ref()?.target(request, usable))
    }

    fn fill(&self, into: &mut EndpointIds, tried: &Tried, may_try: impl Fn(&Live) -> bool + Copy) {
        let candidates = EndpointId::each(&self.members).map(|(id, member)| {
            let usable = is_free(member, may_try) && !tried.contains(id);
            (id, Candidate { group: member.group, state: member.state, usable })
        });
        eligible(candidates, into);
    }
}

/// Whether a member may be tried and is below its limit.
fn is_free(member: &Member, may_try: impl Fn(&Live) -> bool) -> bool {
    may_try(&member.live) && member.max_connections.is_none_or(|most| member.busy() < most)
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).field("members", &self.members).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
