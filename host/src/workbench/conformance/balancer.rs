//! What a balancer must cope with.

use super::cluster::{BUSIEST, MadeUpCluster, waits_for};
use super::subject::{EndedEarly, Subject, Test, TestResult, failed, nonsense};
use super::{growth, leftovers, state};
use crate::policy::{EndpointId, EndpointIds};
use crate::workbench::made_up::{endpoints, unequal_endpoints};

/// In the order in which they are made.
pub(super) const TESTS: &[Test] = &[
    ("one endpoint", one),
    ("many endpoints", many),
    ("ids with gaps", gaps),
    ("unequal busyness", unequal_busyness),
    ("with and without an affinity", affinities),
    ("weights of 0.01 and 100", weights),
    ("4,096 endpoints", most),
    ("members that come and go between picks", membership),
    ("some pick is not none", always_none),
    ("memory that earlier calls have used", leftovers::are_not_read),
    ("memory does not grow", memory),
    ("clusters know nothing of each other", state::of_clusters),
    ("state is handed over", state::hand_over),
    ("feedback", state::feedback),
    ("a configuration of nonsense", nonsense_config),
];

/// Endpoints of clusters where their number does not matter.
const SOME: usize = 64;

/// Every `step`-th of the ids below `count`, from `first`.
fn every(step: usize, first: usize, count: usize) -> EndpointIds {
    EndpointId::each(&vec![(); count]).map(|(id, ())| id).skip(first).step_by(step).collect()
}

fn one(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(1))?;
    for affinity in [None, Some(7), None] {
        cluster.must_pick(&[0].into(), affinity)?;
    }
    Ok(())
}

fn many(subject: &Subject<'_>) -> TestResult {
    for count in [2, 3, 16, 256] {
        let mut cluster = MadeUpCluster::of(subject, &endpoints(count))?;
        for _ in 0..2 * count {
            cluster.must_pick(&every(1, 0, count), None)?;
        }
    }
    Ok(())
}

fn gaps(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(SOME))?;
    let last = u32::try_from(SOME).unwrap_or(u32::MAX) - 1;
    let all: [EndpointIds; 6] =
        [[1].into(), [0, 2].into(), every(2, 3, SOME), [last].into(), [0, last].into(), every(7, 5, SOME)];
    for eligible in &all {
        for affinity in [None, Some(0x5eed)] {
            for _ in 0..2 * eligible.len() {
                cluster.must_pick(eligible, affinity)?;
            }
        }
    }
    Ok(())
}

fn unequal_busyness(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(SOME))?;
    let rows: [&[u32]; 6] = [&[7, 0, 3], &[0, BUSIEST], &[BUSIEST], &[1], &[3, 2, 1, 0], &[0, 0, 0, 1_000_000]];
    for busy in rows {
        for eligible in [every(1, 0, SOME), every(3, 1, SOME)] {
            for _ in 0..8 {
                cluster.pick(&eligible, busy, None)?;
            }
        }
    }
    Ok(())
}

fn affinities(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(SOME))?;
    for affinity in [None, Some(0), Some(1), Some(BUSIEST), None, Some(0x5eed), Some(BUSIEST - 1), None] {
        cluster.must_pick(&every(1, 0, SOME), affinity)?;
        cluster.must_pick(&every(2, 1, SOME), affinity)?;
    }
    for hash in 0..1000_u32 {
        cluster.must_pick(&every(1, 0, SOME), Some(hash.wrapping_mul(2_147_483_629) & BUSIEST))?;
    }
    Ok(())
}

fn weights(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &unequal_endpoints(SOME))?;
    for busy in [&[0][..], &[0, 100], &[BUSIEST], &[BUSIEST, 0], &[1, 10_000]] {
        for _ in 0..2 * SOME {
            cluster.pick(&every(1, 0, SOME), busy, None)?;
        }
    }
    cluster.must_pick(&every(2, 0, SOME), None)?;
    cluster.must_pick(&every(2, 1, SOME), Some(7))?;
    Ok(())
}

fn most(subject: &Subject<'_>) -> TestResult {
    const MOST: usize = 4096;
    let mut cluster = MadeUpCluster::of(subject, &endpoints(MOST))?;
    for _ in 0..16 {
        cluster.must_pick(&every(1, 0, MOST), None)?;
        cluster.must_pick(&every(1, 0, MOST), Some(0x5eed))?;
        cluster.pick(&every(2, 1, MOST), &[1, 0, 9], None)?;
    }
    cluster.must_pick(&[4095].into(), None)?;
    Ok(())
}

fn membership(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(SOME))?;
    let rounds: [EndpointIds; 8] = [
        every(1, 0, SOME),
        every(2, 1, SOME),
        [5].into(),
        [6].into(),
        every(1, 32, SOME),
        every(2, 0, SOME),
        [0, 63].into(),
        every(1, 0, SOME),
    ];
    for _ in 0..4 {
        for eligible in &rounds {
            for affinity in [None, Some(0x5eed)] {
                cluster.must_pick(eligible, affinity)?;
            }
        }
    }
    Ok(())
}

fn always_none(subject: &Subject<'_>) -> TestResult {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(SOME))?;
    for busy in [&[0][..], &[1], &[0, 1], &[5, 0, 2]] {
        for affinity in [None, Some(7)] {
            for eligible in [every(1, 0, SOME), [0].into(), every(2, 1, SOME)] {
                if cluster.pick(&eligible, busy, affinity)?.is_some() {
                    return Ok(());
                }
            }
        }
    }
    if let Some(learned) = waits_for(subject.plugin) {
        return Err(EndedEarly::NotApplicable(learned));
    }
    Err(failed("every pick returned none, whoever was eligible: every request would be 503; return some(id)"))
}

fn memory(subject: &Subject<'_>) -> TestResult {
    let plugin = subject.anew(subject.file.name)?;
    let mut cluster = MadeUpCluster::of(&Subject { plugin: &plugin, ..*subject }, &endpoints(16))?;
    let sets = [every(1, 0, 16), every(2, 1, 16), every(3, 0, 16)];
    let feeds = cluster.balancer.wants_feedback();
    growth::look_for(subject, &plugin.artifact, |number| {
        let [all, odd, third] = &sets;
        let eligible = match number % 3 {
            0 => all,
            1 => odd,
            _ => third,
        };
        let affinity = u32::try_from(number & u64::from(BUSIEST)).ok().filter(|_| number.is_multiple_of(2));
        let chosen = cluster.pick(eligible, &[1, 0, 2], affinity)?;
        if let Some(id) = chosen.filter(|_| feeds) {
            state::feed_back(&mut *cluster.balancer, id, number);
        }
        Ok(())
    })?;
    state::no_faults(subject, &plugin.artifact)
}

fn nonsense_config(subject: &Subject<'_>) -> TestResult {
    nonsense(|config| {
        let plugin = subject.plugin.configured(config);
        plugin.balancer(&endpoints(3)).map(drop)
    })
}
