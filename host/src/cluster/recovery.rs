//! What a cluster does when members are down, come, or come back.

use std::time::Duration;

use tokio::time::Instant;

use super::Member;
use crate::policy::EndpointIds;

/// How members come back into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// When every member that could take work is paused, ejected or unhealthy, they are tried all the same (Apache's
    /// `forcerecovery`).
    pub is_forced: bool,
    /// How long a member that has come or come back is spared, if at all.
    pub slow_start: Option<Duration>,
    /// How long a request waits for a member that can take it, if at all (Apache's balancer `timeout`).
    pub wait: Option<Duration>,
    /// Whether members are probed.
    pub has_probes: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { is_forced: true, slow_start: None, wait: None, has_probes: false }
    }
}

impl Recovery {
    /// Takes endpoints in a slow start that are not offered this pick out of `eligible`. If that is all, none is taken
    /// out.
    pub(super) fn skip_slow_starting(&self, eligible: &mut EndpointIds, members: &[Member], now: Instant) {
        let Some(length) = self.slow_start else { return };
        eligible.narrow(|id| id.of(members).is_none_or(|member| member.live.is_offered(length, now)));
    }

    /// The cluster takes the place of `before`: members that are new in one that has served begin slowly, and what
    /// probes found is forgotten where there are no probes any more.
    pub(super) fn take_over(&self, members: &[Member], before: &[Member], now: Instant) {
        let is_old = |member: &&Member| before.iter().any(|old| std::ptr::eq(&*old.live, &*member.live));
        let has_served = before.iter().any(|member| member.live.picks() > 0);
        if has_served && self.slow_start.is_some() && members.iter().any(|member| is_old(&member)) {
            members.iter().filter(|member| !is_old(member)).for_each(|member| member.live.warm_up(now));
        }
        let is_probed = |member: &&Member| self.has_probes && member.is_probed();
        members.iter().filter(|member| !is_probed(member)).for_each(|member| member.live.end_probes(now));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::{Health, Live, Thresholds};
    use crate::config::EndpointState;
    use crate::policy::{EndpointId, LeaseUnits};

    const SLOW: Recovery =
        Recovery { is_forced: true, slow_start: Some(Duration::from_secs(100)), wait: None, has_probes: false };

    fn member(live: &Arc<Live>) -> Member {
        let (group, state, max_connections, failure_policy) =
            (0, EndpointState::Ready, None, super::super::FailurePolicy::default());
        Member { live: live.clone(), group, state, max_connections, failure_policy, shared: None }
    }

    fn lives(count: usize) -> Vec<Arc<Live>> {
        (0..count).map(|number| Arc::new(Live::new(&format!("ws://192.0.2.{number}:80")))).collect()
    }

    /// How often each of the members is among the eligible, out of 100 picks.
    fn offers(members: &[Member], now: Instant) -> Vec<usize> {
        let mut offers = vec![0; members.len()];
        for _ in 0..100 {
            let mut eligible: EndpointIds = EndpointId::each(members).map(|(id, _)| id).collect();
            SLOW.skip_slow_starting(&mut eligible, members, now);
            assert!(!eligible.is_empty() && eligible.as_numbers().is_sorted());
            eligible.iter().for_each(|id| offers[id.0 as usize] += 1);
        }
        offers
    }

    #[test]
    fn a_new_member_of_a_cluster_that_has_served_begins_slowly() {
        let (lives, now) = (lives(3), Instant::now());
        let members: Vec<_> = lives.iter().map(member).collect();
        let quarter = now + Duration::from_secs(25);

        SLOW.take_over(&members, &members[..2], now);
        assert_eq!(offers(&members, quarter), [100; 3], "nobody has served yet");
        lives[0].take(LeaseUnits::ONE);
        SLOW.take_over(&members, &[], now);
        SLOW.take_over(&members[1..2], &members[..1], now);
        assert_eq!(offers(&members, quarter), [100; 3], "in a cluster of none but new ones, nobody is spared");
        SLOW.take_over(&members, &members[..2], now);

        assert_eq!(offers(&members, quarter), [100, 100, 25]);
        assert_eq!(offers(&members, now + Duration::from_secs(100)), [100; 3]);
    }

    #[test]
    fn where_all_begin_slowly_nobody_is_left_out() {
        let (lives, now) = (lives(2), Instant::now());
        let members: Vec<_> = lives.iter().map(member).collect();
        lives.iter().for_each(|live| live.warm_up(now));

        let offers = offers(&members, now);

        assert_eq!(offers, [100, 100]);
    }

    #[test]
    fn where_nobody_probes_what_probes_said_is_forgotten() {
        let (lives, now) = (lives(1), Instant::now());
        let members: Vec<_> = lives.iter().map(member).collect();
        let ticket = lives[0].begin_probes(now);
        lives[0].probed(ticket, Err("refused"), Thresholds { rise: 1, fall: 1 }, now);

        Recovery { has_probes: true, ..SLOW }.take_over(&members, &members, now);
        assert_eq!(lives[0].health(now), Health::Unhealthy, "the next prober goes on from there");
        SLOW.take_over(&members, &members, now);

        assert_eq!(lives[0].health(now), Health::Healthy);
    }
}
