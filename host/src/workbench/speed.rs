//! How long decisions take, by a few made-up ones: enough to see what a gateway would feel.

use std::time::{Duration, Instant};

use ::http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::json;
use super::made_up::{self, ConfiguredPlugin};
use crate::policy::{Decision, EndpointId, EndpointIds, Fault, PickRequest};

/// Each made-up decision is made so often, and the shortest time counts: what a busy machine adds is not the plugin's.
const TRIES: usize = 5;

/// Endpoints of the greatest made-up cluster.
const ENDPOINTS: usize = 64;

/// The made-up decision that took longest.
#[derive(Clone, Debug, Serialize)]
pub struct SlowestCall {
    /// What was decided.
    pub what: String,
    /// Time that it took: the shortest of five calls with the same input.
    #[serde(rename = "nanoseconds", serialize_with = "json::nanoseconds")]
    pub time: Duration,
}

impl SlowestCall {
    /// How many such calls fit into a second.
    #[must_use]
    pub fn per_second(&self) -> u64 {
        let nanos = self.time.as_nanos().max(1);
        u64::try_from(1_000_000_000 / nanos).unwrap_or(u64::MAX)
    }
}

/// The slowest of some decisions, and whether any of them was more than a refusal.
pub(super) struct MadeUpCalls {
    /// None if the plugin takes nothing that is made up.
    pub(super) slowest: Option<SlowestCall>,
    /// Whether an endpoint was chosen, a request matched; or nothing was asked.
    pub(super) decides: bool,
}

/// Some picks; none if the balancer takes none of the made-up clusters.
pub(super) fn of_picks(plugin: &ConfiguredPlugin) -> Result<MadeUpCalls, Fault> {
    let made = [ENDPOINTS, 2]
        .into_iter()
        .find_map(|count| plugin.balancer(&made_up::endpoints(count)).ok().map(|balancer| (count, balancer)));
    let Some((count, mut balancer)) = made else { return Ok(MadeUpCalls::untried()) };
    let all: Vec<_> = EndpointId::each(&vec![(); count]).map(|(id, ())| id).collect();
    let (mut slowest, mut decides) = (Slowest::default(), false);
    for (what, step) in [("all", 1), ("every third", 3), ("one", count)] {
        let eligible: EndpointIds = all.iter().copied().step_by(step).collect();
        let busy: Vec<u32> = eligible.iter().map(|id| id.0 % 5).collect();
        for affinity in [None, Some(0x5eed)] {
            let pick = PickRequest { eligible: &eligible, busy: &busy, affinity, request: None };
            let with = if affinity.is_some() { ", with an affinity" } else { "" };
            slowest.time(format!("a pick among {what} of {count} endpoints{with}"), || {
                balancer.pick(&pick).map(|chosen| decides |= chosen.endpoint().is_some())
            })?;
        }
    }
    Ok(MadeUpCalls { slowest: slowest.0, decides })
}

/// Some routes; none if the router takes no made-up cluster.
pub(super) fn of_routes(plugin: &ConfiguredPlugin) -> Result<MadeUpCalls, Fault> {
    let Ok(router) = plugin.router(1, 0) else { return Ok(MadeUpCalls::untried()) };
    let (mut slowest, mut decides) = (Slowest::default(), false);
    for path in ["/", "/.well-known/tidegate/check", &format!("/{}", "a/".repeat(500))] {
        let request = made_up::request(path);
        slowest.time(format!("the route of a path of {} bytes", path.len()), || {
            router.route(&request).map(|routed| decides |= routed.decision != Decision::Unmatched)
        })?;
    }
    Ok(MadeUpCalls { slowest: slowest.0, decides })
}

/// The rewriting of some responses, where no edit is a decision as well.
pub(super) fn of_rewrites(plugin: &ConfiguredPlugin) -> Result<MadeUpCalls, Fault> {
    let Ok(rewriter) = plugin.rewriter() else { return Ok(MadeUpCalls::untried()) };
    let mut slowest = Slowest::default();
    for count in [1, 16] {
        let value = HeaderValue::from_static("http://192.0.2.1:8000/elsewhere");
        let fields: Vec<_> =
            rewriter.interest().iter().cycle().take(count).map(|name| (name.clone(), value.clone())).collect();
        let what = format!("the rewriting of {} header fields", fields.len());
        slowest.time(what, || rewriter.rewrite(&made_up::exchange(), StatusCode::FOUND, &fields))?;
    }
    Ok(MadeUpCalls { slowest: slowest.0, decides: true })
}

impl MadeUpCalls {
    pub(super) fn untried() -> Self {
        Self { slowest: None, decides: true }
    }
}

#[derive(Default)]
struct Slowest(Option<SlowestCall>);

impl Slowest {
    /// Makes one decision several times.
    fn time<T>(&mut self, what: String, mut decide: impl FnMut() -> Result<T, Fault>) -> Result<(), Fault> {
        let mut shortest = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            decide()?;
            shortest = shortest.min(began.elapsed());
        }
        if self.0.as_ref().is_none_or(|slowest| slowest.time < shortest) {
            self.0 = Some(SlowestCall { what, time: shortest });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_decision_says_how_many_fit_into_a_second() {
        let call = |time| SlowestCall { what: "a pick".to_owned(), time };

        assert_eq!(call(Duration::from_millis(11)).per_second(), 90);
        assert_eq!(call(Duration::ZERO).per_second(), 1_000_000_000);
    }

    #[test]
    fn the_slowest_input_counts_and_of_its_calls_the_fastest() {
        let mut slowest = Slowest::default();
        let mut first = true;

        slowest
            .time("spun once".to_owned(), || {
                let spin = if std::mem::take(&mut first) { Duration::from_millis(3) } else { Duration::ZERO };
                let began = Instant::now();
                while began.elapsed() < spin {}
                Ok(())
            })
            .unwrap();

        assert!(slowest.0.unwrap().time < Duration::from_millis(3));
    }
}
