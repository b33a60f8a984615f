//! Balancers that take so much of their cluster's time that choices wait for each other.
//!
//! Choices of one cluster are made one after the other. What they take is counted anyway; here it is looked at every
//! ten seconds, and said where it is a share that an operator should know of.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::generation::Generation;
use super::names::WORKER;
use super::running::RunningSet;
use crate::lifecycle;
use crate::policy::MeteredCalls;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(10);
/// Of the time between two looks, what choices may take before that is said. At a quarter, four times the requests are
/// more than the cluster can choose for.
const SHARE: f64 = 0.25;
/// Between two lines about one cluster.
const QUIET: Duration = Duration::from_secs(60);
/// Timed calls that an estimate is made from, at least: one in 64 is timed.
const TIMED: u64 = 2;

/// Looks at the live generation from now on, until the gateway ends.
pub(super) fn watch(set: &Arc<RunningSet>) {
    let (running, drain) = (Arc::downgrade(set), set.services.drain.clone());
    set.services.workers.run_on(WORKER, move || {
        lifecycle::spawn(async move {
            tokio::select! {
                () = drain.started() => {}
                () = look_again(running) => {}
            }
        });
    });
}

async fn look_again(set: Weak<RunningSet>) {
    let mut seen = SeenBalancers::default();
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(set) = set.upgrade() else { return };
        for busy in seen.look(readings(&set.generations.live()), Instant::now()) {
            tracing::warn!(
                "picks of plugin {} take {:.0} % of cluster {}'s time: at most {:.0} choices a second; `tidegate plugin \
                 bench` shows what a pick costs",
                busy.plugin,
                busy.share * 100.0,
                busy.cluster,
                busy.most
            );
        }
    }
}

/// What a cluster's balancer has counted.
struct BalancerReading {
    cluster: String,
    plugin: String,
    /// Another one counts from the beginning.
    instance: usize,
    times: MeteredCalls,
}

fn readings(live: &Generation) -> Vec<BalancerReading> {
    let reading = |(name, prepared): (&String, &super::parts::clusters::PreparedCluster)| {
        Some(BalancerReading {
            cluster: name.clone(),
            plugin: prepared.inputs.config.balancer.plugin.clone(),
            instance: Arc::as_ptr(&prepared.cluster).addr(),
            times: prepared.cluster.balancer_times()?,
        })
    };
    live.clusters.iter().filter_map(reading).collect()
}

/// A balancer that takes too much of its cluster's time.
#[derive(Debug, PartialEq)]
struct BusyBalancer {
    cluster: String,
    plugin: String,
    /// Of the time.
    share: f64,
    /// Choices that are possible in a second.
    most: f64,
}

/// What was seen at the last look, by cluster.
#[derive(Debug, Default)]
struct SeenBalancers(HashMap<String, SeenBalancer>);

#[derive(Debug)]
struct SeenBalancer {
    instance: usize,
    since: Instant,
    times: MeteredCalls,
    said: Option<Instant>,
}

impl SeenBalancers {
    /// The balancers to speak of, of those that are read at `now`. The first call of an instance, which makes things
    /// ready, counts for nothing.
    fn look(&mut self, readings: Vec<BalancerReading>, now: Instant) -> Vec<BusyBalancer> {
        self.0.retain(|cluster, _| readings.iter().any(|reading| reading.cluster == *cluster));
        readings.into_iter().filter_map(|reading| self.look_at(reading, now)).collect()
    }

    fn look_at(&mut self, reading: BalancerReading, now: Instant) -> Option<BusyBalancer> {
        let BalancerReading { cluster, plugin, instance, times } = reading;
        if times.timed == 0 {
            return None;
        }
        let start = SeenBalancer { instance, since: now, times, said: None };
        let seen = self.0.entry(cluster.clone()).or_insert(start);
        if seen.instance != instance {
            *seen = SeenBalancer { instance, since: now, times, said: seen.said };
            return None;
        }
        let passed = now.saturating_duration_since(seen.since).as_secs_f64();
        let (calls, per_call) = times.since(&seen.times, TIMED)?;
        (seen.since, seen.times) = (now, times);
        let share = per_call.as_secs_f64() * calls / passed;
        let is_quiet = seen.said.is_some_and(|said| now.saturating_duration_since(said) < QUIET);
        if share < SHARE || is_quiet {
            return None;
        }
        seen.said = Some(now);
        Some(BusyBalancer { cluster, plugin, share: share.min(1.0), most: 1.0 / per_call.as_secs_f64() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After `calls` that took `each`, the first one longer.
    fn read(instance: usize, calls: u64, each: Duration) -> Vec<BalancerReading> {
        let timed = calls.div_ceil(64);
        let first = Duration::from_millis(300);
        let spent = (first + each * u32::try_from(timed.saturating_sub(1)).unwrap()).as_nanos();
        let timed_nanos = u64::try_from(spent).unwrap();
        let (cluster, plugin) = ("chat".to_owned(), "mine".to_owned());
        vec![BalancerReading {
            cluster,
            plugin,
            instance,
            times: MeteredCalls { calls, timed, timed_nanos, nanos: timed_nanos * 64 },
        }]
    }

    #[tokio::test(start_paused = true)]
    async fn a_balancer_that_takes_a_share_is_spoken_of_once_a_minute() {
        let (mut seen, slow) = (SeenBalancers::default(), Duration::from_millis(15));
        assert_eq!(seen.look(read(1, 1, slow), Instant::now()), [], "the first call says nothing");

        let mut said = Vec::new();
        for second in 1..=12 {
            tokio::time::advance(EVERY).await;
            said.push(seen.look(read(1, 1 + second * 400, slow), Instant::now()).pop());
        }

        let first = said.iter().flatten().next().unwrap();
        assert!((first.share - 0.6).abs() < 0.01 && (first.most - 66.7).abs() < 0.1, "{first:?}");
        let at: Vec<_> = said.iter().enumerate().filter(|(_, one)| one.is_some()).map(|(at, _)| at).collect();
        assert_eq!(at, [0, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_one_a_new_one_and_one_with_a_slow_start_are_not() {
        let (mut seen, quick) = (SeenBalancers::default(), Duration::from_micros(2));
        for (instance, calls) in [(1, 1), (1, 100_001), (2, 400), (2, 460), (2, 600), (3, 1)] {
            assert_eq!(seen.look(read(instance, calls, quick), Instant::now()), [], "{instance} after {calls}");
            tokio::time::advance(EVERY).await;
        }
        let each = Duration::from_secs(1);
        assert_eq!(seen.look(read(3, 11, each), Instant::now()), [], "too few calls were timed");
        for _ in 0..20 {
            tokio::time::advance(EVERY).await;
        }

        let late = seen.look(read(3, 221, each), Instant::now());

        assert!(late.first().is_some_and(|busy| busy.share > 0.9), "a longer time is looked at instead: {late:?}");
    }
}
