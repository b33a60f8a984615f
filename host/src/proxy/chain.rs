//! The plugins of a route: asked one after the other, behind the router and before an endpoint is chosen.

use std::sync::Arc;

use super::RouteRules;
use super::failure::RequestFailure;
use crate::http::keep_end_to_end;
use crate::policy::{Decision, DirectResponse, Effects, ForwardTarget, RequestFacts, Routed};

/// How a request ends that goes no further.
pub(super) enum ChainEnd {
    /// With a response of a plugin.
    Respond(DirectResponse),
    /// With one of the gateway's own.
    Failed(RequestFailure),
}

impl From<RequestFailure> for ChainEnd {
    fn from(failure: RequestFailure) -> Self {
        Self::Failed(failure)
    }
}

/// Where a request goes that the router has sent to `target` by `rules`: to `target`, unless one of the plugins says
/// something else. What its answer leaves open stays as the route has it. The plugins of another route that it may name
/// are not asked.
///
/// # Errors
/// [`ChainEnd`], where it goes nowhere.
#[inline(never)]
pub(super) fn decide(
    rules: &RouteRules,
    target: ForwardTarget,
    facts: &mut RequestFacts,
) -> Result<ForwardTarget, Box<ChainEnd>> {
    for router in rules.plugins.iter().filter_map(|plugin| plugin.router.as_ref()) {
        let routed = router.route(facts).map_err(|fault| ChainEnd::from(RequestFailure::Router(fault)))?;
        let Routed { decision, effects } = routed;
        carry_out(effects, facts);
        match decision {
            Decision::Next => {}
            Decision::Forward(chosen) => {
                return Ok(ForwardTarget {
                    cluster: chosen.cluster,
                    path: chosen.path.or(target.path),
                    route: chosen.route.or(target.route),
                });
            }
            Decision::Respond(direct) => return Err(Box::new(ChainEnd::Respond(direct))),
            Decision::Unmatched => return Err(Box::new(RequestFailure::Unmatched.into())),
        }
    }
    Ok(target)
}

/// Carries out what a decider did beside deciding: edits of the request at once, so that whoever comes later sees it so.
pub(super) fn carry_out(mut effects: Effects, facts: &mut RequestFacts) {
    let edits = effects.take_request();
    if !edits.is_empty() {
        let headers = Arc::make_mut(&mut facts.headers);
        for edit in edits {
            // No client takes away what was put in for it.
            keep_end_to_end(headers, edit.name());
            edit.apply(headers);
        }
    }
    facts.effects.add(effects);
}
