//! Routes that a request comes into: who may use each, and its plugins, asked one after the other, behind the router and
//! before an endpoint is chosen.

use std::sync::Arc;

use super::access::{Admission, admit};
use super::failure::RequestFailure;
use super::record::RequestRecord;
use super::{RoutePlugin, RouteRules, Snapshot};
use crate::http::{keep_end_to_end, remove_look_alikes};
use crate::policy::{
    BodySight, Decision, DirectResponse, Effects, ForwardTarget, HeadEdit, RequestFacts, RouteId, Routed,
};

/// How far a request has come through its routes.
pub(super) struct ChainProgress {
    /// Where it goes as things stand.
    pub(super) target: ForwardTarget,
    /// What is behind it. One list of both, for it is moved with every request, and empty for nearly all.
    steps: Vec<ChainStep>,
}

/// What a request has behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChainStep {
    /// This route has let it in, which took asking.
    LetIn(Option<RouteId>),
    /// The plugins of this route have been asked.
    Asked(Option<RouteId>),
}

impl ChainProgress {
    /// Nobody is asked any more: it goes where it goes.
    pub(super) fn settled(mut self) -> Self {
        self.steps.push(ChainStep::Asked(self.target.route));
        self
    }

    /// The route where it goes has let it in, and is not asked again.
    pub(super) fn let_in(&mut self) {
        self.steps.push(ChainStep::LetIn(self.target.route));
    }
}

impl From<ForwardTarget> for ChainProgress {
    fn from(target: ForwardTarget) -> Self {
        Self { target, steps: Vec::new() }
    }
}

/// How a request ends that goes no further, and by the rules of which route.
pub(super) struct ChainEnd<'a> {
    pub(super) rules: &'a RouteRules,
    pub(super) outcome: Box<ChainOutcome>,
}

/// What a client gets of the plugins of a route.
pub(super) enum ChainOutcome {
    /// A response of a plugin.
    Respond(DirectResponse),
    /// One of the gateway's own.
    Failed(RequestFailure),
    /// Nothing yet: a plugin decides by the body, and so much of that is to come first.
    WaitsForBody(BodySight, ChainProgress),
    /// Nothing yet: the route asks who its client is, which takes time.
    WaitsForAccess(ChainProgress),
}

impl From<RequestFailure> for Box<ChainOutcome> {
    fn from(failure: RequestFailure) -> Self {
        Self::new(ChainOutcome::Failed(failure))
    }
}

/// Where a request goes that the router has sent to `target`: to `target`, unless one of the plugins of its route says
/// something else. If that leads into another route, the plugins of that one are asked, too: what protects a route does
/// so whoever leads into it. No route's are asked twice for one request. Those of a route do not see
/// requests that it does not let in.
///
/// # Errors
/// [`ChainEnd`], where it goes nowhere.
#[inline(never)]
pub(super) fn decide<'a>(
    snapshot: &'a Snapshot,
    progress: ChainProgress,
    facts: &mut RequestFacts,
    record: &mut RequestRecord,
) -> Result<ChainProgress, ChainEnd<'a>> {
    let ChainProgress { mut target, mut steps } = progress;
    loop {
        let (route, rules) = (target.route, snapshot.rules(target.route));
        if !steps.contains(&ChainStep::LetIn(route)) {
            let admission = admit(rules, facts, record)
                .map_err(|denied| ChainEnd { rules, outcome: RequestFailure::Denied(denied).into() })?;
            if admission == Admission::Asks {
                let outcome = Box::new(ChainOutcome::WaitsForAccess(ChainProgress { target, steps }));
                return Err(ChainEnd { rules, outcome });
            }
        }
        if rules.plugins.is_empty() || steps.contains(&ChainStep::Asked(route)) {
            return Ok(ChainProgress { target, steps });
        }
        if let Some(sight) = sight(&rules.plugins).filter(|sight| facts.awaits_body(*sight)) {
            let outcome = Box::new(ChainOutcome::WaitsForBody(sight, ChainProgress { target, steps }));
            return Err(ChainEnd { rules, outcome });
        }
        record.add_plugins(rules);
        target = ask(&rules.plugins, target, facts).map_err(|outcome| ChainEnd { rules, outcome })?;
        if target.route == route {
            return Ok(ChainProgress { target, steps });
        }
        steps.push(ChainStep::Asked(route));
    }
}

/// How much of a body the plugins of one route want to see before they decide.
fn sight(plugins: &[RoutePlugin]) -> Option<BodySight> {
    let routers = plugins.iter().filter_map(|plugin| plugin.router.as_ref());
    routers.filter_map(|router| router.sight()).reduce(BodySight::with)
}

/// Asks the plugins of one route. What their answer leaves open stays as `target` has it.
fn ask(
    plugins: &[RoutePlugin],
    target: ForwardTarget,
    facts: &mut RequestFacts,
) -> Result<ForwardTarget, Box<ChainOutcome>> {
    for router in plugins.iter().filter_map(|plugin| plugin.router.as_ref()) {
        let Routed { decision, effects } = router.route(facts).map_err(RequestFailure::Router)?;
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
            Decision::Respond(direct) => return Err(Box::new(ChainOutcome::Respond(direct))),
            Decision::Unmatched => return Err(RequestFailure::Unmatched.into()),
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
            // And none has its own beside it, in a spelling that a server takes for the same.
            if let HeadEdit::Set(name, _) | HeadEdit::Remove(name) = &edit {
                remove_look_alikes(headers, name);
            }
            edit.apply(headers);
        }
    }
    facts.effects.add(effects);
}
