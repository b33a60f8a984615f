//! Selections against a model that counts by hand.

use std::time::Duration;

use proptest::prelude::*;

use super::super::Health;
use super::super::testing::{facts, member};
use super::*;
use crate::config;

/// Takes the eligible one that the affinity hash points at, or the first; the hash says how many units that weighs, too.
struct Pointed {
    /// The most units.
    heaviest: u32,
}

impl Balancer for Pointed {
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, crate::policy::Fault> {
        let at = request.affinity.map_or(0, |hash| hash as usize % request.eligible.len());
        let units = request.affinity.unwrap_or(0) % self.heaviest + 1;
        let id = request.eligible.iter().nth(at);
        Ok(id.map_or(None.into(), |id| Choice::Take(id, units.try_into().unwrap())))
    }
}

const STATES: [EndpointState; 5] =
    [EndpointState::Ready, EndpointState::Drain, EndpointState::Maint, EndpointState::Spare, EndpointState::Standby];

fn cluster(states: &[EndpointState], limit: Option<u32>, failover: bool) -> Arc<Cluster> {
    weighing(1, states, limit, failover)
}

fn weighing(heaviest: u32, states: &[EndpointState], limit: Option<u32>, failover: bool) -> Arc<Cluster> {
    let members = states.iter().enumerate();
    let members = members.map(|(id, state)| Member { max_connections: limit, ..member(id, *state) }).collect();
    let endpoints: Vec<_> = states.iter().enumerate().map(|(id, state)| endpoint(id, *state)).collect();
    let written =
        config::StickyConfig { cookie: Some("R".to_owned()), parameter: None, separator: None, failover, issue: None };
    let policy = Policy {
        sticky: Some(Sticky::new(&written, "c", &endpoints)),
        affinity: Some(Affinity::Path),
        ..Policy::default()
    };
    Arc::new(Cluster::new("c".into(), members, Box::new(Pointed { heaviest })).under(policy))
}

fn endpoint(id: usize, state: EndpointState) -> config::EndpointConfig {
    let plain = config::parse_endpoint(&format!("ws://e{id}")).unwrap();
    config::EndpointConfig { route: Some(format!("r{id}")), state, ..plain }
}

fn asking(cluster: &Arc<Cluster>, route: usize, tried: &Tried) -> Result<Lease, SelectError> {
    let cookie = format!("R=r{route}");
    cluster.select(&facts("/", None, &[("cookie", &cookie)]), tried, Instant::now())
}

#[test]
fn drained_members_take_those_who_name_them_and_nobody_else() {
    use EndpointState::{Drain, Maint, Ready, Spare, Standby};
    let cluster = cluster(&[Ready, Drain, Maint, Spare, Standby], None, true);
    let table = [
        (0, 0, Stickiness::Hit),
        (1, 1, Stickiness::Hit),
        (2, 0, Stickiness::Broken),
        (3, 3, Stickiness::Hit),
        (4, 4, Stickiness::Hit),
        (9, 0, Stickiness::Miss),
    ];
    for (route, expected, stickiness) in table {
        let lease = asking(&cluster, route, &Tried::default()).unwrap();
        // The balancer's hash points where it likes among the eligible; drain, maint and standby are not.
        let among = if stickiness == Stickiness::Hit {
            lease.endpoint().0 == expected
        } else {
            [0, 3].contains(&lease.endpoint().0)
        };
        assert!(among, "r{route} went to {}", lease.endpoint());
        assert_eq!(lease.stickiness(), Some(stickiness), "r{route}");
    }
}

#[test]
fn without_failover_a_known_route_waits_for_its_own() {
    use EndpointState::{Maint, Ready};
    let cluster = cluster(&[Ready, Maint, Ready], Some(1), false);
    let held = asking(&cluster, 0, &Tried::default()).unwrap();

    assert_eq!(asking(&cluster, 0, &Tried::default()).unwrap_err(), SelectError::StickyUnavailable, "at its limit");
    assert_eq!(asking(&cluster, 1, &Tried::default()).unwrap_err(), SelectError::StickyUnavailable, "in maintenance");
    assert_eq!(asking(&cluster, 9, &Tried::default()).unwrap().endpoint().0, 2, "an unknown one is balanced");
    let mut tried = Tried::default();
    tried.add(EndpointId(2));
    assert_eq!(asking(&cluster, 2, &tried).unwrap_err(), SelectError::StickyUnavailable, "tried already");
    drop(held);
    assert_eq!(asking(&cluster, 0, &Tried::default()).unwrap().endpoint().0, 0);
}

