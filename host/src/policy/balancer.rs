//! Which endpoint gets the next connection or request.

use std::sync::Arc;
use std::time::Duration;

use super::{BodySight, Choice, Effects, EndpointId, EndpointIds, Fault, RequestFacts};

/// Chooses an endpoint. One instance per cluster and generation, called under that cluster's lock.
pub trait Balancer: Send {
    /// Chooses one of `request.eligible`, or refuses.
    ///
    /// # Errors
    /// A [`Fault`] if it failed; [`LeastBusy`] then stands in for this pick.
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, Fault>;

    /// What the last pick did beside choosing: notes, taken once.
    fn take_effects(&mut self) -> Effects {
        Effects::default()
    }

    /// Whether the balancer wants [`Self::opened`] and [`Self::closed`].
    fn wants_feedback(&self) -> bool {
        false
    }

    /// A lease on `endpoint` began.
    fn opened(&mut self, endpoint: EndpointId) {
        let _ = endpoint;
    }

    /// A lease on `endpoint` ended.
    fn closed(&mut self, endpoint: EndpointId, outcome: &Outcome) {
        let _ = (endpoint, outcome);
    }

    /// How much of a request's body it wants to see before it chooses; none: choices wait for no body.
    fn sight(&self) -> Option<BodySight> {
        None
    }

    /// What counts its calls; none if nobody does.
    fn meter(&self) -> Option<Arc<dyn CallMeter>> {
        None
    }

    /// State for the next version of the balancer, at most 1 MiB; none if it keeps none.
    fn save(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// Counts calls, and can be read while one is under way.
pub trait CallMeter: Send + Sync {
    /// The counts now.
    fn times(&self) -> MeteredCalls;
}

/// How often something was called, and how long that took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeteredCalls {
    /// Calls so far.
    pub calls: u64,
    /// Those of them that were timed.
    pub timed: u64,
    /// What those took, in nanoseconds.
    pub timed_nanos: u64,
    /// Estimate of what all of them took, in nanoseconds.
    pub nanos: u64,
}

impl MeteredCalls {
    /// The calls after `earlier`, and their mean time; none if fewer than `least` of them were timed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn since(&self, earlier: &Self, least: u64) -> Option<(f64, Duration)> {
        let timed = self.timed.checked_sub(earlier.timed).filter(|timed| *timed >= least)?;
        let calls = self.calls.checked_sub(earlier.calls)?;
        let mean = self.timed_nanos.checked_sub(earlier.timed_nanos)?.checked_div(timed)?;
        Some((calls as f64, Duration::from_nanos(mean.max(1))))
    }
}

/// One choice to make. `eligible` and `busy` have the same length, at least 1.
#[derive(Debug)]
pub struct PickRequest<'a> {
    /// Endpoints that may be chosen.
    pub eligible: &'a EndpointIds,
    /// Units that each of them holds now, over the whole gateway.
    pub busy: &'a [u32],
    /// 31-bit hash of what the cluster keeps together.
    pub affinity: Option<u32>,
    /// The request, for balancers that look at more than busyness. None for a probe of the plugin.
    pub request: Option<&'a RequestFacts>,
}

/// The native choice that stands in for a failed plugin: smallest busyness, first in order among equals.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastBusy;

impl Balancer for LeastBusy {
    fn pick(&mut self, request: &PickRequest<'_>) -> Result<Choice, Fault> {
        Ok(request.eligible.iter().zip(request.busy).min_by_key(|(_, busy)| **busy).map(|(id, _)| id).into())
    }
}

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseEnding {
    /// The response or the tunnel came to its end.
    Complete,
    /// No connection could be made.
    Unreachable,
    /// The endpoint broke off, sent no response, or one that cannot be read.
    Broken,
    /// The client went away first.
    Abandoned,
}

/// What became of a choice.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: LeaseEnding,
    /// Status that the endpoint gave.
    pub status: Option<u16>,
    /// From choice to end.
    pub duration: Duration,
    /// From choice to the first byte of the response.
    pub first_byte: Option<Duration>,
    /// Bytes towards the endpoint.
    pub sent: u64,
    /// Bytes from the endpoint.
    pub received: u64,
}

/// A live number of every endpoint. See `columns` in the contract for units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Requests and tunnels given to the endpoint.
    Picks,
    /// Bytes sent to it.
    Sent,
    /// Bytes received from it.
    Received,
    /// Failed connects and broken exchanges.
    Failures,
    /// Smoothed first-byte time in microseconds, NaN before the first.
    Latency,
    /// First-byte time of the latest response in microseconds, NaN before the first.
    Latest,
}

/// Live numbers of one cluster, pulled by balancers that want more than busyness.
pub trait ClusterNumbers: Send + Sync {
    /// One number per id of `eligible`, in its order.
    fn column(&self, metric: Metric, eligible: &EndpointIds) -> Vec<f64>;

    /// What endpoints report about themselves under `name`; NaN = unknown.
    fn signal(&self, name: &str, eligible: &EndpointIds) -> Vec<f64>;
}

/// Numbers of endpoints that nobody has used yet: what made-up clusters have.
#[derive(Debug)]
pub struct UnusedNumbers;

impl ClusterNumbers for UnusedNumbers {
    fn column(&self, metric: Metric, eligible: &EndpointIds) -> Vec<f64> {
        let unknown = matches!(metric, Metric::Latency | Metric::Latest);
        vec![if unknown { f64::NAN } else { 0.0 }; eligible.len()]
    }

    fn signal(&self, _name: &str, eligible: &EndpointIds) -> Vec<f64> {
        vec![f64::NAN; eligible.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_busy_takes_the_first_of_equals() {
        let pick = PickRequest { eligible: &[1, 4, 7].into(), busy: &[3, 2, 2], affinity: None, request: None };

        let chosen = LeastBusy.pick(&pick).unwrap();

        assert_eq!(chosen, Choice::one(EndpointId(4)));
    }
}
