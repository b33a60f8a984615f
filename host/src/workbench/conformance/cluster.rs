//! A made-up cluster with the balancer under test.

use super::subject::{EndedEarly, Subject, failed, not_made};
use crate::policy::{Balancer, Choice, Endpoint, EndpointId, EndpointIds, PickRequest, RequestFacts};
use crate::workbench::made_up::{ConfiguredPlugin, endpoints, request};

/// The greatest busyness: numbers of the contract are below 2^31.
pub(super) const BUSIEST: u32 = i32::MAX.unsigned_abs();

/// Imports by which a balancer learns nothing that it could wait for.
const KNOWN_AT_ONCE: [&str; 3] = ["log", "types", "system"];

/// A balancer of a made-up cluster.
pub(super) struct MadeUpCluster {
    pub(super) balancer: Box<dyn Balancer>,
    size: usize,
    plugin: ConfiguredPlugin,
    request: RequestFacts,
}

impl MadeUpCluster {
    pub(super) fn of(subject: &Subject<'_>, members: &[Endpoint]) -> Result<Self, EndedEarly> {
        let size = members.len();
        let what = format!("a cluster of {size} made-up endpoints");
        let balancer = subject.plugin.balancer(members).map_err(|error| not_made(&what, &error))?;
        Ok(Self { balancer, size, plugin: subject.plugin.clone(), request: request("/websocket") })
    }

    /// One pick. `busy` is repeated for as many as are eligible.
    pub(super) fn pick(
        &mut self,
        eligible: &EndpointIds,
        busy: &[u32],
        affinity: Option<u32>,
    ) -> Result<Option<EndpointId>, EndedEarly> {
        let all: Vec<u32> = busy.iter().copied().cycle().take(eligible.len()).collect();
        let pick = PickRequest { eligible, busy: &all, affinity, request: Some(&self.request) };
        self.balancer
            .pick(&pick)
            .map(Choice::endpoint)
            .map_err(|fault| failed(format_args!("{}: {}", self.given(&pick), fault.detail)))
    }

    /// The same where all are idle: who chooses none then, and does not wait for something, chooses never.
    pub(super) fn must_pick(
        &mut self,
        eligible: &EndpointIds,
        affinity: Option<u32>,
    ) -> Result<EndpointId, EndedEarly> {
        let busy = vec![0; eligible.len()];
        self.pick(eligible, &busy, affinity)?.ok_or_else(|| {
            if let Some(learned) = waits_for(&self.plugin) {
                return EndedEarly::NotApplicable(learned);
            }
            let pick = PickRequest { eligible, busy: &busy, affinity, request: None };
            failed(format_args!("{}: returned none, though all are idle: the client gets 503", self.given(&pick)))
        })
    }

    fn given(&self, pick: &PickRequest<'_>) -> String {
        let shown = |numbers: &[u32]| {
            let first: Vec<_> = numbers.iter().take(8).map(u32::to_string).collect();
            let more = if numbers.len() > first.len() { ", …" } else { "" };
            format!("[{}{more}]", first.join(", "))
        };
        let (eligible, busy) = (shown(pick.eligible.as_numbers()), shown(pick.busy));
        let affinity = pick.affinity.map_or_else(|| "no affinity".to_owned(), |hash| format!("affinity {hash}"));
        let (count, size) = (pick.eligible.len(), self.size);
        format!("given {count} of {size} endpoints, eligible {eligible}, busy {busy}, {affinity}")
    }
}

/// Says for what a balancer may wait that chooses nobody among two who are idle: numbers, reports, requests, time. None
/// for one that chooses, or imports nothing of the kind.
pub(super) fn waits_for(plugin: &ConfiguredPlugin) -> Option<String> {
    let import = plugin.artifact.imports().find(|import| !KNOWN_AT_ONCE.contains(import))?;
    let mut balancer = plugin.balancer(&endpoints(2)).ok()?;
    let (eligible, request) = (EndpointIds::from([0, 1]), request("/"));
    let pick = PickRequest { eligible: &eligible, busy: &[0, 0], affinity: Some(7), request: Some(&request) };
    let chosen = balancer.pick(&pick).ok()?;
    chosen.endpoint().is_none().then(|| {
        format!("it chooses nobody among two idle endpoints, but imports `{import}`: it may wait for what that says")
    })
}