#[tokio::test(start_paused = true)]
async fn when_all_are_paused_a_request_still_goes_where_it_belongs() {
    let cluster = cluster(&[EndpointState::Ready; 3], None, true);
    for id in 0..3 {
        let lease = asking(&cluster, id, &Tried::default()).unwrap();
        assert!(!lease.is_forced());
        assert!(lease.unreachable().is_some());
    }

    for id in [2, 0, 1] {
        let lease = asking(&cluster, id, &Tried::default()).unwrap();
        assert_eq!((lease.endpoint().0 as usize, lease.is_forced()), (id, true));
        assert_eq!(lease.stickiness(), Some(Stickiness::Hit));
    }
}

#[tokio::test(start_paused = true)]
async fn without_failover_too_all_are_tried_when_all_are_paused() {
    let cluster = cluster(&[EndpointState::Ready; 2], None, false);
    let fail = |id| asking(&cluster, id, &Tried::default()).unwrap().unreachable();
    assert!(fail(0).is_some());
    assert_eq!(
        asking(&cluster, 0, &Tried::default()).unwrap_err(),
        SelectError::StickyUnavailable,
        "the other one is there"
    );
    assert!(fail(1).is_some());

    let lease = asking(&cluster, 0, &Tried::default()).unwrap();

    assert_eq!((lease.endpoint().0, lease.is_forced()), (0, true));
    let mut tried = Tried::default();
    tried.add(EndpointId(0));
    assert_eq!(asking(&cluster, 0, &tried).unwrap_err(), SelectError::StickyUnavailable, "no other may stand in");
}

#[tokio::test(start_paused = true)]
async fn in_a_slow_start_a_request_still_goes_where_it_belongs_and_nobody_is_refused() {
    let slow = Recovery { slow_start: Some(Duration::from_secs(3600)), ..Recovery::default() };
    let cluster =
        Arc::new(Arc::into_inner(cluster(&[EndpointState::Ready; 2], Some(4), true)).unwrap().with_recovery(slow));
    cluster.members()[1].live.warm_up(Instant::now());

    let balanced: Vec<_> = (0..2).map(|_| asking(&cluster, 9, &Tried::default()).unwrap()).collect();
    assert!(balanced.iter().all(|lease| lease.endpoint().0 == 0), "it has just come");
    let named = asking(&cluster, 1, &Tried::default()).unwrap();
    assert_eq!((named.endpoint().0, named.stickiness()), (1, Some(Stickiness::Hit)));
    let mut tried = Tried::default();
    tried.add(EndpointId(0));
    assert_eq!(asking(&cluster, 9, &tried).unwrap().endpoint().0, 1, "there is nobody else");
    let full: Vec<_> = (0..2).map(|_| asking(&cluster, 0, &Tried::default()).unwrap()).collect();
    assert_eq!(full.len(), 2);
    assert_eq!(asking(&cluster, 9, &Tried::default()).unwrap().endpoint().0, 1, "the other one is at its limit");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_counts_as_a_failure_pauses_its_endpoint() {
    let members = (0..2).map(|id| member(id, EndpointState::Ready)).collect();
    let policy = Policy { fail_on: Some([503].into()), ..Policy::default() };
    let cluster = Arc::new(Cluster::new("c".into(), members, Box::new(LeastBusy)).under(policy));
    let chosen = || cluster.select(&facts("/", None, &[]), &Tried::default(), Instant::now()).unwrap();

    for (status, next) in [(500, 0), (503, 1)] {
        let mut lease = chosen();
        assert_eq!(lease.endpoint().0, 0);
        lease.answered(status);
        lease.completed();
        drop(lease);
        assert_eq!(chosen().endpoint().0, next, "after {status}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Names this route; what was tried before is a set of bits.
    Select {
        route: usize,
        tried: u8,
        path: u8,
    },
    /// The lease at this place of those held, from the oldest.
    Answer(usize, u16),
    Unreachable(usize),
    Break(usize),
    Drop(usize),
    /// Milliseconds go by.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..8_usize;
    prop_oneof![
        4 => (0..7_usize, any::<u8>(), any::<u8>())
            .prop_map(|(route, tried, path)| Step::Select { route, tried: tried & path, path }),
        1 => (place.clone(), prop_oneof![Just(200), Just(503)]).prop_map(|(place, status)| Step::Answer(place, status)),
        1 => place.clone().prop_map(Step::Unreachable),
        1 => place.clone().prop_map(Step::Break),
        2 => place.prop_map(Step::Drop),
        1 => (0..3000_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_of_a_model_after_every_step(
        states in proptest::collection::vec(0..STATES.len(), 1..6),
        limit in proptest::option::of(1..4_u32),
        failover in any::<bool>(),
        heaviest in 1..8_u32,
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let states: Vec<_> = states.iter().map(|state| STATES[*state]).collect();
            let cluster = weighing(heaviest, &states, limit, failover);
            let (mut held, mut busy, mut picks) = (Vec::new(), vec![0_u32; states.len()], vec![0_u64; states.len()]);
            for step in steps {
                match step {
                    Step::Select { route, tried: bits, path } => {
                        let mut tried = Tried::default();
                        (0..8).filter(|id| bits & (1 << id) != 0).for_each(|id| tried.add(EndpointId(id)));
                        let cookie = format!("R=r{route}");
                        let request = facts(&format!("/{path}"), None, &[("cookie", &cookie)]);
                        let now = Instant::now();
                        let health: Vec<_> = cluster.members().iter().map(|member| member.live.health(now)).collect();
                        match cluster.select(&request, &tried, now) {
                            Ok(lease) => {
                                let id = lease.endpoint().0 as usize;
                                assert!(bits & (1 << id) == 0, "tried already");
                                assert!(limit.is_none_or(|most| busy[id] < most), "at its limit");
                                assert_ne!(states[id], EndpointState::Maint);
                                let hit = lease.stickiness() == Some(Stickiness::Hit);
                                assert_eq!(hit, id == route, "a hit is the endpoint that was named");
                                assert!(hit || states[id] != EndpointState::Drain, "a drained one must be named");
                                assert!(lease.is_forced() || health[id] != Health::Paused);
                                let units = cluster.members()[id].live.in_flight() - busy[id];
                                assert!((1..=if hit { 1 } else { heaviest }).contains(&units), "{units} units");
                                busy[id] += units;
                                picks[id] += 1;
                                held.push((id, units, lease));
                            }
                            Err(SelectError::StickyUnavailable) => assert!(!failover && route < states.len()),
                            Err(SelectError::NoneEligible) => {}
                            Err(SelectError::Refused(_)) => panic!("it always picks"),
                        }
                    }
                    Step::Answer(place, status) => {
                        if let Some((.., lease)) = held.get_mut(place) {
                            lease.answered(status);
                        }
                    }
                    Step::Break(place) => {
                        if let Some((.., lease)) = held.get_mut(place) {
                            lease.broken();
                        }
                    }
                    Step::Unreachable(place) | Step::Drop(place) if place < held.len() => {
                        let (id, units, lease) = held.remove(place);
                        if matches!(step, Step::Unreachable(_)) {
                            lease.unreachable();
                        } else {
                            drop(lease);
                        }
                        busy[id] -= units;
                    }
                    Step::Unreachable(_) | Step::Drop(_) => {}
                    Step::Wait(milliseconds) => tokio::time::advance(Duration::from_millis(milliseconds)).await,
                }
                let lives = || cluster.members().iter().map(|member| &member.live);
                assert_eq!(lives().map(|live| live.in_flight()).collect::<Vec<_>>(), busy);
                assert_eq!(lives().map(|live| live.picks()).collect::<Vec<_>>(), picks);
            }
            drop(held);
            assert!(cluster.members().iter().all(|member| member.live.in_flight() == 0), "all is given back");
        });
    }
}

#[test]
fn time_helps_where_somebody_may_come_free_who_was_not_tried() {
    use EndpointState::{Drain, Maint, Ready, Standby};
    use SelectError::{NoneEligible, Refused, StickyUnavailable};
    for (states, tried, error, expected) in [
        (&[Ready, Maint][..], &[][..], NoneEligible, true),
        (&[Ready, Maint], &[0], NoneEligible, false),
        (&[Ready, Standby], &[0], NoneEligible, true),
        (&[Drain, Maint], &[], NoneEligible, false),
        (&[Ready, Ready], &[], StickyUnavailable, true),
        (&[Ready, Ready], &[0], StickyUnavailable, false),
        (&[Ready, Ready], &[], Refused(BalancerRefusal::default()), false),
    ] {
        let members = states.iter().enumerate().map(|(number, state)| member(number, *state));
        let balancer = Box::new(LeastBusy);
        let cluster = Cluster::new("c".into(), members.collect(), balancer);
        let mut before = Tried::default();
        tried.iter().for_each(|id| before.add(EndpointId(*id)));

        assert_eq!(cluster.may_pass(error, &before), expected, "{states:?}, tried {tried:?}, {error}");
    }
}

#[test]
fn a_refusal_keeps_its_status_and_what_nobody_weighed_weighs_one() {
    struct Refuses;
    impl Balancer for Refuses {
        fn pick(&mut self, _request: &PickRequest<'_>) -> Result<Choice, crate::policy::Fault> {
            Ok(Choice::Refuse(BalancerRefusal::new(429, Some(9)).unwrap()))
        }
    }
    let members = vec![member(0, EndpointState::Ready)];
    let cluster = Arc::new(Cluster::new("c".into(), members, Box::new(Refuses)));

    let refused = cluster.select(&facts("/", None, &[]), &Tried::default(), Instant::now()).unwrap_err();

    assert_eq!(refused, SelectError::Refused(BalancerRefusal::new(429, Some(9)).unwrap()));
    assert_eq!(refused.to_string(), "the balancer refused with 429, Retry-After 9 s");
    assert_eq!(cluster.members()[0].live.in_flight(), 0, "nothing is held");
}
